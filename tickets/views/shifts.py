"""Shift handovers of an incident: the list, writing one, reading one."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from core import htmx, markdown
from core.access import guarded
from core.lists import listing
from incidents.models import Incident
from people.requests import UserRequest
from people.views.drafts import drafted
from tickets.actions import shifts as actions
from tickets.forms.shifts import ShiftForm
from tickets.models import ShiftHandover
from tickets.queries import shifts as queries
from tickets.queries.frame import frame
from tickets.views import answers


def _page(
    request: UserRequest, incident: Incident, name: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    around = frame(incident)
    context |= {"incident": incident, "tab": "log", "team": around.team, "tag": around.tag}
    return htmx.render(request, f"tickets/shifts/{name}.html", context, status=status)


@require_safe
@guarded(Incident, "view")
def shifts(request: UserRequest, incident: Incident) -> HttpResponse:
    """Those that were written, newest first."""
    rows = ShiftHandover.objects.filter(incident=incident).select_related("author").defer("body", "body_html")
    may_write = "work" in request.permissions and incident.is_open
    return _page(request, incident, "list", {"listing": listing(request, rows), "may_write": may_write})


@require_safe
@guarded(ShiftHandover, "view")
def shift(request: UserRequest, shift: ShiftHandover) -> HttpResponse:
    """One of them, as it was written."""
    return _page(request, shift.incident, "shift", {"shift": shift})


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "work")
@drafted("watch")
def write_shift(request: UserRequest, incident: Incident) -> HttpResponse:
    """The draft with what its author adds; shown again as it would be kept until it is saved."""
    last = queries.last_shift(incident)
    form = ShiftForm(request.POST if request.method == "POST" else None, last=last)
    valid = form.is_valid() if form.is_bound else True
    since, watch = form.moment(), form.cleaned_data.get("watch", "") if form.is_bound else ""
    body = queries.written(queries.draft(incident, since), watch)
    if form.is_bound and valid and "preview" not in request.POST:
        kept: list[ShiftHandover] = []
        if not answers.refused(
            form,
            lambda: kept.append(
                actions.write_shift(actor=request.user, incident=incident, since=since, body=body, watch=watch)
            ),
        ):
            htmx.toast(request, "Written. Nobody can change it any more.")
            return redirect(answers.url("shift", incident, shift=kept[0].pk))
    shown = ShiftHandover(body=body, body_html=markdown.stored(body))
    status = 422 if form.is_bound and form.errors else 200
    return _page(request, incident, "write", {"form": form, "shown": shown}, status=status)
