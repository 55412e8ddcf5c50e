"""Where a ticket could go."""

from django.db.models import QuerySet

from incidents.models import Incident
from tickets.models import Ticket

MOST_PLACES = 500


def parents(ticket: Ticket) -> QuerySet[Ticket]:
    """Tickets of the same incident that are not in the ticket's own branch, in tree order."""
    others = Ticket.objects.filter(incident=ticket.incident_id, parent__isnull=False)
    own = {"lft__gte": ticket.lft, "rght__lte": ticket.rght}
    return others.exclude(**own).order_by("lft").only("number", "title")[:MOST_PLACES]


def beside(ticket: Ticket, parent: int | None = None) -> list[Ticket]:
    """The tickets below `parent` (its present one if not given; 0 is the top), but for itself."""
    rows = Ticket.objects.filter(incident=ticket.incident_id).exclude(pk=ticket.pk).order_by("lft")
    if parent is None:
        rows = rows.filter(parent_id=ticket.parent_id)
    elif parent == 0:
        rows = rows.filter(parent__isnull=False, parent__parent__isnull=True)
    else:
        rows = rows.filter(parent__number=parent)
    return list(rows.only("number", "title")[:MOST_PLACES])


def parent_of(incident: Incident, number: int) -> int | None:
    """The number of the ticket above; None at the top (or where there is no such ticket: the action refuses it)."""
    rows = Ticket.objects.filter(incident=incident, number=number, parent__parent__isnull=False)
    return rows.values_list("parent__number", flat=True).first()
