"""The alerts that went into an incident, for the card on its overview."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from core.access import guarded
from core.htmx import render
from incidents.models import Incident
from intake.models import Alert
from people.requests import UserRequest

SHOWN = 10


@require_safe
@guarded(Incident, "view")
def joined(request: UserRequest, incident: Incident) -> HttpResponse:
    """The newest ten, and how many there are."""
    rows = Alert.objects.filter(incident=incident).order_by("-pk")
    newest = list(rows.only("title", "product", "severity", "detected_at")[:SHOWN])
    total = len(newest) if len(newest) < SHOWN else rows.count()
    return render(request, "intake/alerts/_joined.html", {"incident": incident, "alerts": newest, "total": total})
