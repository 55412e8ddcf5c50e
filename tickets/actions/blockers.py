"""Which ticket waits for which other one of its incident. Nobody waits in a circle."""

from django.core.exceptions import ValidationError

from core import journal
from core.actions import action
from core.actors import Actor
from tickets import tree
from tickets.actions.steps import locked
from tickets.models import Blocker, Ticket

MOST_BLOCKERS = 50  # of one ticket


@action
def block_ticket(*, actor: Actor, ticket: Ticket, by: int) -> Ticket:
    """Say that the ticket cannot go on before the one numbered `by` of its incident has ended.

    Raises:
        ValidationError: it would wait for itself, be it by way of others; or there is no such ticket.
    """
    ticket = locked(ticket)
    other = _other(ticket, by)
    if Blocker.objects.filter(ticket=ticket, by=other).exists():
        return ticket
    if Blocker.objects.filter(ticket=ticket).count() >= MOST_BLOCKERS:
        raise ValidationError({"by": f"#{ticket.number} waits for {MOST_BLOCKERS} tickets already, which is the most."})
    if chain := _chain(other, to=ticket):
        raise ValidationError({"by": _circle(ticket, chain)})
    Blocker.objects.create(ticket=ticket, by=other, created_by_id=actor.pk if actor.actor_kind == "user" else None)
    journal.record("ticket.blocked", actor=actor, subject=ticket, changed=False, by=other.number)
    return ticket


def _other(ticket: Ticket, number: int) -> Ticket:
    """The ticket to wait for."""
    other = Ticket.objects.filter(incident=ticket.incident, number=number, parent__isnull=False).first()
    if other is None:
        raise ValidationError({"by": f"There is no #{number} in this incident."})
    if other.pk == ticket.pk:
        raise ValidationError({"by": f"#{number} cannot wait for itself."})
    return other


def _chain(start: Ticket, *, to: Ticket) -> list[int]:
    """Numbers from `start` to `to`, each waiting for the next, by the shortest way; empty if there is none."""
    waits: dict[int, list[int]] = {}
    pairs = Blocker.objects.filter(ticket__incident=start.incident_id).order_by("pk")
    for waiting, number in pairs.values_list("ticket__number", "by__number"):
        waits.setdefault(waiting, []).append(number)
    ways, seen = [[start.number]], {start.number}
    for way in ways:
        if way[-1] == to.number:
            return way
        for number in waits.get(way[-1], []):
            if number not in seen:
                seen.add(number)
                ways.append([*way, number])
    return []


def _circle(ticket: Ticket, chain: list[int]) -> str:
    steps = ", which waits for ".join(f"#{number}" for number in chain[1:])
    return f"#{ticket.number} cannot wait for #{chain[0]}: #{chain[0]} waits for {steps}."


@action
def unblock_ticket(*, actor: Actor, blocker: Blocker) -> Ticket:
    """Say that the ticket need not wait for that one.

    Raises:
        ValidationError: the incident is closed.
    """
    incident = tree.lock(blocker.ticket.incident_id)
    ticket, other = tree.fresh(incident, blocker.ticket.number), blocker.by
    gone, _ = Blocker.objects.filter(pk=blocker.pk).delete()
    if gone:
        journal.record("ticket.unblocked", actor=actor, subject=ticket, changed=False, by=other.number)
    return ticket
