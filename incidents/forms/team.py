"""Giving and ending roles; looking into a restricted incident."""

from typing import Any

from django import forms

from core.forms import MultilineText, VisibleText
from incidents.models import Incident, Role
from people.models import User


class AssignForm(forms.Form):
    """A role for one of our own people."""

    user = forms.ModelChoiceField(User.objects.none(), label="Person", empty_label="Choose")
    role = forms.ChoiceField(
        choices=Role.choices,
        initial=Role.MEMBER,
        help_text="A new commander takes over; the one before stays as a member.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["user"]
        assert isinstance(people, forms.ModelChoiceField)  # noqa: S101 (says its type)
        people.queryset = User.objects.team()


class EndForm(forms.Form):
    """Why a role ends."""

    reason = MultilineText(required=False, max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


class BreakGlassForm(forms.Form):
    """Which restricted incident, and why. `incident` is set when the form is valid."""

    number = VisibleText(max_length=24, widget=forms.TextInput(attrs={"placeholder": "IR-2026-1120-001"}))
    reason = MultilineText(max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    incident: Incident

    def clean_number(self) -> str:
        """It must exist and be restricted: everything else an admin sees anyway."""
        number: str = self.cleaned_data["number"].upper()
        found = Incident.objects.filter(number=number).first()
        if found is None:
            raise forms.ValidationError("There is no such incident.")
        if not found.restricted:
            raise forms.ValidationError(f"{found.number} is not restricted: you may see it as it is.")
        self.incident = found
        return number
