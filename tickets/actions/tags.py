"""Tags of a ticket: words that it is found by, the same ones that incidents have."""

from collections.abc import Iterable

from core.actions import action
from core.actors import Actor
from tickets.actions import steps
from tickets.actions.batches import Batch
from tickets.actions.steps import locked
from tickets.models import Ticket


@action
def set_tags(
    *, actor: Actor, ticket: Ticket, tags: Iterable[str], seen: Iterable[str] | None = None, undoes: int | None = None
) -> Ticket:
    """Make the ticket's tags exactly these; with `seen` only what differs from that, so tags of others stay as well.

    Raises:
        ValidationError: the incident is closed, or there would be more than 20.
    """
    ticket = locked(ticket)
    with Batch(actor, ticket.incident, [ticket]) as batch:
        steps.tag(batch, ticket, tags, seen=seen, undoes=undoes)
    return ticket


def tags_of(ticket: Ticket) -> list[str]:
    """Their names, in order."""
    return sorted(ticket.tags.values_list("name", flat=True))
