"""What is asked for when several tickets are changed at once: one form for each part."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import VisibleText
from incidents.forms.fields import Tags
from incidents.models import Incident
from tickets.forms.moves import PLACES, NumberField
from tickets.forms.tickets import BIGGEST, DueField, PersonField, ReasonForm
from tickets.models import Disposition
from tickets.queries.people import workers
from tickets.queries.vocabulary import priority_choices, status_choices


def numbers_in(texts: Iterable[str]) -> list[int]:
    """The numbers of tickets among these texts, each once, in order; what is none is left out."""
    found = (int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 11)
    return [number for number in dict.fromkeys(found) if 0 < number <= BIGGEST]


class PartForm(forms.Form):
    """One part of several tickets of an incident."""

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident = incident


class AssigneeForm(PartForm):
    """Who does them."""

    assignee = PersonField()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["assignee"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 (says its type)
        field.queryset = workers(self.incident)


class StatusForm(PartForm):
    """What is happening to them, and what must be said with that."""

    status = forms.ChoiceField(choices=status_choices)
    disposition = forms.ChoiceField(
        label="Result of leads", required=False, choices=[("", "Leave as it is"), *Disposition.choices],
        help_text="For the leads among them that have no result yet; asked when they are done.",
    )  # fmt: skip
    disposition_reason = VisibleText(label="Why they are parked", required=False, max_length=300)
    waiting_for = VisibleText(label="Waiting for", required=False, max_length=80)
    reason = VisibleText(
        label="Why they are dropped", required=False, max_length=300, help_text="Stands at every one of them."
    )


class PriorityForm(PartForm):
    """How urgent they are."""

    priority = forms.ChoiceField(choices=priority_choices)


class DueForm(PartForm):
    """When they are due; empty takes the time away."""

    due_at = DueField()


class TagsForm(PartForm):
    """Which tags they get, and which they lose; all others stay."""

    add_tags = Tags(label="Add tags", required=False, help_text="Separated by commas.")
    remove_tags = Tags(label="Take tags away", required=False)

    def clean(self) -> dict[str, Any] | None:
        if not self.errors and not any(self.cleaned_data.values()):
            raise ValidationError("Name a tag to add, or one to take away.")
        return self.cleaned_data


class PlaceForm(PartForm):
    """Below which ticket, and where among its children."""

    parent = NumberField(
        label="New parent", required=False, help_text="Empty: the top of the tree.",
        widget=forms.TextInput(attrs={"list": "parents", "autocomplete": "off", "autofocus": True}),
    )  # fmt: skip
    place = forms.ChoiceField(label="Place", choices=PLACES, initial="last")


class DropForm(PartForm, ReasonForm):
    """Why they are dropped, with all that is open below them."""


PARTS: dict[str, type[PartForm]] = {
    "assignee": AssigneeForm, "status": StatusForm, "priority": PriorityForm, "due_at": DueForm, "tags": TagsForm,
    "move": PlaceForm, "drop": DropForm,
}  # fmt: skip
TITLES = {
    "assignee": "Assign", "status": "Set the status of", "priority": "Set the priority of",
    "due_at": "Set the due time of", "tags": "Tag", "move": "Move", "drop": "Drop",
}  # fmt: skip
