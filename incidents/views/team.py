"""The team of an incident."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.access import guarded, open_to
from core.htmx import done, render, toast
from incidents.actions import team as actions
from incidents.forms.team import AssignForm, BreakGlassForm, EndForm
from incidents.models import Incident
from incidents.queries.incidents import head
from incidents.queries.team import members as members_of
from incidents.views.frames import form_page, refuse
from people.requests import UserRequest


def _back(incident: Incident) -> str:
    return reverse("incidents:members", kwargs={"number": incident.number})


@require_safe
@guarded(Incident, "view")
def members(request: UserRequest, incident: Incident) -> HttpResponse:
    """Who has which role, and who had it."""
    context = {**head(incident, "members"), **members_of(incident, request.user, request.permissions)}
    return render(request, "incidents/members.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "lead")
def assign(request: UserRequest, incident: Incident) -> HttpResponse:
    """Give somebody a role."""
    page: dict[str, Any] = {"heading": "Add to the team", "save": "Add", "tab": "members", "back": _back(incident)}
    if request.method != "POST":
        return form_page(request, incident, AssignForm(), **page)
    form = AssignForm(request.POST)
    if form.is_valid():
        try:
            found = actions.assign_role(actor=request.user, incident=incident, **form.cleaned_data)
        except ValidationError as error:
            refuse(form, error)
        else:
            toast(request, f"{found.user} is {found.get_role_display()}.")
            return done(request, _back(incident))
    return form_page(request, incident, form, status=422, **page)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "lead")
def unassign(request: UserRequest, incident: Incident, assignment: int) -> HttpResponse:
    """End a role."""
    found = incident.assignments.filter(pk=assignment).select_related("user", "incident").first()
    if found is None:
        raise Http404
    page: dict[str, Any] = {
        "heading": f"End the role of {found.user}", "save": "End role", "danger": True, "tab": "members",
        "intro": f"{found.user} is {found.get_role_display()}. What only this role allowed ends at once.",
        "back": _back(incident),
    }  # fmt: skip
    if request.method != "POST":
        return form_page(request, incident, EndForm(), **page)
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            actions.end_role(actor=request.user, assignment=found, **form.cleaned_data)
        except ValidationError as error:
            refuse(form, error)
        else:
            toast(request, f"{found.user} is no longer {found.get_role_display()}.")
            return done(request, _back(incident))
    return form_page(request, incident, form, status=422, **page)


@require_POST
@guarded(Incident, "view")
def join(request: UserRequest, incident: Incident) -> HttpResponse:
    """Join as a member: responders, where it is not restricted."""
    if "respond" not in request.user.rights:
        raise PermissionDenied
    try:
        actions.join_incident(actor=request.user, incident=incident)
        toast(request, f"You are on the team of {incident.number}.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return done(request, _back(incident))


@require_POST
@guarded(Incident, "view")
def take_command(request: UserRequest, incident: Incident) -> HttpResponse:
    """Take command of an incident that nobody commands."""
    if "respond" not in request.user.rights:
        raise PermissionDenied
    try:
        actions.take_command(actor=request.user, incident=incident)
        toast(request, f"You have command of {incident.number}.")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return done(request, _back(incident))


@require_http_methods(["GET", "HEAD", "POST"])
@open_to("admins")
def break_glass(request: UserRequest) -> HttpResponse:
    """Look into a restricted incident as an observer: with a reason, journalled, told to who leads it."""
    form = BreakGlassForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            actions.break_glass(actor=request.user, incident=form.incident, reason=form.cleaned_data["reason"])
        except ValidationError as error:
            refuse(form, error)
        else:
            toast(request, f"You observe {form.incident.number}. Who leads it is told.")
            return done(request, form.incident.get_absolute_url())
    elif form.missed:
        actions.note_missed_glass(actor=request.user, number=form.data["number"], reason=form.cleaned_data["reason"])
    code = 422 if request.method == "POST" else 200
    return render(request, "incidents/break_glass.html", {"form": form}, status=code)
