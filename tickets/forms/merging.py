"""Into which incident another one goes."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import VisibleText
from incidents.models import Incident
from people.models import User


class MergeForm(forms.Form):
    """The target by its number, why, and (on the second page) the word that it may happen."""

    number = VisibleText(
        label="Into incident", max_length=24,
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "placeholder": "IR-2026-1120-001"}),
    )  # fmt: skip
    reason = VisibleText(label="Why they are one", max_length=300)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, source: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.source = user, source

    def clean_number(self) -> Incident:
        """The incident, only if this person may see it and leads it too."""
        target = Incident.objects.numbered(self.user, self.cleaned_data["number"])
        if target is None:
            raise ValidationError("There is no such incident.")
        if target.pk == self.source.pk:
            raise ValidationError("An incident cannot be merged into itself.")
        if "lead" not in target.permissions_for(self.user):
            raise ValidationError(f"You need to lead {target.number} as well.")
        return target
