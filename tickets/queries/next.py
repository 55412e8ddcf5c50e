"""What to do next in an incident, for the card on its overview."""

from dataclasses import dataclass

from django.db.models import F

from incidents.models import Incident
from people.models import User
from tickets.models import Ticket
from tickets.models.tickets import ENDED

EACH = 5


@dataclass(frozen=True)
class Next:
    """The tickets that are due first, mine, and those nobody has; at most five each."""

    due: list[Ticket]
    mine: list[Ticket]
    nobody: list[Ticket]


def next_tickets(incident: Incident, user: User) -> Next:
    """Three queries, soonest due first; tickets without a time come last, in the order of the tree."""
    open_ones = Ticket.objects.filter(incident=incident, parent__isnull=False).exclude(status__in=ENDED)
    ordered = open_ones.select_related("assignee").order_by(F("due_at").asc(nulls_last=True), "lft")
    return Next(
        due=list(ordered.filter(due_at__isnull=False)[:EACH]),
        mine=list(ordered.filter(assignee=user)[:EACH]),
        nobody=list(ordered.filter(assignee=None)[:EACH]),
    )
