"""What people do with tickets. Each locks the incident first, and works on rows loaded after that."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal, markdown
from core.actions import action
from core.actors import Actor
from incidents.models import Incident
from people.models import User
from tickets import clocks, tree
from tickets.actions import steps
from tickets.actions.batches import Batch
from tickets.actions.leads import grown_from
from tickets.actions.steps import Found, locked, to_minute, undone
from tickets.models import Ticket
from tickets.models.vocabulary import NORMAL


@action
def add_ticket(
    *,
    actor: Actor,
    incident: Incident,
    title: str,
    parent: int | None = None,
    before: int | None = None,
    after: int | None = None,
    description: str = "",
    assignee: User | None = None,
    priority: str = NORMAL,
    lead: bool = False,
    hypothesis: str = "",
    origin: int | None = None,
    time_limit: int | None = None,
    shared: bool = False,
    due_at: dt.datetime | None = None,
) -> Ticket:
    """Add a ticket below the ticket numbered `parent` (None: at the top).

    `origin` is the number of the ticket that a lead grew from; `time_limit` are minutes from its start.

    Raises:
        ValidationError: the incident is closed, the parent is gone, or the tree would be too deep.
    """
    incident = tree.lock(incident.pk)
    known = Batch(actor, incident)
    known.require_workers([assignee])
    wanted, now = known.priority(priority), timezone.now()
    fields = {
        "title": title, "description": description, "description_html": markdown.stored(description, wiki=Ticket.wiki),
        "assignee": assignee, "priority": wanted.code, "urgency": wanted.urgency, "lead": lead, "shared": shared,
        "due_at": to_minute(due_at), "time_limit": time_limit, "hypothesis": hypothesis,
        "origin": grown_from(incident, origin) if origin else None, "lead_at": now if lead else None,
        "created_at": now, "created_by_id": actor.pk if actor.actor_kind == "user" else None,
    }  # fmt: skip
    fields |= clocks.wound(Ticket(), known.target(wanted.code), now, **fields)
    ticket = tree.add(incident, parent=parent, before=before, after=after, **fields)
    journal.record(
        "ticket.added", actor=actor, subject=ticket, parent=parent, assignee=assignee.pk if assignee else None
    )
    return ticket


@action
def edit_ticket(*, actor: Actor, ticket: Ticket, version: int, fields: Mapping[str, Any]) -> Ticket:
    """Change fields that the editor saw in `version`; fields others changed meanwhile stay.

    Raises:
        Conflict: somebody else changed the same field first.
        ValidationError: the incident is closed, or a field is not one that may be edited.
    """
    ticket = locked(ticket)
    with Batch(actor, ticket.incident, [ticket]) as batch:
        steps.edit(batch, ticket, fields, version=version)
    return ticket


@action
def assign_ticket(
    *, actor: Actor, ticket: Ticket, assignee: User | None, version: int | None = None, undoes: int | None = None
) -> Ticket:
    """Give the ticket to somebody, or to nobody.

    Raises:
        Conflict: somebody else gave it to another person since `version`.
        ValidationError: the person may not work in this incident.
    """
    ticket = locked(ticket)
    with Batch(actor, ticket.incident, [ticket]) as batch:
        steps.assign(batch, ticket, assignee, version=version, undoes=undoes)
    return ticket


@action
def set_status(
    *,
    actor: Actor,
    ticket: Ticket,
    status: str,
    version: int | None = None,
    outcome: str = "",
    reason: str = "",
    waiting_for: str = "",
    disposition: str = "",
    disposition_reason: str = "",
    found: Found | None = None,
    undoes: int | None = None,
) -> Ticket:
    """Say what is happening to the ticket. Finishing a lead asks for its result; dropping asks for a reason.

    Empty `outcome` and `disposition` leave what is written there, unless this `undoes` an entry; `found` is what that
    entry had found, and comes back as if it had never been.

    Raises:
        Conflict: somebody else set another status since `version`.
        ValidationError: a reason or result is missing.
    """
    ticket = locked(ticket)
    with Batch(actor, ticket.incident, [ticket]) as batch:
        steps.restate(
            batch, ticket, status, version=version, outcome=outcome, reason=reason, waiting_for=waiting_for,
            disposition=disposition, disposition_reason=disposition_reason, found=found, undoes=undoes,
        )  # fmt: skip
    return ticket


@action
def move_ticket(
    *,
    actor: Actor,
    ticket: Ticket,
    parent: int | None,
    before: int | None = None,
    after: int | None = None,
    first: bool = False,
    version: int | None = None,
    undoes: int | None = None,
) -> Ticket:
    """Put a ticket with its branch below another (None: at the top): last, first, or beside a sibling.

    Raises:
        Conflict: somebody else moved it since `version`.
        ValidationError: it would go below itself, too deep, into a closed incident, or the place is gone.
    """
    ticket = locked(ticket)
    was, was_before = _number_of(ticket.parent_id), tree.following(ticket)
    target = tree.fresh(ticket.incident, parent) if parent else tree.root(ticket.incident)
    ticket.merged(version=version or ticket.version, submitted={"parent_id": target.pk})
    moved = tree.move(ticket.incident, number=ticket.number, parent=parent, before=before, after=after, first=first)
    if moved.version == ticket.version:
        return moved
    journal.record(
        "ticket.moved", actor=actor, subject=moved, changed=False, parent=[was, target.number],
        before=[was_before, tree.following(moved)], **undone(undoes),
    )  # fmt: skip
    return moved


def _number_of(pk: int | None) -> int | None:
    return Ticket.objects.filter(pk=pk).values_list("number", flat=True).first() if pk else None


def still_open(incident: Incident, *tops: Ticket) -> list[Ticket]:
    """What is still open of these branches of a locked incident, in tree order; of no branch in particular: of all."""
    rows = Ticket.objects.filter(incident=incident).without_root().unfinished().order_by("lft")
    if tops:
        rows = rows.filter(lft__gte=min(top.lft for top in tops), rght__lte=max(top.rght for top in tops))
    found = list(rows)
    for one in found:
        one.incident = incident
    return found


@action
def drop_branch(*, actor: Actor, ticket: Ticket, reason: str) -> int:
    """Drop a ticket and all that is still open below it; gives how many. Nothing is deleted.

    Where nothing is open there is nothing to say: 0, and no entry.
    """
    ticket = locked(ticket)
    rows = still_open(ticket.incident, ticket)
    with Batch(actor, ticket.incident, rows) as batch:
        steps.drop(batch, ticket, rows, reason)
    return len(rows)


@action
def drop_open_tickets(*, actor: Actor, incident: Incident, reason: str) -> int:
    """Drop every ticket that is still open, with one reason: what closing asks for; gives how many."""
    incident = tree.lock(incident.pk)
    if not reason.strip():
        raise ValidationError({"reason": "Say why they are dropped: whoever reads the tree later will ask."})
    rows = still_open(incident)
    if not rows:
        return 0
    with Batch(actor, incident, rows) as batch:
        steps.drop_each(batch, rows, reason.strip())  # no clock runs out by that: nobody is told of clocks
        numbers = [one.number for one in rows]
        batch.say("ticket.all_dropped", incident, changed=False, reason=reason.strip(), tickets=numbers)
    return len(rows)
