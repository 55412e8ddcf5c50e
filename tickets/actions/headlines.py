"""How a branch stands, in one line by whoever owns it: what those above read."""

from core import journal
from core.actions import action
from core.actors import Actor
from tickets.actions.steps import change, locked
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
    turned = change(ticket, changed)
    journal.record("ticket.headlined", actor=actor, subject=ticket, **turned)
    return ticket
