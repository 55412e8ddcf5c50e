"""The tree of an incident: its page, the rows that it polls, and what is next."""

from dataclasses import replace

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from core import htmx
from core.access import guarded
from core.markdown import plain
from incidents.models import Incident
from incidents.queries.incidents import fetched_tag, tagged
from people.requests import UserRequest
from tickets.forms.looks import Asked
from tickets.models import Ticket
from tickets.queries import frame as frames
from tickets.queries.next import KINDS, next_tickets
from tickets.queries.outline import path_to
from tickets.views import answers


@require_safe
@guarded(Incident, "view")
def tree(request: UserRequest, incident: Incident) -> HttpResponse:
    """The outline; `?show=` `?q=` filter it, `?levels=` `?view=manager` fold it, `?ticket=` opens one beside it."""
    frame = frames.frame(incident, request.user)  # before the rows: a tag is never newer than what it stands for
    asked = replace(Asked.of(request.GET), branch=None)
    context = answers.tree_context(request, incident, asked, frame.look) | {"team": frame.team, "tag": frame.tag}
    if context["selected"]:
        ticket = Ticket.objects.filter(incident=incident, number=context["selected"], parent__isnull=False).first()
        if ticket is not None:
            ticket.incident = incident
            context |= answers.ticket_context(request, ticket)
    return htmx.render(request, "tickets/tree.html", context)


@require_safe
@guarded(Ticket, "view")
def subtree(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """The outline of one branch, with how it stands and the path to it; filtered and folded as the whole tree."""
    incident = ticket.incident
    frame = frames.frame(incident, request.user)
    asked = Asked.of(request.GET, branch=ticket.number)
    context = answers.tree_context(request, incident, asked, frame.look, branch=ticket)
    *above, top = path_to(ticket)
    context |= {"team": frame.team, "tag": frame.tag, "above": above, "top": top, "excerpt": plain(top.description)}
    return htmx.render(request, "tickets/subtree.html", context)


@require_safe
@guarded(Incident, "view", along=tagged())
def rows(request: UserRequest, incident: Incident) -> HttpResponse:
    """The polled rows; 304 while nothing in the incident changed."""
    return htmx.not_modified(request, fetched_tag(incident)) or answers.rows(request, incident)


@require_safe
@guarded(Incident, "view", along=tagged())
def next_up(request: UserRequest, incident: Incident) -> HttpResponse:
    """The card of the overview: what is due next, mine, or nobody's (`?show=`)."""
    show = request.GET.get("show", "")
    show = show if show in KINDS else "due"
    tag = f"{fetched_tag(incident)}-{show}"
    unchanged = htmx.not_modified(request, tag)
    if unchanged:
        return unchanged
    context = {"incident": incident, "tag": tag, "show": show, "kinds": KINDS}
    context["rows"] = next_tickets(incident, request.user, show=show)
    response = htmx.render(request, "tickets/_next.html", context)
    response["HX-PTag"] = tag
    return response
