"""Steps of the life cycle, severity, approval, restriction."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from core.access import guarded
from core.htmx import done, toast
from incidents.actions.incidents import restrict_incident
from incidents.actions.lifecycle import approve_post_mortem as approve
from incidents.actions.lifecycle import assess_severity, set_status
from incidents.forms.lifecycle import ApproveForm, RestrictForm, SeverityForm, StepForm
from incidents.models import Incident
from incidents.models.guards import may_sign, missing_for
from incidents.views.frames import form_page, refuse
from people.requests import UserRequest


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "lead")
def status(request: UserRequest, incident: Incident) -> HttpResponse:
    """Set the stage: the next one by a click, any other with a reason."""
    signs = may_sign(incident, request.user.actor_kind, request.user.pk)
    form = StepForm(request.POST if request.method == "POST" else None, incident=incident, may_sign=signs)
    code = 200
    if request.method == "POST":
        code = 422
        if form.is_valid():
            try:
                now = set_status(actor=request.user, incident=incident, **form.cleaned_data)
            except ValidationError as error:
                refuse(form, error)
            else:
                toast(request, f"{now.number} is {now.stage.label}.")
                return done(request, incident.get_absolute_url())
    following = incident.stage.next
    return form_page(
        request, incident, form, status=code, fragment="incidents/_status.html",
        heading="Set the stage" if incident.is_open else "Reopen the incident",
        following=following, missing=missing_for(incident, following) if following else [],
        may_sign=signs,
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "lead")
def severity(request: UserRequest, incident: Incident) -> HttpResponse:
    """Say how bad it is."""
    page: dict[str, Any] = {"heading": "Assess the severity", "save": "Assess"}
    if request.method != "POST":
        return form_page(request, incident, SeverityForm(initial={"severity": incident.severity}), **page)
    form = SeverityForm(request.POST)
    if form.is_valid():
        try:
            now = assess_severity(actor=request.user, incident=incident, **form.cleaned_data)
        except ValidationError as error:
            refuse(form, error)
        else:
            toast(request, f"Severity assessed: {now.get_severity_display()}.")
            return done(request, incident.get_absolute_url())
    return form_page(request, incident, form, status=422, **page)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "approve")
def approve_post_mortem(request: UserRequest, incident: Incident) -> HttpResponse:
    """Approve root cause and lessons learned as they were read."""
    fragment = "incidents/_approve.html"
    seen = {"seen": incident.post_mortem_digest}
    if request.method != "POST":
        form = ApproveForm(initial=seen)
        return form_page(request, incident, form, heading="Approve the post-mortem", fragment=fragment)
    form = ApproveForm(request.POST)
    if form.is_valid():
        try:
            approve(actor=request.user, incident=incident, **form.cleaned_data)
        except ValidationError as error:
            form = ApproveForm({**request.POST.dict(), **seen})  # what is shown now is what a second click approves
            form.is_valid()
            refuse(form, error)
        else:
            toast(request, "The post-mortem is approved.")
            return done(request, incident.get_absolute_url())
    return form_page(request, incident, form, heading="Approve the post-mortem", fragment=fragment, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "lead")
def restrict(request: UserRequest, incident: Incident) -> HttpResponse:
    """Hide the incident from everybody without a role in it, or lift that."""
    page: dict[str, Any] = {
        "heading": "Lift the restriction" if incident.restricted else "Restrict to the team",
        "intro": "All responders and managers will see this incident, its tickets and files."
        if incident.restricted
        else "Only people with a role in this incident (and auditors) will see it. For all others it will not exist.",
        "save": "Lift" if incident.restricted else "Restrict",
    }  # fmt: skip
    if request.method != "POST":
        form = RestrictForm(initial={"restricted": "no" if incident.restricted else "yes"})
        return form_page(request, incident, form, **page)
    form = RestrictForm(request.POST)
    if not form.is_valid():
        return form_page(request, incident, form, status=422, **page)
    now = restrict_incident(actor=request.user, incident=incident, **form.cleaned_data)
    toast(request, f"{now.number} is {'restricted to its team' if now.restricted else 'open to all responders'}.")
    return done(request, incident.get_absolute_url())
