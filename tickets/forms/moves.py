"""Where a ticket goes: the same form for keyboard, touch and no script, and the little that a drag posts."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import AsciiIntegerField
from tickets.forms.tickets import BIGGEST, VersionForm
from tickets.models import Ticket

PLACES = [("last", "Last in the branch"), ("first", "First in the branch")]
LONGEST = 300  # characters: a number and a title
NAMED = re.compile(r"\s*#?([1-9][0-9]{0,8})(?!\S)")
ANOTHER = re.compile(r"\A\s*#[0-9]|\S#[0-9]")  # after the first number: "#117 #101", "#117#101" are two


class NumberField(forms.CharField):
    """A ticket: "#110", "110" or "#110 Domain controller DC01". What begins with two numbers names none."""

    def to_python(self, value: Any) -> Any:
        text = "" if value is None else str(value)
        if len(text) > LONGEST:
            raise ValidationError(f"A ticket is named in at most {LONGEST} characters: write its number as #110.")
        text = text.strip()
        if not text:
            return None
        found = NAMED.match(text)
        if not found or ANOTHER.search(text[found.end() :]):
            raise ValidationError("Choose a ticket of the list, or write its number as #110.")
        return int(found[1])

    def run_validators(self, value: Any) -> None:
        """A number has no length in characters."""


class MoveForm(VersionForm):
    """Under which ticket, and where among its children."""

    parent = NumberField(
        label="New parent", required=False, help_text="Empty: the top of the tree.",
        widget=forms.TextInput(attrs={"list": "parents", "autocomplete": "off", "autofocus": True, "data-select": ""}),
    )  # fmt: skip
    place = forms.CharField(label="Place", widget=forms.Select(choices=PLACES), initial="last")

    def __init__(self, *args: Any, beside: list[Ticket], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            *PLACES,
            *((f"before-{ticket.number}", f"Before #{ticket.number} {ticket.title}") for ticket in beside),
        ]
        self.fields["place"].widget = forms.Select(choices=choices)

    def clean_place(self) -> dict[str, Any]:
        """The place as arguments of the action."""
        place = self.cleaned_data["place"]
        if place in ("last", "first"):
            return {"first": place == "first"}
        number = re.fullmatch(r"before-([1-9][0-9]{0,8})", place, re.ASCII)
        if not number:
            raise ValidationError("Choose a place of the list.")
        return {"before": int(number[1])}


class DropForm(VersionForm):
    """What a drag posts: exactly one of the three."""

    parent = AsciiIntegerField(required=False, min_value=1, max_value=BIGGEST)
    before = AsciiIntegerField(required=False, min_value=1, max_value=BIGGEST)
    after = AsciiIntegerField(required=False, min_value=1, max_value=BIGGEST)
