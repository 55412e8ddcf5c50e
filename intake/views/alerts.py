"""Triage: the list of alerts, one alert, and what is done with it."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from core.access import guarded, open_to
from core.htmx import done, render, toast
from core.lists import listing
from incidents.models import Incident
from intake.actions import triage
from intake.forms.alerts import AlertFilter, DismissForm, JoinForm, PromoteForm, PutBackForm
from intake.models import Alert
from intake.queries.alerts import alerts_for, alike, facts, tally
from people.requests import UserRequest

SHOWN_VERSIONS = 10


@require_safe
@open_to("team")
def alerts(request: UserRequest) -> HttpResponse:
    """Alerts to triage, worst first."""
    form = AlertFilter(request.GET)
    wanted: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    rows = listing(request, alerts_for(request.user, **wanted))
    counts = alike(request.user, rows.rows)
    context = {
        "filter": form,
        "alerts": rows,
        "pairs": [(row, counts.get(row.group_key, 0)) for row in rows.rows],
        "tally": tally(request.user),
        "state": wanted.get("state", ""),
    }
    return render(request, "intake/alerts/list.html", context)


def _page(request: UserRequest, alert: Alert, *, status: int = 200, **bound: forms.Form) -> HttpResponse:
    same = alike(request.user, [alert]).get(alert.group_key, 0)
    context = {
        "alert": alert,
        "facts": facts(alert),
        "same": same,
        "versions": alert.versions.select_related("raw", "job").order_by("-pk")[:SHOWN_VERSIONS],
        "promote": bound.get("promote") or PromoteForm(auto_id="promote_%s"),
        "join": bound.get("join") or JoinForm(auto_id="join_%s"),
        "dismiss": bound.get("dismiss") or DismissForm(auto_id="dismiss_%s"),
    }
    return render(request, "intake/alerts/detail.html", context, status=status)


@require_safe
@guarded(Alert, "view")
def alert(request: UserRequest, alert: Alert) -> HttpResponse:
    """One alert: what it says, and its raw payload."""
    return _page(request, alert)


@require_POST
@guarded(Alert, "work")
def promote(request: UserRequest, alert: Alert) -> HttpResponse:
    """Open an incident from it."""
    form = PromoteForm(request.POST, auto_id="promote_%s")
    form.is_valid()
    try:
        incident = triage.promote_alert(actor=request.user, alert=alert, alike=form.cleaned_data.get("alike", False))
    except ValidationError as refused:
        form.add_error(None, refused)
        return _page(request, alert, status=409, promote=form)
    toast(request, f"{incident.number} is open, and you command it.")
    return done(request, incident.get_absolute_url())


@require_POST
@guarded(Alert, "work")
def join(request: UserRequest, alert: Alert) -> HttpResponse:
    """Put it into an incident that the person works."""
    form = JoinForm(request.POST, auto_id="join_%s")
    if not form.is_valid():
        return _page(request, alert, status=422, join=form)
    incident = Incident.objects.visible_to(request.user).with_number(form.cleaned_data["number"])
    if incident is None:
        form.add_error("number", "There is no such incident.")
    elif "work" not in incident.permissions_for(request.user):
        form.add_error("number", "You have no role in it that works tickets. Join it first.")
    else:
        try:
            triage.join_alert(actor=request.user, alert=alert, incident=incident, alike=form.cleaned_data["alike"])
            toast(request, f"In {incident.number} now.")
            return done(request, incident.get_absolute_url())
        except ValidationError as refused:
            form.add_error(None, refused)
    return _page(request, alert, status=422, join=form)


@require_POST
@guarded(Alert, "work")
def dismiss(request: UserRequest, alert: Alert) -> HttpResponse:
    """Say why it needs no incident."""
    form = DismissForm(request.POST, auto_id="dismiss_%s")
    if form.is_valid():
        try:
            entry = triage.dismiss_alert(actor=request.user, alert=alert, **form.cleaned_data)
            undo = reverse("intake:put_back", kwargs={"alert": alert.pk}, query={"entry": entry.seq})
            toast(request, f"{len(entry.data['alerts'])} dismissed.", undo=undo)
            return done(request, reverse("intake:alerts"))
        except ValidationError as refused:
            form.add_error(None, refused)
    return _page(request, alert, status=422, dismiss=form)


@require_POST
@guarded(Alert, "work")
def put_back(request: UserRequest, alert: Alert) -> HttpResponse:
    """Triage a dismissed one again; with the `entry` that dismissed several, all of them."""
    form = PutBackForm(request.GET)
    entry = form.cleaned_data["entry"] if form.is_valid() else 0  # no entry has this number
    try:
        triage.reopen_alert(actor=request.user, alert=alert, entry=entry)
    except ValidationError as refused:
        toast(request, " ".join(refused.messages))
    return done(request, alert.get_absolute_url())
