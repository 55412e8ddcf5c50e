"""How a branch stands, in one line by whoever owns it: what those above read."""

from core.actions import action
from core.actors import Actor
from tickets.actions.batches import Batch
from tickets.actions.steps import locked
from tickets.models import Ticket


@action
def set_headline(*, actor: Actor, ticket: Ticket, headline: str, version: int) -> Ticket:
    """Write the headline of a ticket's branch; empty takes it away.

    Raises:
        Conflict: somebody else wrote another one since `version`.
        ValidationError: the incident is closed.
    """
    ticket = locked(ticket)
    changed = ticket.merged(version=version, submitted={"headline": headline.strip()})
    if not changed:
        return ticket
    with Batch(actor, ticket.incident, [ticket]) as batch:
        turned = batch.change(ticket, changed)
        batch.say("ticket.headlined", ticket, **turned)
    return ticket
