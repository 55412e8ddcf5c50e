"""Writing down a shift for the next one."""

import datetime as dt
from typing import Any

from django import forms
from django.utils import timezone

from core.forms import MultilineText
from tickets.forms.tickets import markdown_area
from tickets.models import ShiftHandover
from tickets.queries.shifts import HOURS

LAST = "last"
CHOICES = [("4", "4 hours"), ("8", "8 hours"), ("12", "12 hours"), ("24", "24 hours"), ("72", "3 days")]


class ShiftForm(forms.Form):
    """What the shift began with, and what only its people know."""

    since = forms.ChoiceField(label="The shift", widget=forms.Select)
    watch = MultilineText(
        label="What the next shift must watch", required=False, max_length=20_000,
        widget=markdown_area(8),
        help_text="Markdown. What you would say at the door: what may happen, what not to touch, whom to call.",
    )  # fmt: skip

    def __init__(self, *args: Any, last: ShiftHandover | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last = last
        since = self.fields["since"]
        assert isinstance(since, forms.ChoiceField)  # noqa: S101 (says its type)
        since.choices = [(key, f"The last {words}") for key, words in CHOICES]
        if last is not None:
            words = last.created_at.astimezone(dt.UTC).strftime("%-d %b %H:%M UTC")
            since.choices = [(LAST, f"Since the last shift handover, {words}"), *since.choices]
        since.initial = LAST if last else str(HOURS)

    def moment(self) -> dt.datetime:
        """Since when; of a form that is not valid, the usual."""
        chosen = getattr(self, "cleaned_data", {}).get("since") or self.fields["since"].initial
        if chosen == LAST and self.last is not None:
            return self.last.created_at
        return timezone.now() - dt.timedelta(hours=int(chosen))
