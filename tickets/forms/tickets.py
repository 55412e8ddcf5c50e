"""What people type about a ticket."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import AsciiIntegerField, MultilineText, VisibleText
from incidents.models import Incident
from people.models import User
from tickets.forms.durations import Minutes
from tickets.models import Category, Disposition, Ticket, TicketStatus
from tickets.models.vocabulary import NORMAL
from tickets.queries.people import workers
from tickets.queries.vocabulary import priority_choices, statuses

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


class LimitField(Minutes):
    """How long the ticket may take from its start."""

    def __init__(self) -> None:
        super().__init__(label="Time limit", required=False, help_text="From its start on, such as 2h or 1h 30m.")


def markdown_area(rows: int, **attrs: Any) -> forms.Textarea:
    """A field for Markdown: components/field.html puts a preview beside it."""
    return forms.Textarea(attrs={"rows": rows, "data-markdown": "", **attrs})


def hypothesis_field() -> MultilineText:
    """What a lead supposes."""
    return MultilineText(
        label="Hypothesis", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}),
        help_text="What would be so if this lead is right, such as: they hold a golden ticket.",
    )  # fmt: skip


class AddForm(forms.Form):
    """A new ticket. `parent`, `after` and `origin` (what a lead grew from) are numbers of tickets of the incident."""

    title = VisibleText(max_length=200, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}))
    description = MultilineText(required=False, widget=markdown_area(3), help_text="Markdown.")
    assignee = PersonField()
    priority = forms.ChoiceField(choices=priority_choices, initial=NORMAL, required=False)
    due_at = DueField()
    time_limit = LimitField()
    lead = forms.BooleanField(label="A lead: must be investigated until resolved", required=False)
    hypothesis = hypothesis_field()
    shared = forms.BooleanField(label="Shared with the customer", required=False)
    origin = AsciiIntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=BIGGEST)
    parent = AsciiIntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=BIGGEST)
    after = AsciiIntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=BIGGEST)

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "assignee", incident)

    def clean_priority(self) -> str:
        return self.cleaned_data["priority"] or NORMAL


def _offer(form: forms.Form, name: str, incident: Incident) -> None:
    """Let a field choose among the people who work on this incident."""
    field = form.fields[name]
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = workers(incident)


class EditForm(VersionForm):
    """The words and times of a ticket. What is not sent stays as it is."""

    title = VisibleText(max_length=200)
    description = MultilineText(required=False, widget=markdown_area(8), help_text="Markdown.")
    outcome = MultilineText(
        label="What came out", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3})
    )
    priority = forms.ChoiceField(choices=priority_choices)
    due_at = DueField()
    time_limit = LimitField()
    shared = forms.BooleanField(label="Shared with the customer", required=False)

    @staticmethod
    def of(ticket: Ticket) -> "EditForm":
        """Filled with what the ticket says now."""
        names = ("version", "title", "description", "outcome", "priority", "due_at", "time_limit", "shared")
        return EditForm(initial={name: getattr(ticket, name) for name in names})


class PriorityForm(VersionForm):
    """The one control of the panel."""

    priority = forms.ChoiceField(choices=priority_choices)


class DueForm(VersionForm):
    """The one control of the panel."""

    due_at = DueField()


class LimitForm(VersionForm):
    """The one control of the panel."""

    time_limit = LimitField()


class SharedForm(VersionForm):
    """The one control of the panel."""

    shared = forms.BooleanField(label="Shared with the customer", required=False)


PARTS: dict[str, type[VersionForm]] = {
    "priority": PriorityForm, "due_at": DueForm, "time_limit": LimitForm, "shared": SharedForm,
}  # fmt: skip


STILL_OPEN = ("", "Still open: nobody knows yet")
RESULTS = [
    (Disposition.CONFIRMED.value, "Confirmed: it is as supposed"),
    (Disposition.RULED_OUT.value, "Ruled out: it was looked at, and it is not so"),
    (Disposition.DEAD_END.value, "Dead end: it cannot be found out"),
    (Disposition.PARKED.value, "Parked: not now, for the reason below"),
]
REASON_LABEL, REASON_HELP = "Why", "Needed when it is parked: and what would take it up again."


def result_field() -> forms.ChoiceField:
    """The result of a lead as a choice in plain words."""
    return forms.ChoiceField(
        label="Result of the lead", required=False, choices=[STILL_OPEN, *RESULTS], widget=forms.RadioSelect
    )


class AssignForm(VersionForm):
    """Who does it."""

    assignee = PersonField()

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _offer(self, "assignee", incident)


class StatusForm(VersionForm):
    """What is happening to it, and what must be said with that."""

    status = forms.ChoiceField(choices=[])
    outcome = MultilineText(
        label="What came out", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Asked when it is done.",
    )  # fmt: skip
    disposition = result_field()
    disposition_reason = VisibleText(label=REASON_LABEL, required=False, max_length=300, help_text=REASON_HELP)
    waiting_for = VisibleText(label="Waiting for", required=False, max_length=80)
    reason = VisibleText(label="Why it is dropped", required=False, max_length=300)

    def __init__(self, *args: Any, ticket: Ticket, to: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known: dict[str, TicketStatus] = {one.code: one for one in statuses(keep=ticket.status)}
        status = self.fields["status"]
        assert isinstance(status, forms.ChoiceField)  # noqa: S101 (says its type)
        status.choices = [(one.code, one.name) for one in self.known.values()]
        if to in self.known:
            for name in EXTRAS - ASKED.get(self.known[to].category, set()):
                self.fields[name].widget = forms.HiddenInput()
            if self.known[to].category == Category.DONE:
                self.fields["disposition"] = result_field()
                self.fields["disposition"].choices = RESULTS  # type: ignore[attr-defined]
        if not ticket.lead:
            del self.fields["disposition"], self.fields["disposition_reason"]


EXTRAS = {"outcome", "disposition", "disposition_reason", "waiting_for", "reason"}
ASKED: dict[str, set[str]] = {  # with which category which of them is asked for
    Category.DONE: {"outcome", "disposition", "disposition_reason"},
    Category.BLOCKED: {"waiting_for"},
    Category.DROPPED: {"reason"},
}


class ReasonForm(forms.Form):
    """Why something is dropped."""

    reason = VisibleText(
        label="Why it is dropped", max_length=300, widget=forms.TextInput(attrs={"autofocus": True}),
        help_text="Stands at every ticket that is dropped now.",
    )  # fmt: skip
