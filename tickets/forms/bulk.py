"""What is asked for when several tickets are changed at once: one form for each part."""

import re
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
from tickets.queries.places import parent_of
from tickets.queries.vocabulary import priority_choices, status_choices

SEEN = re.compile(r"([0-9]{1,10})(?::([1-9][0-9]{0,8}))?", re.ASCII)
BESIDE = re.compile(r"(before|after)-([1-9][0-9]{0,8})", re.ASCII)


def numbers_in(texts: Iterable[str]) -> list[int]:
    """The numbers of tickets among these texts ("101" or "101:3"), each once, in order; what is none is left out."""
    found = (int(match[1]) for text in texts if (match := SEEN.fullmatch(text)))
    return [number for number in dict.fromkeys(found) if 0 < number <= BIGGEST]


def versions_in(texts: Iterable[str]) -> dict[int, int]:
    """Number → version that somebody saw of it, of texts that say so ("101:3")."""
    found = (SEEN.fullmatch(text) for text in texts)
    return {int(match[1]): int(match[2]) for match in found if match and match[2]}


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
    """Below which ticket, and where among its children; or beside which, as rows are pasted and dragged."""

    parent = NumberField(
        label="New parent", required=False, help_text="Empty: the top of the tree.",
        widget=forms.TextInput(attrs={"list": "parents", "autocomplete": "off", "autofocus": True}),
    )  # fmt: skip
    place = forms.CharField(label="Place", widget=forms.Select(choices=PLACES), initial="last")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if beside := BESIDE.fullmatch(self.data.get("place", "")):
            said = (beside[0], f"{beside[1].title()} #{beside[2]}")
            self.fields["place"].widget = forms.Select(choices=[*PLACES, said])

    def clean(self) -> dict[str, Any] | None:
        """The place as arguments of the action, the parent among them."""
        data = self.cleaned_data
        place, parent = data.pop("place", ""), data.get("parent")
        if beside := BESIDE.fullmatch(place):
            above = parent_of(self.incident, int(beside[2]))
            if parent and parent != above:
                self.add_error("place", f"#{beside[2]} is not in #{parent}: choose another place, or no parent.")
            return {**data, "parent": above, beside[1]: int(beside[2])}
        if place not in dict(PLACES):
            self.add_error("place", "Choose a place of the list.")
        return {**data, "first": place == "first"}


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
