"""Two incidents turn out to be one."""

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from core import htmx
from core.access import guarded
from incidents.models import Incident
from people.requests import UserRequest
from tickets.actions.merging import merge_incidents
from tickets.forms.merging import MergeForm
from tickets.views import answers


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Incident, "lead")
def merge(request: UserRequest, incident: Incident) -> HttpResponse:
    """Merge this incident into another: first which and why, then a page that names what will happen."""
    if request.method != "POST":
        return answers.page(request, incident, "merge", {"form": MergeForm(user=request.user, source=incident)})
    form = MergeForm(request.POST, user=request.user, source=incident)
    if not form.is_valid():
        return answers.page(request, incident, "merge", {"form": form}, status=422)
    target, reason = form.cleaned_data["number"], form.cleaned_data["reason"]
    if not form.cleaned_data["confirmed"]:
        return answers.page(request, incident, "merge", {"form": form, "target": target, "reason": reason})
    if answers.refused(
        form, lambda: merge_incidents(actor=request.user, source=incident, target=target, reason=reason)
    ):
        return answers.page(request, incident, "merge", {"form": form}, status=422)
    htmx.toast(request, f"{incident.number} is part of {target.number} now.")
    return htmx.done(request, answers.url("tree", target))
