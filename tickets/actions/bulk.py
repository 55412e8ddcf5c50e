"""Changing several tickets at once: every one by the rules of its ordinary action, all in one transaction, or none.

Each ticket has its own entry, as if it had been changed alone: so its page, its history and who must hear of it are as
always. One entry more closes the batch and names the others by their sequence, so that it can be taken back as one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError

from core import journal
from core.actions import action
from core.actors import Actor
from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tickets import tree
from tickets.actions import steps
from tickets.actions import tickets as single
from tickets.actions.batches import Batch
from tickets.models import Category, Ticket
from tickets.models.tickets import ROOT_NUMBER
from tickets.models.vocabulary import FIRST

MOST = 200  # tickets of one call
SHOWN = 5  # refused tickets of one kind that are named
STATUS = ("status", "outcome", "reason", "waiting_for", "disposition", "disposition_reason")
EDITED = ("priority", "due_at")
TAGS = ("add_tags", "remove_tags")
WHAT = {"assignee": "assignee", "status": "status", "priority": "priority", "due_at": "due time"} | dict.fromkeys(
    TAGS, "tags"
)


class Overtaken(Exception):
    """Others changed the same of some of these tickets since somebody saw them; the message names both."""


@action
def change_tickets(
    *,
    actor: Actor,
    incident: Incident,
    numbers: Iterable[int],
    fields: Mapping[str, Any],
    seen: Mapping[int, int] | None = None,
) -> list[int]:
    """Set the same fields of several tickets; gives the numbers of those that changed, in tree order.

    `fields`: assignee (a User or None), status (a code, with reason, outcome, waiting_for, disposition and
    disposition_reason where it asks for them), priority (a code), due_at, add_tags and remove_tags (names). A result is
    given only to the leads among them that have none. Numbers that are not of this incident are as if they were not
    there. `seen`: number → version that the actor saw of it, where that is known.

    Raises:
        Overtaken: somebody else changed the same field of one of them since.
        ValidationError: the incident is closed, there are more than 200, or some of them refuse: they are named with
            the reason, and nothing is changed.
    """
    incident = tree.lock(incident.pk)
    if unknown := set(fields) - {*STATUS, *EDITED, *TAGS, "assignee"}:
        raise ValidationError(f"These fields cannot be changed together: {', '.join(sorted(unknown))}.")
    head = journal.head(incident.journal_stream)[0]
    chosen = _chosen(incident, numbers)
    _require_unchanged(actor, chosen, seen, _columns(fields))
    with Batch(actor, incident, chosen) as batch:
        _each(chosen, lambda ticket: _change(batch, ticket, fields))
    what = list(dict.fromkeys(WHAT[name] for name in fields if name in WHAT))
    return _close("tickets.changed", actor, incident, head, what=what)


@action
def move_tickets(
    *,
    actor: Actor,
    incident: Incident,
    numbers: Iterable[int],
    parent: int | None,
    before: int | None = None,
    after: int | None = None,
    first: bool = False,
    seen: Mapping[int, int] | None = None,
) -> list[int]:
    """Put several branches below `parent` (None: at the top): last, first or beside a sibling, in the order they had.

    Of a branch and a ticket inside of it only the branch is moved: the ticket stays in it. Gives the numbers of those
    that moved. `before` and `after` are numbers of tickets that stand, or would stand, beside them; `seen` as above.

    Raises:
        Overtaken: somebody else put one of them elsewhere since.
        ValidationError: as for `change_tickets`; one would go below itself, or too deep, or the place is gone.
    """
    incident = tree.lock(incident.pk)
    head = journal.head(incident.journal_stream)[0]
    chosen = _chosen(incident, numbers)
    if not chosen:
        return []
    above = tree.fresh(incident, parent) if parent else tree.root(incident)
    _require_unchanged(actor, chosen, seen, {"parent_id": above.pk})
    chosen = _topmost(chosen)
    place = _place(chosen, above, before=before, after=after, first=first)

    def move(ticket: Ticket) -> None:
        single.move_ticket(actor=actor, ticket=ticket, parent=parent, **place)
        if place.get("after"):
            place["after"] = ticket.number

    _each(chosen, move)
    return _close("tickets.moved", actor, incident, head, parent=parent or ROOT_NUMBER)


@action
def drop_tickets(
    *, actor: Actor, incident: Incident, numbers: Iterable[int], reason: str, seen: Mapping[int, int] | None = None
) -> list[int]:
    """Drop several branches with one reason; gives the numbers of those in which something was still open.

    Raises:
        Overtaken: somebody else set another status of one of them since.
        ValidationError: the incident is closed, there are more than 200, or there is no reason.
    """
    incident = tree.lock(incident.pk)
    if not reason.strip():
        raise ValidationError({"reason": "Say why they are dropped: whoever reads the tree later will ask."})
    head = journal.head(incident.journal_stream)[0]
    chosen = _chosen(incident, numbers)
    _require_unchanged(actor, chosen, seen, {"status": FIRST[Category.DROPPED]})
    branches = _branches(incident, _topmost(chosen))
    with Batch(actor, incident, [one for _, rows in branches for one in rows]) as batch:
        for top, rows in branches:
            steps.drop(batch, top, rows, reason)
    return _close("tickets.dropped", actor, incident, head, reason=reason.strip())


def _chosen(incident: Incident, numbers: Iterable[int]) -> list[Ticket]:
    """The tickets of this incident that have these numbers, in tree order; other numbers mean nothing."""
    wanted = set(numbers)
    if len(wanted) > MOST:
        raise ValidationError(f"At most {MOST} tickets can be changed at once (these are {len(wanted)}).", code="many")
    found = list(Ticket.objects.filter(incident=incident, number__in=wanted).without_root().order_by("lft"))
    for ticket in found:
        ticket.incident = incident
    return found


def _topmost(chosen: Iterable[Ticket]) -> list[Ticket]:
    """Without those that stand below another one of them."""
    found: list[Ticket] = []
    for ticket in chosen:
        if not found or ticket.lft > found[-1].rght:
            found.append(ticket)
    return found


def _columns(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that would be written over, with what is to stand there; tags of several people stay side by side."""
    columns = {name: fields[name] for name in ("status", "priority", "due_at") if name in fields}
    if "due_at" in columns:
        columns["due_at"] = steps.to_minute(columns["due_at"])
    if "assignee" in fields:
        columns["assignee_id"] = fields["assignee"].pk if fields["assignee"] else None
    return columns


def _require_unchanged(
    actor: Actor, chosen: Iterable[Ticket], seen: Mapping[int, int] | None, wanted: Mapping[str, Any]
) -> None:
    """All or nothing: what others wrote into these columns since is not written over unseen."""
    known = seen or {}
    stale = {one.pk: one for one in chosen if known.get(one.number, one.version) != one.version}
    stale = {pk: one for pk, one in stale.items() if any(getattr(one, name) != wanted[name] for name in wanted)}
    if not stale or not wanted:
        return
    history: Any = Ticket.history
    rows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in history.filter(id__in=stale).order_by("history_id").values("id", "version", "history_user_id", *wanted):
        rows[row["id"]].append(row)
    found = {one.number: _others(actor, rows[pk], known[one.number], wanted) for pk, one in stale.items()}
    if not any(found.values()):
        return
    people = User.objects.in_bulk({pk for pks in found.values() for pk in pks if pk})
    by = {number: ", ".join(str(people.get(pk or 0, "somebody else")) for pk in pks) for number, pks in found.items()}
    named = ", ".join(f"#{number} ({names})" for number, names in by.items() if names)
    raise Overtaken(
        f"Changed by others since you saw them: {named}. Nothing was saved; save again if yours shall stand."
    )


def _others(actor: Actor, rows: list[dict[str, Any]], version: int, columns: Iterable[str]) -> list[int | None]:
    """Who else wrote these columns after this version; None: nobody known, or the version is unknown."""
    if not any(row["version"] == version for row in rows):
        return [None]
    last = max(at for at, row in enumerate(rows) if row["version"] == version)
    changed = [new for old, new in pairwise(rows[last:]) if any(old[name] != new[name] for name in columns)]
    return list(dict.fromkeys(row["history_user_id"] for row in changed if row["history_user_id"] != actor.pk))


def _each(tickets: Iterable[Ticket], act: Callable[[Ticket], object]) -> None:
    """Do it to each of them; what the actions refuse is said of all together, by the field it is about."""
    refused: dict[str, dict[str, list[int]]] = {}
    for ticket in tickets:
        try:
            act(ticket)
        except ValidationError as error:
            fields = error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
            for field, messages in fields.items():
                for message in messages:
                    refused.setdefault(field, {}).setdefault(message, []).append(ticket.number)
    if not refused:
        return
    said = {field: [_named(*one) for one in messages.items()] for field, messages in refused.items()}
    raise ValidationError(said if "" not in said else [line for lines in said.values() for line in lines])


def _named(message: str, numbers: list[int]) -> str:
    shown = ", ".join(f"#{number}" for number in numbers[:SHOWN])
    return f"{shown}{f' and {len(numbers) - SHOWN} more' if len(numbers) > SHOWN else ''}: {message}"


def _change(batch: Batch, ticket: Ticket, fields: Mapping[str, Any]) -> None:
    if "assignee" in fields:
        steps.assign(batch, ticket, fields["assignee"])
    if edited := {name: fields[name] for name in EDITED if name in fields}:
        steps.edit(batch, ticket, edited, version=ticket.version)
    if "status" in fields and fields["status"] != ticket.status:
        said = {name: fields[name] for name in STATUS if name in fields}
        if not ticket.lead or ticket.disposition:
            said.pop("disposition", None)
        steps.restate(batch, ticket, **said)
    if any(name in fields for name in TAGS):
        steps.tag(batch, ticket, fields.get("add_tags", ()), seen=fields.get("remove_tags", ()))


def _branches(incident: Incident, tops: Sequence[Ticket]) -> list[tuple[Ticket, list[Ticket]]]:
    """Branches of which none is inside of another, in tree order, each with what is still open of it."""
    rows = iter(single.still_open(incident, *tops)) if tops else iter(())
    found: list[tuple[Ticket, list[Ticket]]] = [(top, []) for top in tops]
    one = next(rows, None)
    for top, inside in found:
        while one is not None and one.lft <= top.rght:
            if one.lft >= top.lft:
                inside.append(one)
            one = next(rows, None)
    return found


def _place(
    chosen: list[Ticket], above: Ticket, *, before: int | None, after: int | None, first: bool
) -> dict[str, Any]:
    """Beside which ticket that stays where it is they go, as an argument of the move of each."""
    if not (before or after or first):
        return {}
    row = list(Ticket.objects.filter(parent=above).order_by("lft").values_list("number", flat=True))
    moving = {ticket.number for ticket in chosen}
    if first:
        staying = [number for number in row if number not in moving]
        return {"before": staying[0]} if staying else {}
    neighbour = before or after
    if neighbour not in moving or neighbour not in row:
        return {"before": before, "after": after}
    at = row.index(neighbour)
    later = [number for number in row[at:] if number not in moving]
    return {"before": later[0]} if later else {}


def _close(verb: str, actor: Actor, incident: Incident, head: int, **data: Any) -> list[int]:
    """Write the entry that ties those of the batch together; the numbers of the tickets they are about."""
    entries = JournalEntry.objects.filter(
        stream=incident.journal_stream, seq__gt=head, actor_kind=actor.actor_kind, actor_id=actor.pk,
        target_type=Ticket._meta.label, verb__startswith="ticket.",
    )  # fmt: skip
    rows = list(entries.order_by("seq").values_list("seq", "target_id"))
    changed = Ticket.objects.filter(pk__in={int(pk) for _, pk in rows}).order_by("lft")
    numbers = list(changed.values_list("number", flat=True))
    if rows:
        seqs = [seq for seq, _ in rows]
        journal.record(verb, actor=actor, subject=incident, changed=False, tickets=numbers, entries=seqs, **data)
    return numbers
