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
    """Which restricted incident, and why. `incident` is set when the form is valid, `missed` if there is none.

    Nothing is looked up before there is a reason, so no number is tried out without one.
    """

    number = VisibleText(max_length=24, widget=forms.TextInput(attrs={"placeholder": "IR-2026-1120-001"}))
    reason = MultilineText(max_length=2000, widget=forms.Textarea(attrs={"rows": 3}))
    incident: Incident
    missed = False

    def clean(self) -> dict[str, Any]:
        """It must exist and be restricted: everything else an admin sees anyway."""
        data = super().clean() or {}
        if self.errors:
            return data
        found = Incident.objects.with_number(data["number"])
        if found is None:
            self.missed = True
            self.add_error("number", "There is no such incident.")
        elif not found.restricted:
            self.add_error("number", f"{found.number} is not restricted: you may see it as it is.")
        else:
            self.incident = found
        return data
