"""Telling people of a ticket because an automation is to."""

from collections.abc import Sequence

from comms.actions.notifications import notify
from comms.models import Kind
from core import journal
from core.actions import action
from core.actors import Actor
from people.models import User
from tickets.actions.steps import locked
from tickets.models import Ticket


@action
def announce(*, actor: Actor, ticket: Ticket, people: Sequence[User], text: str) -> int:
    """Tell these people, by the bell and by mail, as far as they may see the incident; gives how many hear of it.

    Raises:
        ValidationError: the incident is closed.
    """
    ticket = locked(ticket)
    pks = [user.pk for user in people]
    entry = journal.record("ticket.announced", actor=actor, subject=ticket, changed=False, to=pks)
    told = notify(
        entry=entry, users=people, incident=ticket.incident, ticket=ticket, kind=Kind.AUTOMATION, text=text
    )  # fmt: skip
    return len(told)
