"""The map of an incident's tickets: the tree drawn as boxes."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from core import htmx
from core.access import guarded
from incidents.models import Incident
from incidents.queries.incidents import fetched_tag, tagged
from people.requests import UserRequest
from tickets.map import svg
from tickets.models import Ticket
from tickets.queries import frame as frames
from tickets.queries.map import drawing
from tickets.queries.outline import branch_of, outline
from tickets.views import answers

LEVELS = {"1": 1, "2": 2, "3": 3, "all": 0}


@require_safe
@guarded(Incident, "view", along=tagged())
def tree_map(request: UserRequest, incident: Incident) -> HttpResponse:
    """The drawing; `?levels=` says how deep, `?branch=` of which ticket alone. With htmx what is polled of it."""
    if htmx.is_htmx(request):
        tag = fetched_tag(incident)
        if unchanged := htmx.not_modified(request, tag):
            return unchanged
        context = {**_context(request, incident), "tag": tag, "alone": True}
        response = htmx.render(request, "tickets/_map.html", context)
        response["HX-PTag"] = tag
        return response
    frame = frames.frame(incident)  # before the rows: a tag is never newer than what it stands for
    context = _context(request, incident) | {"team": frame.team, "tag": frame.tag}
    return htmx.render(request, "tickets/map.html", context)


def _branch(request: HttpRequest, incident: Incident) -> Ticket | None:
    """The ticket whose branch is drawn alone; 404 where there is none of that number."""
    number = request.GET.get("branch", "")
    if not number:
        return None
    found = branch_of(incident, int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else None
    if found is None:
        raise Http404
    return found


def _context(request: UserRequest, incident: Incident) -> dict[str, Any]:
    branch = _branch(request, incident)
    asked = request.GET.get("levels", "")
    asked = asked if asked in LEVELS else ""
    found = outline(incident, user_id=request.user.pk, branch=branch)
    drawn = drawing(found, incident, levels=LEVELS.get(asked, 0), branch=branch)
    here, base = answers.url("map", incident), answers.url("tree", incident).removesuffix("tree/") + "tickets/"
    said = {"levels": asked, "branch": str(branch.number) if branch else ""}
    label = f"Map of the tickets {f'below #{branch.number}' if branch else f'of {incident.number}'}"
    return {
        "incident": incident, "tab": "tree", "outline": found, "drawn": drawn, "branch": branch,
        "levels": asked or "all", "level_names": LEVELS,
        "map": svg(drawn.root, drawn.boxes, label=label, base=base, here=here), "base": base,
        "query": urlencode({name: value for name, value in said.items() if value}),
        "can_work": "work" in request.permissions and incident.is_open,
    }  # fmt: skip
