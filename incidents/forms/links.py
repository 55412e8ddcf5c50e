"""Saying how one incident belongs to another."""

from typing import Any

from django import forms

from core.forms import VisibleText
from incidents.models import Incident
from incidents.models.incidents import LinkKind
from people.models import User


class LinkForm(forms.Form):
    """The other incident by its number; one that the person may not see does not exist. `target` is what was found."""

    kind = forms.ChoiceField(label="This incident", choices=LinkKind.choices, initial=LinkKind.RELATED)
    number = VisibleText(
        label="Other incident", max_length=24, widget=forms.TextInput(attrs={"placeholder": "IR-2026-1120-001"})
    )
    target: Incident

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_number(self) -> str:
        """The same words for what is hidden and for what never was."""
        number: str = self.cleaned_data["number"]
        found = Incident.objects.numbered(self.user, number)
        if found is None:
            raise forms.ValidationError("There is no such incident.")
        self.target = found
        return found.number
