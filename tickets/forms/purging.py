"""What whoever deletes for good must type."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import VisibleText
from tickets.models import Ticket


class DeleteForm(forms.Form):
    """The ticket's number, typed; a reason; and for a closed incident, that one knows it is closed."""

    number = forms.CharField(max_length=20, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    reason = VisibleText(max_length=300, help_text="Who ordered it, and why. It stays in the journal.")
    closed = forms.BooleanField(label="The incident is closed: delete from it all the same", required=False)

    def __init__(self, *args: Any, ticket: Ticket, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ticket = ticket
        self.fields["number"].label = f"To confirm, type #{ticket.number}"
        if ticket.incident.is_open:
            del self.fields["closed"]

    def clean_number(self) -> str:
        """The number of this very ticket."""
        typed: str = self.cleaned_data["number"]
        if typed.strip().removeprefix("#") != str(self._ticket.number):
            raise ValidationError(f"This is not #{self._ticket.number}.")
        return typed
