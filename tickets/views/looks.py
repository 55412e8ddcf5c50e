"""How the reader looks at the tree: depth, open branches, what they have seen. Theirs alone."""

from django.http import HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.views.decorators.http import require_POST

from core import htmx
from core.access import guarded
from incidents.actions.looks import look as remember
from incidents.models import Incident
from people.requests import UserRequest
from tickets.forms.looks import LookForm
from tickets.views import answers


@require_POST
@guarded(Incident, "view")
def look(request: UserRequest, incident: Incident) -> HttpResponse:
    """Keep it; the rows are answered where they are the target, else nothing is."""
    form = LookForm(request.POST)
    if not form.is_valid():
        return HttpResponseBadRequest("This is not how one looks at a tree.", content_type="text/plain")
    data = form.cleaned_data
    remember(
        user=request.user, incident=incident, levels=form.depth, flipped=form.flipped, visit=data["visit"],
        seen=data["seen"],
    )  # fmt: skip
    if "tree-rows" in request.headers.get("HX-Target", ""):
        return answers.rows(request, incident)
    if htmx.is_htmx(request) or not data["seen"]:
        return HttpResponse(status=204)
    return HttpResponseRedirect(htmx.safe_next(request, answers.url("tree", incident)))
