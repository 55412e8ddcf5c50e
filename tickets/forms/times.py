"""Time that somebody spent on a ticket."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.forms import VisibleText
from tickets.forms.durations import Minutes
from tickets.models.times import MOST_MINUTES

FIRST_DAY = dt.date(2000, 1, 1)


def _today() -> dt.date:
    return timezone.now().date()


class TimeForm(forms.Form):
    """How long, on which day, doing what."""

    minutes = Minutes(
        label="Time spent", most=MOST_MINUTES, help_text="Such as 1h 20m.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True, "placeholder": "1h 20m"}),
    )  # fmt: skip
    day = forms.DateField(initial=_today, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
    note = VisibleText(required=False, max_length=200)

    def clean_day(self) -> Any:
        day: dt.date = self.cleaned_data["day"]
        if day < FIRST_DAY:
            raise ValidationError("Give a day from the year 2000 on.")
        return day
