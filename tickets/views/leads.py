"""The leads of an incident: the list with lineage, and how many were opened and disposed on each day."""

from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from core import htmx
from core.access import guarded
from incidents.models import Incident
from incidents.queries.incidents import fetched_tag, tagged
from people.requests import UserRequest
from tickets.burndown import chart
from tickets.queries import frame as frames
from tickets.queries.leads import leads as leads_of


@require_safe
@guarded(Incident, "view", along=tagged())
def leads(request: UserRequest, incident: Incident) -> HttpResponse:
    """All leads, `?show=` some of them; with htmx the list alone, polled, with the chart beside it."""
    if htmx.is_htmx(request):
        tag = fetched_tag(incident)
        if same := htmx.not_modified(request, tag):
            return same
        frame: dict[str, Any] = {"tag": tag, "alone": True}
    else:
        whole = frames.frame(incident)
        frame = {"team": whole.team, "tag": whole.tag}
    found = leads_of(incident, user_id=request.user.pk, show=request.GET.get("show", ""))
    context = {
        "incident": incident, "tab": "leads", "leads": found, "chart": chart(found.days),
        "can_work": "work" in request.permissions and incident.is_open, **frame,
    }  # fmt: skip
    response = htmx.render(request, "tickets/leads.html", context, fragment="tickets/_leads.html")
    if htmx.is_htmx(request):
        response["HX-PTag"] = frame["tag"]
    return response
