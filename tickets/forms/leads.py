"""What people type about a lead: what it supposes, where it came from, what became of it."""

from typing import Any

from django import forms

from core.forms import VisibleText
from tickets.forms.moves import NumberField
from tickets.forms.tickets import REASON_HELP, REASON_LABEL, VersionForm, hypothesis_field, result_field
from tickets.models import Ticket


def origin_field() -> NumberField:
    """The ticket a lead grew from, by its number."""
    return NumberField(
        label="Grew from", required=False, help_text="The ticket whose finding led here, as #109.",
        widget=forms.TextInput(attrs={"list": "origins", "autocomplete": "off", "data-select": ""}),
    )  # fmt: skip


class LeadForm(VersionForm):
    """Whether it is a lead, what it supposes, where it came from, and what became of it."""

    lead = forms.BooleanField(label="A lead: must be investigated until resolved", required=False)
    hypothesis = hypothesis_field()
    origin = origin_field()
    disposition = result_field()
    disposition_reason = VisibleText(label=REASON_LABEL, required=False, max_length=300, help_text=REASON_HELP)

    @staticmethod
    def of(ticket: Ticket) -> "LeadForm":
        """Filled with what the ticket says now; where it is no lead yet, ready to make it one."""
        names = ("version", "disposition", "disposition_reason", "hypothesis")
        first: dict[str, Any] = {name: getattr(ticket, name) for name in names}
        first |= {"lead": True, "origin": f"#{ticket.origin.number}" if ticket.origin else ""}
        return LeadForm(initial=first)

    def clean_origin(self) -> int | None:
        """Its number; 0 says that it grew from no ticket, None that nothing was said."""
        return (self.cleaned_data["origin"] or 0) if "origin" in self.data else None

    def clean_hypothesis(self) -> str | None:
        """None where nothing was said."""
        return self.cleaned_data["hypothesis"] if "hypothesis" in self.data else None
