"""Offering tickets to somebody, and answering."""

from typing import Any

from django import forms

from core.forms import MultilineText, VisibleText
from incidents.models import Incident
from people.models import User
from tickets.forms.tickets import PersonField, markdown_area
from tickets.models import Ticket
from tickets.queries.people import workers

ONE, ALL = "one", "all"
NO_ROLE = (
    "This person cannot work in this incident: a lead of it adds them to the team first, under Members, in a role that "
    "works tickets."
)


class HandOverForm(forms.Form):
    """To whom, what, and what they should know. `numbers` are those of the giver's tickets that can be offered.

    `giver` is whose the ticket was when the form was drawn: what is offered is never somebody else's by then.
    """

    giver = forms.CharField(required=False, widget=forms.HiddenInput)
    receiver = PersonField(
        label="To", help_text="People who work in this incident; others must be added under Members first."
    )
    what = forms.ChoiceField(widget=forms.RadioSelect, initial=ONE)
    note = MultilineText(
        required=False, max_length=10_000, widget=markdown_area(4),
        help_text="Markdown. What is done, what comes next, what to look out for.",
    )  # fmt: skip

    def __init__(self, *args: Any, ticket: Ticket, giver: User, numbers: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ticket, self.all_numbers, self.owner = ticket, numbers, giver
        self.fields["giver"].initial = str(giver.pk)
        receiver, what = self.fields["receiver"], self.fields["what"]
        assert isinstance(receiver, forms.ModelChoiceField)  # noqa: S101 (says its type)
        assert isinstance(what, forms.ChoiceField)  # noqa: S101 (says its type)
        receiver.queryset = self.receivers(ticket.incident, giver)
        receiver.required, receiver.empty_label = True, "Choose somebody"
        receiver.error_messages["invalid_choice"] = NO_ROLE
        several = len(numbers) > 1 and ticket.number in numbers
        what.choices = [(ONE, f"#{ticket.number} only")]
        if several:
            what.choices = [*what.choices, (ALL, f"All {len(numbers)} open tickets of {giver} in this incident")]
        else:
            what.widget, what.required = forms.HiddenInput(), False

    @staticmethod
    def receivers(incident: Incident, giver: User) -> Any:
        """Whoever works here, without whom it is handed over by."""
        return workers(incident).exclude(pk=giver.pk)

    @property
    def is_of_giver(self) -> bool:
        """Whether whoever filled it in saw it as a form about the tickets of who has the ticket now."""
        return str(self["giver"].value()) == str(self.owner.pk)

    @property
    def numbers(self) -> list[int]:
        """What was chosen, of a valid form."""
        return self.all_numbers if self.cleaned_data["what"] == ALL else [self.ticket.number]


class DeclineForm(forms.Form):
    """Why not."""

    answer = VisibleText(
        label="Why not", max_length=300, widget=forms.TextInput(attrs={"autofocus": True}),
        help_text="Whoever offered it reads this.",
    )  # fmt: skip
