"""Offers of tickets that wait for an answer."""

from dataclasses import dataclass, field

from django.db.models import F, Q

from incidents.models import Incident
from people.models import User
from tickets.models import ENDED, Handover, Ticket
from tickets.models.handovers import HandoverState


@dataclass
class Offer:
    """One that waits, with those of its tickets that would still change hands."""

    handover: Handover
    tickets: list[Ticket] = field(default_factory=list)

    @property
    def pk(self) -> int:
        """Its key."""
        return self.handover.pk


def offer_of(ticket: Ticket) -> Handover | None:
    """The offer this ticket waits in, with its people; none once it ended or went to somebody else. One query."""
    if ticket.assignee_id is None or ticket.is_ended:
        return None
    waiting = Handover.objects.waiting().filter(tickets=ticket.pk, giver=ticket.assignee_id)
    return waiting.select_related("giver", "receiver").first()


def offers(reader: User) -> list[Offer]:
    """What waits for the reader's answer, or for somebody else's to the reader's offer, oldest first. One query."""
    seen = Handover.objects.visible_to(reader).waiting()
    return _grouped(Q(handover__in=seen) & (Q(handover__receiver=reader) | Q(handover__giver=reader)))


def offers_in(incident: Incident) -> list[Offer]:
    """What waits in an incident, oldest first. One query."""
    return _grouped(Q(handover__incident=incident, handover__state=HandoverState.OFFERED))


def _grouped(which: Q) -> list[Offer]:
    rows = Handover.tickets.through.objects.filter(which).select_related(
        "handover__giver", "handover__receiver", "handover__incident", "ticket"
    )
    found: dict[int, Offer] = {}
    for row in rows.order_by("handover_id", "ticket__number"):
        handover, ticket = row.handover, row.ticket
        offer = found.setdefault(handover.pk, Offer(handover))
        if ticket.assignee_id == handover.giver_id and not ticket.is_ended:
            offer.tickets.append(ticket)
    return list(found.values())


def offerable(incident: Incident, giver: User) -> list[int]:
    """Numbers of this person's open tickets that wait in no offer yet; one query."""
    waiting = Handover.objects.waiting().filter(incident=incident, giver=giver)
    rows = Ticket.objects.filter(incident=incident, assignee=giver).exclude(category__in=ENDED).without_root()
    return list(rows.exclude(handovers__in=waiting).order_by(F("number")).values_list("number", flat=True))
