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
from tickets import tree
from tickets.models import Disposition, Priority, Ticket, TicketStatus
from tickets.models.tickets import ENDED

EDITABLE = frozenset({"title", "description", "priority", "due_at", "shared", "outcome"})


def _locked(ticket: Ticket) -> Ticket:
    """The ticket as it is now, with its incident locked and open."""
    return tree.fresh(tree.lock(ticket.incident_id), ticket.number)


def to_minute(moment: dt.datetime | None) -> dt.datetime | None:
    """A time as people give it; seconds would make every edit of another field look like a change of this one."""
    return moment.replace(second=0, microsecond=0) if moment else None


def _undone(undoes: int | None) -> dict[str, Any]:
    """What an entry says that takes back another one: its sequence in the stream."""
    return {"undoes": undoes} if undoes else {}


def _require_worker(incident: Incident, person: User | None) -> None:
    if person is not None and "work" not in incident.permissions_for(person):
        raise ValidationError(f"{person} has no role in this incident that works tickets: add them to the team first.")


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
    priority: str = Priority.NORMAL,
    lead: bool = False,
    shared: bool = False,
    due_at: dt.datetime | None = None,
) -> Ticket:
    """Add a ticket below the ticket numbered `parent` (None: at the top).

    Raises:
        ValidationError: the incident is closed, the parent is gone, or the tree would be too deep.
    """
    incident = tree.lock(incident.pk)
    _require_worker(incident, assignee)
    ticket = tree.add(
        incident, parent=parent, before=before, after=after, title=title, description=description,
        description_html=markdown.stored(description), assignee=assignee, priority=priority, lead=lead, shared=shared,
        due_at=to_minute(due_at), created_by_id=actor.pk if actor.actor_kind == "user" else None,
    )  # fmt: skip
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
    ticket = _locked(ticket)
    if unknown := set(fields) - EDITABLE:
        raise ValidationError(f"These fields cannot be edited: {', '.join(sorted(unknown))}.")
    if "due_at" in fields:
        fields = {**fields, "due_at": to_minute(fields["due_at"])}
    changed = ticket.merged(version=version, submitted=fields)
    if not changed:
        return ticket
    if "description" in changed:
        changed["description_html"] = markdown.stored(changed["description"])
    ticket.apply(changed)
    if "due_at" in changed:
        tree.recount(ticket.incident)
    journal.record("ticket.edited", actor=actor, subject=ticket)
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
    ticket = _locked(ticket)
    _require_worker(ticket.incident, assignee)
    fields = {"assignee_id": assignee.pk if assignee else None}
    changed = ticket.merged(version=version or ticket.version, submitted=fields)
    if not changed:
        return ticket
    before = ticket.assignee_id
    ticket.apply(changed)
    journal.record(
        "ticket.assigned", actor=actor, subject=ticket, assignee=fields["assignee_id"], before=before, **_undone(undoes)
    )
    return ticket


def _status_fields(ticket: Ticket, status: str, *, outcome: str, reason: str, waiting_for: str) -> dict[str, Any]:
    now = timezone.now()
    fields: dict[str, Any] = {"status": status, "waiting_for": waiting_for if status == TicketStatus.WAITING else ""}
    fields["finished_at"] = (ticket.finished_at or now) if status in ENDED else None
    if status != TicketStatus.OPEN and ticket.started_at is None and status != TicketStatus.DROPPED:
        fields["started_at"] = now
    fields["dropped_reason"] = reason if status == TicketStatus.DROPPED else ""
    if outcome:
        fields["outcome"] = outcome
    return fields


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
    undoes: int | None = None,
) -> Ticket:
    """Say what is happening to the ticket. Finishing a lead asks for its result; dropping asks for a reason.

    Empty `outcome` and `disposition` leave what is written there, unless this `undoes` an entry.

    Raises:
        Conflict: somebody else set another status since `version`.
        ValidationError: a reason or result is missing.
    """
    ticket = _locked(ticket)
    if status not in TicketStatus.values:
        raise ValidationError("This is not a status.")
    if status == TicketStatus.DROPPED and not reason.strip():
        raise ValidationError({"reason": "Say why it is dropped: whoever reads the tree later will ask."})
    if status == TicketStatus.DONE and ticket.lead and not (disposition or ticket.disposition):
        raise ValidationError({"disposition": "Say what became of the lead: confirmed, ruled out or a dead end."})
    ticket.merged(version=version or ticket.version, submitted={"status": status})
    fields = _status_fields(
        ticket, status, outcome=outcome.strip(), reason=reason.strip(), waiting_for=waiting_for.strip()
    )
    if undoes:
        fields["outcome"] = outcome
    if disposition or undoes:
        fields["disposition"] = Disposition(disposition).value if disposition else ""
    if all(getattr(ticket, name) == value for name, value in fields.items()):
        return ticket
    ticket.apply(fields)
    tree.recount(ticket.incident)
    journal.record("ticket.status_changed", actor=actor, subject=ticket, to=status, **_undone(undoes))
    return ticket


@action
def mark_lead(*, actor: Actor, ticket: Ticket, lead: bool, disposition: str = "", version: int | None = None) -> Ticket:
    """Make it a lead, write its result, or say it is no lead after all (which takes the result away).

    Raises:
        Conflict: somebody else wrote another result since `version`.
    """
    ticket = _locked(ticket)
    if disposition and disposition not in Disposition.values:
        raise ValidationError("This is not a result of a lead.")
    fields = {"lead": lead, "disposition": disposition if lead else ""}
    changed = ticket.merged(version=version or ticket.version, submitted=fields)
    if not changed:
        return ticket
    ticket.apply(changed)
    tree.recount(ticket.incident)
    journal.record(
        "ticket.lead_resolved" if disposition else "ticket.lead_marked", actor=actor, subject=ticket, lead=lead
    )
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
    ticket = _locked(ticket)
    was, was_before = _number_of(ticket.parent_id), tree.following(ticket)
    target = tree.fresh(ticket.incident, parent) if parent else tree.root(ticket.incident)
    ticket.merged(version=version or ticket.version, submitted={"parent_id": target.pk})
    moved = tree.move(ticket.incident, number=ticket.number, parent=parent, before=before, after=after, first=first)
    if moved.version == ticket.version:
        return moved
    journal.record(
        "ticket.moved", actor=actor, subject=moved, changed=False, parent=[was, target.number],
        before=[was_before, tree.following(moved)], **_undone(undoes),
    )  # fmt: skip
    return moved


def _number_of(pk: int | None) -> int | None:
    return Ticket.objects.filter(pk=pk).values_list("number", flat=True).first() if pk else None


@action
def drop_branch(*, actor: Actor, ticket: Ticket, reason: str) -> int:
    """Drop a ticket and all that is still open below it; gives how many. Nothing is deleted.

    Where nothing is open there is nothing to say: 0, and no entry.
    """
    ticket = _locked(ticket)
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is dropped: whoever reads the tree later will ask."})
    branch = Ticket.objects.filter(tree_id=ticket.tree_id, lft__gte=ticket.lft, rght__lte=ticket.rght)
    dropped = []
    for one in branch.exclude(status__in=ENDED).order_by("lft"):
        one.incident = ticket.incident
        one.apply(_status_fields(one, TicketStatus.DROPPED, outcome="", reason=reason.strip(), waiting_for=""))
        dropped.append(one.number)
    if not dropped:
        return 0
    tree.recount(ticket.incident)
    ticket = tree.fresh(ticket.incident, ticket.number)
    journal.record(
        "ticket.branch_dropped", actor=actor, subject=ticket, changed=ticket.number in dropped, reason=reason.strip(),
        tickets=dropped,
    )  # fmt: skip
    return len(dropped)


@action
def drop_open_tickets(*, actor: Actor, incident: Incident, reason: str) -> int:
    """Drop every ticket that is still open, with one reason: what closing asks for; gives how many."""
    incident = tree.lock(incident.pk)
    if not reason.strip():
        raise ValidationError({"reason": "Say why they are dropped: whoever reads the tree later will ask."})
    dropped = []
    for one in Ticket.objects.filter(incident=incident, parent__isnull=False).exclude(status__in=ENDED).order_by("lft"):
        one.apply(_status_fields(one, TicketStatus.DROPPED, outcome="", reason=reason.strip(), waiting_for=""))
        dropped.append(one.number)
    if not dropped:
        return 0
    tree.recount(incident)
    journal.record(
        "ticket.all_dropped", actor=actor, subject=incident, changed=False, reason=reason.strip(), tickets=dropped
    )
    return len(dropped)
