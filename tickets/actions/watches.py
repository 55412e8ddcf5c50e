"""Watching a ticket: hearing of what becomes of it without working it."""

from core import journal
from core.actions import action
from people.models import User
from tickets.actions.steps import locked
from tickets.models import Ticket, Watch


@action
def watch_ticket(*, actor: User, ticket: Ticket) -> Ticket:
    """Hear of the ticket from now on; whoever watches it already changes nothing.

    Raises:
        ValidationError: the incident is closed.
    """
    ticket = locked(ticket)
    _, made = Watch.objects.get_or_create(ticket=ticket, user=actor)
    if made:
        journal.record("ticket.watched", actor=actor, subject=ticket, changed=False)
    return ticket


@action
def unwatch_ticket(*, actor: User, ticket: Ticket) -> Ticket:
    """Hear of the ticket no more.

    Raises:
        ValidationError: the incident is closed.
    """
    ticket = locked(ticket)
    gone, _ = Watch.objects.filter(ticket=ticket, user=actor).delete()
    if gone:
        journal.record("ticket.unwatched", actor=actor, subject=ticket, changed=False)
    return ticket
