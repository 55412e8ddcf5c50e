"""Who may be given work in an incident."""

from django.db.models import QuerySet

from incidents.models import Incident, IncidentGrant
from people.models import User


def workers(incident: Incident) -> QuerySet[User]:
    """Active people who hold the permission to work on this incident, by name."""
    grants = IncidentGrant.objects.filter(content_object=incident, permission__codename="work")
    return User.objects.active().filter(pk__in=grants.values("user_id")).order_by("name", "pk")
