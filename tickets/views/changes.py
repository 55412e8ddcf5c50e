"""Small changes of one ticket: who does it, what is happening to it, whether it is a lead."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from core.access import guarded
from core.models.versions import Conflict
from people.models import User
from people.requests import UserRequest
from tickets.actions import leads
from tickets.actions import tickets as actions
from tickets.forms.leads import LeadForm
from tickets.forms.tickets import AssignForm, StatusForm, VersionForm
from tickets.models import ENDED, Category, Disposition, Ticket
from tickets.queries.leads import possible_origins
from tickets.queries.panel import open_below, still_waits_for
from tickets.views import answers

Act = Callable[..., Ticket]


def _change(
    request: UserRequest, ticket: Ticket, form: VersionForm, *, name: str, act: Act, text: Callable[[Ticket], str]
) -> HttpResponse:
    """Run the action with the form's fields; refusals show the form again, a stale version both opinions."""
    done: list[Ticket] = []
    status = 422
    try:
        if form.is_valid() and not answers.refused(
            form, lambda: done.append(act(actor=request.user, ticket=ticket, **form.cleaned_data))
        ):
            return answers.saved(request, done[0], text(done[0]))
    except Conflict as conflict:
        status, ticket = 409, conflict.theirs
        answers.renew(form, ticket)
    context = {"form": form, "ticket": ticket, "is_stale": status == 409}
    return answers.page(request, ticket.incident, name, context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def assign(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Give it to somebody who works on this incident, or to nobody."""
    if request.method != "POST":
        first = {"assignee": ticket.assignee_id, "version": ticket.version}
        return answers.page(
            request, ticket.incident, "assign",
            {"form": AssignForm(initial=first, incident=ticket.incident), "ticket": ticket},
        )  # fmt: skip
    form = AssignForm(request.POST, incident=ticket.incident)
    return _change(request, ticket, form, name="assign", act=actions.assign_ticket, text=_assigned)


def _assigned(ticket: Ticket) -> str:
    return f"#{ticket.number} given to {ticket.assignee}." if ticket.assignee else f"#{ticket.number} has nobody now."


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def status(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Say what is happening to it. The quick control sends only the status, and is asked for what goes with it."""
    if request.method != "POST":
        names = ("version", "status", "outcome", "disposition", "disposition_reason", "waiting_for")
        to = request.GET.get("to", "")
        form = StatusForm(ticket=ticket)
        form.initial = {name: getattr(ticket, name) for name in names} | ({"status": to} if to in form.known else {})
        return _status_page(request, ticket, form)
    to = request.POST.get("status", "")
    form = StatusForm(request.POST, ticket=ticket)
    asks = to in form.known and form.known[to].category in (*ENDED, Category.BLOCKED)
    if "quick" in request.POST and to != ticket.status and asks:
        first = {name: getattr(ticket, name) for name in ("outcome", "disposition", "disposition_reason")}
        first |= {"version": request.POST.get("version"), "status": to}
        return _status_page(request, ticket, StatusForm(initial=first, ticket=ticket, to=to), status=422)
    return _change(request, ticket, form, name="status", act=actions.set_status, text=_status_set)


def _status_set(ticket: Ticket) -> str:
    words = f"#{ticket.number} is {ticket.status_words.lower()}."
    waits = still_waits_for(ticket) if ticket.category == Category.DOING else []
    if waits:
        return f"{words} It waits for {' and '.join(f'#{number}' for number in waits[:3])}, not ended yet."
    below = open_below(ticket) if ticket.is_ended else 0
    if not below:
        return words
    return f"{words} {below} ticket{'s' if below > 1 else ''} below {'are' if below > 1 else 'is'} still open."


def _status_page(request: UserRequest, ticket: Ticket, form: StatusForm, status: int = 200) -> HttpResponse:
    """The form, with a word about what would stay open below the ticket."""
    context = {"form": form, "ticket": ticket, "below": 0 if ticket.is_ended else open_below(ticket)}
    context["waits"] = [] if ticket.is_ended else still_waits_for(ticket)
    return answers.page(request, ticket.incident, "status", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def lead(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Make it a lead, say what it supposes and where it came from, or write its result."""
    if request.method != "POST":
        context = {"form": LeadForm.of(ticket), "ticket": ticket, "origins": possible_origins(ticket)}
        return answers.page(request, ticket.incident, "lead", context)
    return _change(request, ticket, LeadForm(request.POST), name="lead", act=_mark, text=_lead_set)


def _mark(*, actor: User, ticket: Ticket, version: int, lead: bool, disposition: str, **fields: Any) -> Ticket:
    return leads.mark_lead(actor=actor, ticket=ticket, lead=lead, disposition=disposition, version=version, **fields)


def _lead_set(ticket: Ticket) -> str:
    if not ticket.lead:
        return f"#{ticket.number} is no lead."
    words = Disposition(ticket.disposition).label.lower() if ticket.disposition else "to be investigated"
    return f"#{ticket.number} is a lead: {words}."
