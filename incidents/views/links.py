"""Related incidents."""

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from core.access import guarded
from core.htmx import done, toast
from incidents.actions.links import link_incidents, unlink_incidents
from incidents.forms.links import LinkForm
from incidents.models import Incident, IncidentLink
from incidents.views.frames import form_page, refuse
from people.requests import UserRequest


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "lead")
def link(request: UserRequest, incident: Incident) -> HttpResponse:
    """Say how this incident belongs to another one that the person may see."""
    page: dict[str, Any] = {"heading": "Link to another incident", "save": "Link"}
    if request.method != "POST":
        return form_page(request, incident, LinkForm(user=request.user), **page)
    form = LinkForm(request.POST, user=request.user)
    if form.is_valid():
        try:
            made = link_incidents(
                actor=request.user, source=incident, target=form.target, kind=form.cleaned_data["kind"]
            )
        except ValidationError as error:
            refuse(form, error)
        else:
            toast(request, f"{incident.number} {made.get_kind_display()} {form.target.number}.")
            return done(request, incident.get_absolute_url())
    return form_page(request, incident, form, status=422, **page)


@require_POST
@guarded(Incident, "lead")
def unlink(request: UserRequest, incident: Incident, link: int) -> HttpResponse:
    """Take a link of this incident away."""
    seen = Incident.objects.visible_to(request.user).values("pk")
    found = IncidentLink.objects.filter(pk=link, source=incident, target__in=seen).select_related("source").first()
    if found is None:
        raise Http404
    unlink_incidents(actor=request.user, link=found)
    toast(request, "The link is removed.")
    return done(request, incident.get_absolute_url())
