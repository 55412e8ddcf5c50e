"""What people type about a ticket."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import AsciiIntegerField, MultilineText, VisibleText
from incidents.models import Incident
from people.models import User
from tickets.models import Disposition, Priority, Ticket, TicketStatus
from tickets.queries.people import workers

DUE_FORM = "%Y-%m-%dT%H:%M"
EARLIEST, LATEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC), dt.datetime(2200, 1, 1, tzinfo=dt.UTC)
BIGGEST = 2**31 - 1


class VersionForm(forms.Form):
    """A form that says which version of the row its sender saw."""

    version = AsciiIntegerField(widget=forms.HiddenInput, min_value=1, max_value=BIGGEST)


if TYPE_CHECKING:
    PersonChoice = forms.ModelChoiceField[User]
else:
    PersonChoice = forms.ModelChoiceField  # generic for the type checker only


class PersonField(PersonChoice):
    """Somebody who works on this incident, or nobody."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(queryset=User.objects.none(), required=False, empty_label="Nobody yet", **kwargs)


class DueField(forms.DateTimeField):
    """A time in UTC, to the minute."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=DUE_FORM)

    def __init__(self) -> None:
        super().__init__(label="Due (UTC)", required=False)

    def clean(self, value: Any) -> dt.datetime | None:
        found: dt.datetime | None = super().clean(value)
        if found is not None and not EARLIEST <= found < LATEST:
            raise ValidationError("Give a time between the years 2000 and 2200.")
        return found


class AddForm(forms.Form):
    """A new ticket. `parent` and `after` are numbers of tickets of the same incident."""

    title = VisibleText(max_length=200, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}))
    description = MultilineText(required=False, widget=forms.Textarea(attrs={"rows": 3}), help_text="Markdown.")
    assignee = PersonField()
    priority = forms.ChoiceField(choices=Priority.choices, initial=Priority.NORMAL, required=False)
    due_at = DueField()
    lead = forms.BooleanField(label="A lead: must be investigated until resolved", required=False)
    shared = forms.BooleanField(label="Shared with the customer", required=False)
    parent = AsciiIntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=BIGGEST)
    after = AsciiIntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=BIGGEST)

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "assignee", incident)

    def clean_priority(self) -> str:
        return self.cleaned_data["priority"] or Priority.NORMAL.value


def _offer(form: forms.Form, name: str, incident: Incident) -> None:
    """Let a field choose among the people who work on this incident."""
    field = form.fields[name]
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = workers(incident)


class EditForm(VersionForm):
    """The words and times of a ticket. What is not sent stays as it is."""

    title = VisibleText(max_length=200)
    description = MultilineText(required=False, widget=forms.Textarea(attrs={"rows": 8}), help_text="Markdown.")
    outcome = MultilineText(
        label="What came out", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3})
    )
    priority = forms.ChoiceField(choices=Priority.choices)
    due_at = DueField()
    shared = forms.BooleanField(label="Shared with the customer", required=False)

    @staticmethod
    def of(ticket: Ticket) -> "EditForm":
        """Filled with what the ticket says now."""
        names = ("version", "title", "description", "outcome", "priority", "due_at", "shared")
        return EditForm(initial={name: getattr(ticket, name) for name in names})


class PriorityForm(VersionForm):
    """The one control of the panel."""

    priority = forms.ChoiceField(choices=Priority.choices)


class DueForm(VersionForm):
    """The one control of the panel."""

    due_at = DueField()


class SharedForm(VersionForm):
    """The one control of the panel."""

    shared = forms.BooleanField(label="Shared with the customer", required=False)


PARTS: dict[str, type[VersionForm]] = {"priority": PriorityForm, "due_at": DueForm, "shared": SharedForm}


class AssignForm(VersionForm):
    """Who does it."""

    assignee = PersonField()

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "assignee", incident)


class StatusForm(VersionForm):
    """What is happening to it, and what must be said with that."""

    status = forms.ChoiceField(choices=TicketStatus.choices)
    outcome = MultilineText(
        label="What came out", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Asked when it is done.",
    )  # fmt: skip
    disposition = forms.ChoiceField(
        label="Result of the lead", required=False, choices=[("", "Not resolved yet"), *Disposition.choices]
    )
    waiting_for = VisibleText(label="Waiting for", required=False, max_length=80)
    reason = VisibleText(label="Why it is dropped", required=False, max_length=300)

    def __init__(self, *args: Any, ticket: Ticket, to: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        wanted = {
            TicketStatus.DONE.value: {"outcome", "disposition"},
            TicketStatus.WAITING.value: {"waiting_for"},
            TicketStatus.DROPPED.value: {"reason"},
        }
        if to:
            for name in {"outcome", "disposition", "waiting_for", "reason"} - wanted.get(to, set()):
                self.fields[name].widget = forms.HiddenInput()
        if not ticket.lead:
            del self.fields["disposition"]


class LeadForm(VersionForm):
    """Whether it is a lead, and what became of it."""

    lead = forms.BooleanField(label="A lead: must be investigated until resolved", required=False)
    disposition = forms.ChoiceField(
        label="Result", required=False, choices=[("", "Not resolved yet"), *Disposition.choices]
    )


class ReasonForm(forms.Form):
    """Why something is dropped."""

    reason = VisibleText(
        label="Why it is dropped", max_length=300, widget=forms.TextInput(attrs={"autofocus": True}),
        help_text="Stands at every ticket that is dropped now.",
    )  # fmt: skip
