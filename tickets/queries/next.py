"""What to do next in an incident, for the card on its overview."""

from django.db.models import F

from incidents.models import Incident
from people.models import User
from tickets.models import Ticket

MOST = 6
KINDS = {"due": "Next due", "mine": "Mine", "nobody": "Unassigned"}


def next_tickets(incident: Incident, user: User, *, show: str = "due") -> list[Ticket]:
    """At most six open tickets of one kind, in one query: soonest due first, then those without a time by the tree."""
    rows = Ticket.objects.filter(incident=incident).without_root().unfinished().worded()
    if show == "mine":
        rows = rows.filter(assignee=user)
    elif show == "nobody":
        rows = rows.filter(assignee=None)
    return list(rows.select_related("assignee").order_by(F("clock_at").asc(nulls_last=True), "lft")[:MOST])
