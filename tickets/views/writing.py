"""Help for whoever writes: how the text will look, and whom and what it can name."""

from django.http import HttpResponse, JsonResponse
from django.views.decorators.http import require_POST, require_safe

from core import htmx, markdown
from core.access import guarded
from incidents.models import Incident
from people.requests import UserRequest
from tickets.forms.writing import NamedForm, PreviewForm
from tickets.queries.people import people_named, tickets_named


@require_POST
@guarded(Incident, "view")
def preview(request: UserRequest, incident: Incident) -> HttpResponse:
    """The Markdown in `body` as the page will show it. Nothing is kept."""
    form = PreviewForm(request.POST)
    good = form.is_valid()
    text = markdown.html(form.cleaned_data["body"], "") if good else ""
    return htmx.render(request, "tickets/_preview.html", {"text": text, "form": form}, status=200 if good else 422)


@require_safe
@guarded(Incident, "view")
def people(request: UserRequest, incident: Incident) -> HttpResponse:
    """What can be named: people who may see the incident, or its tickets where the text begins with #."""
    form = NamedForm(request.GET)
    if not form.is_valid():
        return JsonResponse({"found": []})
    sign, text = form.cleaned_data["q"][:1], form.cleaned_data["q"][1:]
    if sign == "#":
        rows = [{"text": f"#{one.number}", "words": one.title} for one in tickets_named(incident, text)]
    else:
        named = people_named(incident, text if sign == "@" else form.cleaned_data["q"])
        rows = [{"text": f"@{one.username}", "words": str(one)} for one in named]
    return JsonResponse({"found": rows})
