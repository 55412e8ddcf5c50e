"""The tree of an incident: its page, the rows that it polls, and what is next."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from core import htmx
from core.access import guarded
from incidents.models import Incident
from incidents.queries.incidents import tag_of
from people.requests import UserRequest
from tickets.models import Ticket
from tickets.queries import frame as frames
from tickets.queries.next import KINDS, next_tickets
from tickets.views import answers


@require_safe
@guarded(Incident, "view")
def tree(request: UserRequest, incident: Incident) -> HttpResponse:
    """The outline; `?show=` `?q=` `?levels=` filter it, `?ticket=` opens one beside it."""
    frame = frames.frame(incident)  # before the rows: a tag must never be newer than what it stands for
    context = {**answers.tree_context(request, incident, request.GET), "team": frame.team, "tag": frame.tag}
    if context["selected"]:
        ticket = Ticket.objects.filter(incident=incident, number=context["selected"], parent__isnull=False).first()
        if ticket is not None:
            ticket.incident = incident
            context |= answers.ticket_context(request, ticket)
    return htmx.render(request, "tickets/tree.html", context)


@require_safe
@guarded(Incident, "view")
def rows(request: UserRequest, incident: Incident) -> HttpResponse:
    """The polled rows; 304 while nothing in the incident changed."""
    return htmx.not_modified(request, tag_of(incident)) or answers.rows(request, incident)


@require_safe
@guarded(Incident, "view")
def next_up(request: UserRequest, incident: Incident) -> HttpResponse:
    """The card of the overview: what is due next, mine, or nobody's (`?show=`)."""
    show = request.GET.get("show", "")
    show = show if show in KINDS else "due"
    tag = f"{tag_of(incident)}-{show}"
    unchanged = htmx.not_modified(request, tag)
    if unchanged:
        return unchanged
    frames.reread(incident)
    context = {"incident": incident, "tag": tag, "show": show, "kinds": KINDS}
    context["rows"] = next_tickets(incident, request.user, show=show)
    response = htmx.render(request, "tickets/_next.html", context)
    response["HX-PTag"] = tag
    return response
