"""What people do with tickets. Each locks the incident first, and works on rows loaded after that."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from core import journal, markdown
from core.actions import action
from core.actors import Actor
from incidents.models import Incident
from people.models import User
from tickets import clocks, tree
from tickets.actions.blockers import freed
from tickets.actions.leads import grown_from
from tickets.actions.steps import (
    Found,
    change,
    change_all,
    disposed,
    held,
    locked,
    named,
    priority_of,
    require_worker,
    status_fields,
    status_of,
)
from tickets.models import ENDED, Category, Ticket
from tickets.models.vocabulary import FIRST, NORMAL

EDITABLE = frozenset(
    {"title", "description", "headline", "priority", "due_at", "time_limit", "shared", "outcome", "hypothesis"}
)


def to_minute(moment: dt.datetime | None) -> dt.datetime | None:
    """A time as people give it; seconds would make every edit of another field look like a change of this one."""
    return moment.replace(second=0, microsecond=0) if moment else None


def _undone(undoes: int | None) -> dict[str, Any]:
    """What an entry says that takes back another one: its sequence in the stream."""
    return {"undoes": undoes} if undoes else {}


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
    require_worker(incident, assignee)
    wanted = priority_of(priority)
    now = timezone.now()
    fields = {
        "title": title, "description": description, "description_html": markdown.stored(description),
        "assignee": assignee, "priority": wanted.code, "urgency": wanted.urgency, "lead": lead, "shared": shared,
        "due_at": to_minute(due_at), "time_limit": time_limit, "hypothesis": hypothesis,
        "origin": grown_from(incident, origin) if origin else None, "lead_at": now if lead else None,
        "created_at": now, "created_by_id": actor.pk if actor.actor_kind == "user" else None,
    }  # fmt: skip
    fields |= clocks.wound(Ticket(), clocks.target_of(incident, wanted.code), now, **fields)
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
    if unknown := set(fields) - EDITABLE:
        raise ValidationError(f"These fields cannot be edited: {', '.join(sorted(unknown))}.")
    if "due_at" in fields:
        fields = {**fields, "due_at": to_minute(fields["due_at"])}
    changed = ticket.merged(version=version, submitted=fields)
    if not changed:
        return ticket
    if "description" in changed:
        changed["description_html"] = markdown.stored(changed["description"])
    words: dict[str, Any] = {}
    if "priority" in changed:
        priority = priority_of(changed["priority"])
        changed["urgency"], words = priority.urgency, named("priority", ticket.priority, priority)
    turned = change(ticket, changed)
    if {"due_at", "time_limit", "priority"} & set(changed):
        tree.recount(ticket.incident)
    journal.record("ticket.edited", actor=actor, subject=ticket, **turned, **words)
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
    require_worker(ticket.incident, assignee)
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
    to = status_of(status)
    if to.category == Category.DROPPED and not reason.strip():
        raise ValidationError({"reason": "Say why it is dropped: whoever reads the tree later will ask."})
    if to.category == Category.DONE and ticket.lead and not (disposition or ticket.disposition):
        raise ValidationError({"disposition": "Say what became of the lead: confirmed, ruled out or a dead end."})
    ticket.merged(version=version or ticket.version, submitted={"status": to.code})
    fields = status_fields(
        ticket, to, outcome=outcome.strip(), reason=reason.strip(), waiting_for=waiting_for.strip()
    )  # fmt: skip
    if disposition or undoes:
        fields |= disposed(ticket, disposition, disposition_reason.strip())
    if undoes:
        fields["outcome"] = outcome
    if found:
        fields |= found.times_for(to.category)
    if all(getattr(ticket, name) == value for name, value in fields.items()):
        return ticket
    ended, ends = ticket.is_ended, to.category in ENDED
    said = named("status", ticket.status, to) | (held(ticket) if ended and not ends else {})
    turned = change(ticket, fields, found.target if found and ends else None)
    tree.recount(ticket.incident)
    free = freed([ticket.pk]) if ends and not ended else {}
    result = {"disposition": disposition, "disposition_reason": disposition_reason.strip()} if disposition else {}
    said |= {**turned, **free, **result, **_undone(undoes)}
    journal.record("ticket.status_changed", actor=actor, subject=ticket, to=to.code, **said)
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
        before=[was_before, tree.following(moved)], **_undone(undoes),
    )  # fmt: skip
    return moved


def _number_of(pk: int | None) -> int | None:
    return Ticket.objects.filter(pk=pk).values_list("number", flat=True).first() if pk else None


def _drop(incident: Incident, rows: QuerySet[Ticket], reason: str) -> tuple[list[int], dict[str, Any]]:
    """Drop what of these is still open; gives the numbers, and what the entry says of clocks."""
    open_ones = list(rows.unfinished().order_by("lft"))  # type: ignore[attr-defined]
    return [one.number for one in open_ones], drop_each(incident, open_ones, reason)


def drop_each(incident: Incident, rows: Iterable[Ticket], reason: str) -> dict[str, Any]:
    """Give tickets of a locked incident the status Dropped, whatever they have; what the entry says of clocks."""
    to, known = status_of(FIRST[Category.DROPPED]), clocks.targets(incident.severity)
    changes = []
    for one in rows:
        one.incident = incident
        target = known.get(one.priority, clocks.NO_TARGET)
        changes.append((one, status_fields(one, to, reason=reason), target))
    return change_all(changes)


@action
def drop_branch(*, actor: Actor, ticket: Ticket, reason: str) -> int:
    """Drop a ticket and all that is still open below it; gives how many. Nothing is deleted.

    Where nothing is open there is nothing to say: 0, and no entry.
    """
    ticket = locked(ticket)
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is dropped: whoever reads the tree later will ask."})
    branch = Ticket.objects.filter(tree_id=ticket.tree_id, lft__gte=ticket.lft, rght__lte=ticket.rght)
    dropped, turned = _drop(ticket.incident, branch, reason.strip())
    if not dropped:
        return 0
    tree.recount(ticket.incident)
    ended = Ticket.objects.filter(incident=ticket.incident, number__in=dropped).values_list("pk", flat=True)
    ticket = tree.fresh(ticket.incident, ticket.number)
    journal.record(
        "ticket.branch_dropped", actor=actor, subject=ticket, changed=ticket.number in dropped, reason=reason.strip(),
        tickets=dropped, **turned, **freed(list(ended)),
    )  # fmt: skip
    return len(dropped)


@action
def drop_open_tickets(*, actor: Actor, incident: Incident, reason: str) -> int:
    """Drop every ticket that is still open, with one reason: what closing asks for; gives how many."""
    incident = tree.lock(incident.pk)
    if not reason.strip():
        raise ValidationError({"reason": "Say why they are dropped: whoever reads the tree later will ask."})
    dropped, turned = _drop(incident, Ticket.objects.filter(incident=incident).without_root(), reason.strip())
    if not dropped:
        return 0
    tree.recount(incident)
    journal.record(
        "ticket.all_dropped", actor=actor, subject=incident, changed=False, reason=reason.strip(), tickets=dropped,
        **turned,
    )  # fmt: skip
    return len(dropped)
