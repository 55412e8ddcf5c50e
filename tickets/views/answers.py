"""How changes of tickets are answered: to a browser, to a dialog, to the panel beside the tree, to the rows."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils import timezone

from core import htmx, requests
from core.models import JournalEntry
from incidents.models import Incident, Look
from incidents.queries.incidents import tag_of
from people.requests import UserRequest
from tickets.actions.undo import UNDO
from tickets.forms.attachments import AttachForm
from tickets.forms.comments import CommentForm
from tickets.forms.looks import MANAGER_LEVELS, Asked
from tickets.models import Ticket
from tickets.queries import frame as frames
from tickets.queries import outline as outlines
from tickets.queries import panel as panels
from tickets.queries.handovers import offer_of
from tickets.queries.people import workers
from tickets.queries.vocabulary import priorities, statuses
from tickets.rows import ALL_LEVELS, folding, rows_html, shown_rows

LEVELS = {"1": 1, "2": 2, "3": 3, "all": ALL_LEVELS}
BRANCH = re.compile(r"/tickets/([1-9][0-9]{0,8})/tree/\Z", re.ASCII)
MOST_QUERY = 2000
LEVEL_NAMES = {depth: name for name, depth in LEVELS.items()}


def url(name: str, incident: Incident, **parts: Any) -> str:
    """The address of one of this room's pages."""
    return reverse(f"tickets:{name}", kwargs={"number": incident.number, **parts})


def refused(form: forms.Form, act: Callable[[], object]) -> bool:
    """Run an action; whether it refused, with its words as errors of the form."""
    try:
        act()
    except ValidationError as error:
        known = {name: words for name, words in getattr(error, "error_dict", {}).items() if name in form.fields}
        if known:
            form.add_error(None, ValidationError(known))
        else:
            form.add_error(None, ValidationError(error.messages))
        return True
    return False


def renew(form: forms.Form, ticket: Ticket) -> None:
    """After a conflict: the same form again, now knowing the version that its reader sees."""
    data = QueryDict(mutable=True)
    data.update({name: form.data.get(name, "") for name in form.fields if name in form.data})
    data["version"] = str(ticket.version)
    form.data = data


def page(
    request: UserRequest, incident: Incident, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A form: alone for the dialog, or on a page of the incident.

    `name` is of templates/tickets/_<name>.html, or the whole path of another room's.
    """
    fragment = name if "/" in name else f"tickets/_{name}.html"
    context = {"incident": incident, "tab": "tree", "fragment": fragment, **context}
    if not htmx.is_htmx(request):
        frame = frames.frame(incident)
        context |= {"team": frame.team, "tag": frame.tag}
    return htmx.render(request, "tickets/page.html", context, fragment=fragment, status=status)


def saved(request: UserRequest, ticket: Ticket, text: str) -> HttpResponse:
    """After a change of a ticket: say so with Undo where there is one, and show what is different."""
    if text:
        htmx.toast(request, text, undo=undo_url(request, ticket))
    if not htmx.is_htmx(request):
        return HttpResponseRedirect(htmx.safe_next(request, ticket.get_absolute_url()))
    target = request.headers.get("HX-Target", "")
    if "tree-rows" in target:
        return rows(request, ticket.incident, toasts=True)
    if target.endswith("#ticket"):
        return panel(request, ticket, toasts=True)
    return htmx.render(request, "components/toasts.html")


def undo_url(request: UserRequest, ticket: Ticket) -> str:
    """Where to take back what this very request did to the ticket; empty if nothing can be."""
    entry = _made(request, panels.entries_of(ticket).filter(verb__in=UNDO))
    return url("undo", ticket.incident, ticket=ticket.number, entry=entry.seq) if entry else ""


def undo_all_url(request: UserRequest, incident: Incident) -> str:
    """Where to take back that this very request dropped all that was open; empty if it dropped nothing."""
    dropped = JournalEntry.objects.filter(stream=incident.journal_stream, verb="ticket.all_dropped")
    entry = _made(request, dropped.order_by("-seq"))
    return url("undo_drop_all", incident, entry=entry.seq) if entry else ""


def _made(request: UserRequest, entries: QuerySet[JournalEntry]) -> JournalEntry | None:
    """The newest of these entries that this very request wrote."""
    this = requests.current.get().id
    return entries.filter(request_id=this, actor_id=request.user.pk).first() if this else None


def panel(request: UserRequest, ticket: Ticket, *, toasts: bool = False) -> HttpResponse:
    """The ticket as fragment (panel beside the tree, dialog, or the middle of its page)."""
    tag = tag_of(ticket.incident)
    context = {**ticket_context(request, ticket), "tag": tag, "toasts": toasts}
    response = htmx.render(request, "tickets/_ticket.html", context)
    response["HX-PTag"] = tag
    return response


def ticket_context(request: UserRequest, ticket: Ticket) -> dict[str, Any]:
    """All that tickets/_ticket.html shows, with the people to choose from where the reader may work."""
    incident, can_work = ticket.incident, "work" in request.permissions and ticket.incident.is_open
    ticket = panels.full(ticket)
    ticket.incident = incident
    return {
        "incident": incident, "ticket": ticket, "panel": panels.panel(ticket, request.user), "can_work": can_work,
        "people": list(workers(incident)) if can_work else [],
        "priorities": priorities(ticket.priority) if can_work else [],
        "statuses": statuses(ticket.status) if can_work else [],
        "comment_form": CommentForm(), "attach_form": AttachForm(), "handover": offer_of(ticket),
    }  # fmt: skip


def tree_context(
    request: UserRequest, incident: Incident, asked: Asked, look: Look, *, branch: Ticket | None = None
) -> dict[str, Any]:
    """Rows and toolbar of the tree as its reader keeps it, or as its address wants it; only of `branch`, if given."""
    found = outlines.outline(
        incident, user_id=request.user.pk, show=asked.show, text=asked.text, since=look.new_after(timezone.now()),
        branch=branch,
    )  # fmt: skip
    levels, flipped = (look.levels, look.flipped) if asked.is_own else (asked.levels, asked.flip)
    folds = folding(found, levels=levels, flipped=flipped, selected=asked.ticket)
    can_work = "work" in request.permissions and incident.is_open
    base = url("tree", incident).removesuffix("tree/") + "tickets/"
    lines = shown_rows(folds)
    return {
        "incident": incident, "tab": "tree", "outline": found, "asked": asked, "query": asked.query(), "branch": branch,
        "rows": rows_html(folds, lines, base=base, selected=asked.ticket, can_work=can_work),
        "left_out": len(found.rows) - len(lines) if found.is_big else 0,
        "levels": LEVEL_NAMES.get(folds.levels, ""), "level_names": LEVELS, "selected": asked.ticket,
        "can_work": can_work, "is_manager": asked.is_manager or folds.levels == MANAGER_LEVELS,
    }  # fmt: skip


def rows(request: UserRequest, incident: Incident, *, toasts: bool = False) -> HttpResponse:
    """The body of the tree's table as fragment, as the page that asks shows it (its own query string)."""
    tag, look = frames.pulse(incident, request.user)
    asked = Asked.of(request.GET)
    if request.method == "POST":  # a drag: the rows as the page's address has them
        path, _, query = request.headers.get("HX-Current-URL", "").partition("?")
        place = BRANCH.search(path)
        asked = Asked.of(QueryDict(query[:MOST_QUERY]), branch=int(place[1]) if place else None)
    branch = outlines.branch_of(incident, asked.branch) if asked.branch else None
    if asked.branch and branch is None:
        raise Http404
    context = tree_context(request, incident, asked, look, branch=branch)
    response = htmx.render(request, "tickets/_rows.html", {**context, "tag": tag, "toasts": toasts, "alone": True})
    response["HX-PTag"] = tag
    return response
