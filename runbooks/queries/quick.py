"""Where a branch could go."""

from incidents.models import Incident
from tickets.models import Ticket
from tickets.queries.places import MOST_PLACES


def places(incident: Incident) -> list[Ticket]:
    """Tickets that it could stand below, in tree order."""
    rows = Ticket.objects.filter(incident=incident).without_root().order_by("lft")
    return list(rows.only("number", "title")[:MOST_PLACES])
