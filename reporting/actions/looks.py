"""Saying of several incidents at once that one has seen what is new. It is one's own, so no journal tells of it."""

from collections.abc import Iterable

from django.utils import timezone

from incidents.models import Incident, Look
from people.models import User


def see_all(*, user: User, incidents: Iterable[Incident]) -> None:
    """Nothing of these is new to the person any more; how they keep the trees open stays. One query."""
    now = timezone.now()
    looks = [Look(user=user, incident=incident, since=now, seen_at=now) for incident in incidents]
    Look.objects.bulk_create(
        looks, update_conflicts=True, unique_fields=["user", "incident"], update_fields=["since", "seen_at"]
    )
