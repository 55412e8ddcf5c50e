"""The audit page, its file, and the work log."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from core.access import guarded
from core.htmx import render
from core.lists import listing
from core.requests import takes_bytes
from incidents.actions.exports import note_journal_export
from incidents.models import Incident
from incidents.queries import journal as queries
from incidents.queries.exports import csv_rows
from incidents.queries.incidents import head
from people.requests import UserRequest


def _may_export(request: UserRequest) -> bool:
    return "work" in request.permissions or "audit" in request.user.rights


@require_safe
@guarded(Incident, "view")
def audit(request: UserRequest, incident: Incident) -> HttpResponse:
    """Every entry, as it is sealed, newest first."""
    entries = queries.of_incident(incident, request.user)
    asked = queries.audit_filter(entries, request.GET)
    found = listing(request, asked.rows(entries))
    context = {
        **head(incident, "audit"), "listing": found, "lines": queries.lines(found.rows, request.user), "asked": asked,
        "refused": [name[:40] if name.isprintable() else "?" for name in asked.refused],
        "may_export": _may_export(request),
    }  # fmt: skip
    return render(request, "incidents/audit.html", context)


@require_safe
@guarded(Incident, "view")
def audit_csv(request: UserRequest, incident: Incident) -> StreamingHttpResponse:
    """The same entries as a file; taking it is an entry of its own. For who works the incident, and auditors."""
    if not _may_export(request):
        raise PermissionDenied
    entries = queries.of_incident(incident, request.user)
    asked = queries.audit_filter(entries, request.GET)
    entries = asked.rows(entries)
    newest = entries.values_list("pk", flat=True).first() or 0
    entries = entries.filter(pk__lte=newest)
    if takes_bytes(request):
        note_journal_export(
            actor=request.user, incident=incident, rows=entries.count(), verb=asked.verb, who=asked.actor
        )
    return StreamingHttpResponse(
        csv_rows(entries, request.user),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{incident.number}-journal.csv"'},
    )


@require_safe
@guarded(Incident, "view")
def log(request: UserRequest, incident: Incident) -> HttpResponse:
    """What have we done, and what came out?"""
    found = listing(request, queries.work_of(incident, request.user))
    context = {**head(incident, "log"), "listing": found, "lines": queries.lines(found.rows, request.user)}
    return render(request, "incidents/log.html", context)
