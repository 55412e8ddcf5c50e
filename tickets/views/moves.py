"""Moving branches, and dropping them."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from core import htmx
from core.access import guarded
from core.models.versions import Conflict
from incidents.models import Incident
from people.requests import UserRequest
from tickets.actions import tickets as actions
from tickets.forms.moves import DropForm, MoveForm
from tickets.forms.tickets import ReasonForm, VersionForm
from tickets.models import Ticket
from tickets.queries.places import beside, parent_of, parents
from tickets.views import answers


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def move(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Put a branch elsewhere: by the form (parent and place), or as a drag says it (parent, before or after)."""
    if request.method != "POST":
        above = ticket.parent if ticket.parent and ticket.parent.parent_id else None
        first = {"version": ticket.version, "parent": f"#{above.number} {above.title}" if above else ""}
        return _move_page(request, ticket, MoveForm(initial=first, beside=beside(ticket)))
    form: VersionForm = DropForm(request.POST)
    if "place" in request.POST:
        form = MoveForm(request.POST, beside=beside(ticket))
    done: list[Ticket] = []
    status = 422
    try:
        if form.is_valid() and not answers.refused(form, lambda: done.append(_moved(request, ticket, form))):
            same = done[0].version == ticket.version
            return answers.saved(request, done[0], f"#{ticket.number} {'stays there' if same else 'moved'}.")
    except Conflict as conflict:
        status, ticket = 409, conflict.theirs
        answers.renew(form, ticket)
    if isinstance(form, DropForm):
        form = _as_form(ticket, form)
    return _move_page(request, ticket, form, status=status)


def _moved(request: UserRequest, ticket: Ticket, form: VersionForm) -> Ticket:
    data: dict[str, Any] = dict(form.cleaned_data)
    if isinstance(form, MoveForm):
        data |= data.pop("place")
        if data.get("before"):
            data["parent"] = parent_of(ticket.incident, data["before"])
    elif data["before"] or data["after"]:
        data["parent"] = parent_of(ticket.incident, data["before"] or data["after"])
    return actions.move_ticket(actor=request.user, ticket=ticket, **data)


def _as_form(ticket: Ticket, drag: VersionForm) -> MoveForm:
    """The form for what a drag wanted, with what was wrong with it."""
    wanted = {name: _number(drag.data.get(name, "")) for name in ("parent", "before", "after")}
    beside_of = wanted["before"] or wanted["after"]
    parent = parent_of(ticket.incident, beside_of) if beside_of else wanted["parent"]
    place = f"before-{wanted['before']}" if wanted["before"] else "last"
    form = MoveForm(
        {"version": ticket.version, "parent": str(parent or ""), "place": place}, beside=beside(ticket, parent or 0)
    )
    for words in drag.errors.values():
        form.add_error(None, [*words])
    return form


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _move_page(request: UserRequest, ticket: Ticket, form: VersionForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "ticket": ticket, "parents": parents(ticket), "is_stale": status == 409}
    return answers.page(request, ticket.incident, "move", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "lead")
def drop(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Drop a ticket and all that is open below it, with a reason."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    counts: list[int] = []
    if form.is_valid() and not answers.refused(
        form,
        lambda: counts.append(
            actions.drop_branch(actor=request.user, ticket=ticket, reason=form.cleaned_data["reason"])
        ),
    ):
        return answers.saved(request, ticket, _dropped(counts[0]))
    context = {"form": form, "ticket": ticket, "below": ticket.get_descendant_count()}
    return answers.page(request, ticket.incident, "drop", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "lead")
def drop_all(request: UserRequest, incident: Incident) -> HttpResponse:
    """Drop everything that is still open, as closing the incident asks for."""
    form = ReasonForm(request.POST if request.method == "POST" else None)
    counts: list[int] = []
    if form.is_valid() and not answers.refused(
        form,
        lambda: counts.append(
            actions.drop_open_tickets(actor=request.user, incident=incident, reason=form.cleaned_data["reason"])
        ),
    ):
        htmx.toast(request, _dropped(counts[0]), undo=answers.undo_all_url(request, incident))
        if htmx.is_htmx(request):
            return htmx.render(request, "components/toasts.html")
        return redirect(htmx.safe_next(request, answers.url("tree", incident)))
    context = {"form": form, "ticket": None}
    return answers.page(request, incident, "drop", context, status=422 if form.is_bound else 200)


def _dropped(count: int) -> str:
    return "1 ticket dropped." if count == 1 else f"{count} tickets dropped."
