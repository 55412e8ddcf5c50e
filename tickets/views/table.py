"""The tickets of an incident as a table: sorted, filtered, ticked for a change of several, taken as a file."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, QueryDict, StreamingHttpResponse
from django.views.decorators.http import require_safe

from core import htmx
from core.access import guarded
from core.lists import listing
from core.requests import takes_bytes
from incidents.models import Incident
from incidents.queries.incidents import fetched_tag, tagged
from people.requests import UserRequest
from tickets.actions.table import note_table_export
from tickets.queries import frame as frames
from tickets.queries import table as queries
from tickets.queries.table_file import csv_rows

SIZE = 100
COLUMNS = [
    ("tree", "#"), ("title", "Ticket"), ("status", "Status"), ("priority", "Priority"), ("assignee", "Assignee"),
    ("clock", "Clock"), ("lead", "Lead"), ("tags", "Tags"), ("spent", "Time"), ("updated", "Changed"),
]  # fmt: skip
DOWN_FIRST = {"priority", "spent", "updated"}


@require_safe
@guarded(Incident, "view", along=tagged())
def table(request: UserRequest, incident: Incident) -> HttpResponse:
    """`?sort=-clock`, filters by name, `?page=`; `?checked=page` ticks all that the page shows."""
    unchanged = htmx.is_htmx(request) and htmx.not_modified(request, fetched_tag(incident))
    if unchanged:
        return unchanged
    frame = frames.frame(incident)  # before the rows: a tag is never newer than what it stands for
    found = queries.table(incident, request.GET)
    query = request.GET.copy()
    for name in ("page", "checked"):
        query.pop(name, None)
    context = {
        "incident": incident, "tab": "tree", "team": frame.team, "tag": frame.tag, "table": found,
        "listing": listing(request, found.rows, size=SIZE),  # type: ignore[arg-type]  # a list is paged as well
        "columns": _columns(query, found.sort), "query": query.urlencode(),
        "asked": [(name, query[name]) for name in queries.PARAMETERS if query.get(name)],
        "is_checked": request.GET.get("checked") == "page",
        "refused": [name[:40] if name.isprintable() else "?" for name in found.refused],
        "can_work": "work" in request.permissions and incident.is_open, "may_export": _may_export(request),
    }  # fmt: skip
    response = htmx.render(request, "tickets/table.html", context, fragment="tickets/_table.html")
    response["HX-PTag"] = frame.tag
    return response


def _may_export(request: UserRequest) -> bool:
    return "work" in request.permissions or "audit" in request.user.rights


def _columns(query: QueryDict, sort: str) -> list[dict[str, Any]]:
    """Key, name, and where a click on the head leads: the same column the other way round, or another one."""
    columns = []
    for key, name in COLUMNS:
        now = sort.removeprefix("-") == key
        down = (not sort.startswith("-")) if now else key in DOWN_FIRST
        asked = query.copy()
        asked["sort"] = f"-{key}" if down else key
        order = ("descending" if sort.startswith("-") else "ascending") if now else ""
        columns.append({"key": key, "name": name, "url": f"?{asked.urlencode()}", "order": order})
    return columns


@require_safe
@guarded(Incident, "view")
def table_csv(request: UserRequest, incident: Incident) -> StreamingHttpResponse:
    """All rows that the table finds as a file; taking it is an entry of its own. For who works here, and auditors."""
    if not _may_export(request):
        raise PermissionDenied
    found = queries.table(incident, request.GET)
    if takes_bytes(request):
        note_table_export(actor=request.user, incident=incident, rows=len(found.rows), asked=request.GET.urlencode())
    return StreamingHttpResponse(
        csv_rows(found.rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{incident.number}-tickets.csv"'},
    )
