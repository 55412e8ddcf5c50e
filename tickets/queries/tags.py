"""Tags that a ticket can be given."""

from django.db.models import Q

from incidents.models import Incident, Tag

MOST = 200


def tags_around(incident: Incident) -> list[str]:
    """Names of the tags that the incident or one of its tickets has: those of others would tell of them."""
    found = Tag.objects.filter(Q(incidents=incident) | Q(tickets__incident=incident)).distinct()
    return list(found.order_by("name").values_list("name", flat=True)[:MOST])
