"""Taking back what was just done: a new change with its own line in the journal, never an erased one."""

from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q

from core import journal
from core.actions import action
from core.actors import Actor
from core.models import JournalEntry
from incidents.models import Incident
from incidents.models.guards import require_open
from people.models import User
from tickets import tree
from tickets.actions import steps
from tickets.actions import tickets as actions
from tickets.actions.batches import Batch
from tickets.actions.leads import LEAD_FIELDS, put_back
from tickets.actions.steps import TIMES, Found, drop_each, held_by
from tickets.models import Blocker, Category, Ticket, TicketStatus, TimeEntry
from tickets.models.tickets import ROOT_NUMBER
from tickets.models.vocabulary import FIRST

STATUS_FIELDS = ("status", "outcome", "disposition", "disposition_reason", "waiting_for", "dropped_reason")
DROP_FIELDS = ("status", "waiting_for", "dropped_reason", *TIMES)
MISTAKE = "Added by mistake (undone)."
BATCHES = ("tickets.changed", "tickets.moved", "tickets.dropped")


@action
def undo_change(*, actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    """Put back what the entry changed, by the ordinary action where there is one, if nobody changed the same since.

    Raises:
        ValidationError: it is not the actor's, cannot be taken back, the same was changed since, the incident is
            closed, or the ordinary action refuses.
    """
    incident = Incident.objects.lock_all(ticket.incident_id)[0]
    require_open(incident)
    ticket = tree.fresh(incident, ticket.number)
    undo = UNDO.get(entry.verb)
    if undo is None or entry.target_type != Ticket._meta.label or entry.target_id != str(ticket.pk):
        raise ValidationError("This cannot be undone.")
    _require_own(actor, entry)
    return undo(actor, ticket, entry)


@action
def undo_drop_all(*, actor: Actor, incident: Incident, entry: JournalEntry) -> int:
    """Give every ticket that was dropped with the whole incident's the status it had; gives how many.

    Raises:
        ValidationError: as for `undo_change`; one ticket that was changed since keeps all of them as they are.
    """
    incident = tree.lock(incident.pk)
    if entry.verb != "ticket.all_dropped" or entry.stream != incident.journal_stream:
        raise ValidationError("This cannot be undone.")
    _require_own(actor, entry)
    back = _as_found(incident, [entry])
    with Batch(actor, incident, [ticket for ticket, _ in back]) as batch:
        turned, restored = batch.change_all(back), [ticket.number for ticket, _ in back]
        batch.say("ticket.all_restored", incident, changed=False, tickets=restored, undoes=entry.seq, **turned)
    return len(back)


@action
def undo_batch(*, actor: Actor, incident: Incident, entry: JournalEntry) -> int:
    """Take back all that was done to several tickets at once, the last of it first; gives how many.

    Raises:
        ValidationError: as for `undo_change`; one ticket that was changed since keeps all of them as they are.
    """
    incident = tree.lock(incident.pk)
    if entry.verb not in BATCHES or entry.stream != incident.journal_stream:
        raise ValidationError("This cannot be undone.")
    _require_own(actor, entry)
    parts = list(JournalEntry.objects.filter(stream=entry.stream, seq__in=entry.data["entries"]).order_by("-seq"))
    if entry.verb == "tickets.moved":
        _unmove(actor, incident, parts)
    elif entry.verb == "tickets.dropped":
        _undrop(actor, incident, parts)
    else:
        _put_back_all(actor, incident, parts)
    numbers: list[int] = entry.data["tickets"]
    journal.record(
        "tickets.change_undone", actor=actor, subject=incident, changed=False, tickets=numbers, undoes=entry.seq
    )
    return len(numbers)


def _tickets_of(incident: Incident, parts: Sequence[JournalEntry]) -> dict[str, Ticket]:
    """What the entries are about, by `target_id`.

    Raises:
        ValidationError: one of them is not in this incident any more.
    """
    rows = Ticket.objects.filter(incident=incident, pk__in={int(part.target_id) for part in parts})
    found = {str(ticket.pk): ticket for ticket in rows}
    if not all(part.target_id in found for part in parts):
        raise ValidationError("This cannot be undone.")
    for ticket in found.values():
        ticket.incident = incident
    return found


def _unmove(actor: Actor, incident: Incident, parts: Sequence[JournalEntry]) -> None:
    for part in parts:
        _undo_move(actor, _tickets_of(incident, [part])[part.target_id], part)  # where it stands by now


def _undrop(actor: Actor, incident: Incident, parts: Sequence[JournalEntry]) -> None:
    tops = _tickets_of(incident, parts)
    back = {one.number: (one, fields) for one, fields in _as_found(incident, parts)}
    with Batch(actor, incident, [one for one, _ in back.values()]) as batch:
        for part in parts:
            _branch_back(batch, tops[part.target_id], part, [back[number] for number in part.data["tickets"]])


def _put_back_all(actor: Actor, incident: Incident, parts: Sequence[JournalEntry]) -> None:
    tickets, past = _tickets_of(incident, parts), Past(parts)
    if not all(part.verb in BACK for part in parts):
        raise ValidationError("This cannot be undone.")
    with Batch(actor, incident, tickets.values()) as batch:
        for part in parts:
            BACK[part.verb](batch, past, tickets[part.target_id], part)


@action
def uproot(*, actor: Actor, incident: Incident, entry: JournalEntry) -> int:
    """Take back a branch that was planted from text: its tickets stay, dropped, with the reason; gives how many.

    Raises:
        ValidationError: as for `undo_change`; or somebody works with one of them by now: changed it, spent time on it,
            or lets another one wait for it.
    """
    incident = tree.lock(incident.pk)
    if entry.verb != "tickets.planted" or entry.stream != incident.journal_stream:
        raise ValidationError("This cannot be undone.")
    _require_own(actor, entry)
    planted = {row.id: row.version for row in _history_of(entry)}
    rows = list(Ticket.objects.filter(incident=incident, pk__in=planted).without_root().order_by("lft"))
    used = _used(actor, rows)
    worked = [one.number for one in rows if one.version != planted[one.pk] or one.pk in used]
    if worked or Ticket.objects.filter(parent__in=rows).exclude(pk__in=planted).exists():
        raise ValidationError(f"{_named(worked)} changed since then: drop the branch with a reason instead.")
    for one in rows:
        one.incident = incident
    with Batch(actor, incident, rows) as batch:
        drop_each(batch, rows, MISTAKE)  # no clock runs out by that: nobody is told of clocks
        numbers, free = [one.number for one in rows], batch.freed([one.pk for one in rows])
        batch.say("tickets.uprooted", incident, changed=False, tickets=numbers, undoes=entry.seq, **free)
    return len(rows)


def _used(actor: Actor, rows: Sequence[Ticket]) -> set[int]:
    """Keys of those that somebody works with: talk, files, time spent on them, or waits that others wrote down."""
    found = {one.pk for one in rows if one.comments_total or one.files_total}
    found.update(TimeEntry.objects.filter(ticket__in=rows, taken_back_at=None).values_list("ticket", flat=True))
    waits = Blocker.objects.filter(Q(ticket__in=rows) | Q(by__in=rows))
    if actor.actor_kind == "user":
        waits = waits.exclude(created_by=actor.pk)
    found.update(*waits.values_list("ticket", "by"))
    return found


def _require_own(actor: Actor, entry: JournalEntry) -> None:
    if (actor.actor_kind, actor.pk) != (entry.actor_kind, entry.actor_id):
        raise ValidationError("Only who made this change can undo it. You can still change the ticket yourself.")


def _require_same(ticket: Ticket, unchanged: bool, what: str) -> None:
    if not unchanged:
        raise ValidationError(f"#{ticket.number} {what} again since then: look at it before you change it back.")


def _undo_add(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    """Nothing is deleted: the ticket stays, dropped, with the reason."""
    if not ticket.is_leaf_node():
        raise ValidationError(f"#{ticket.number} has tickets below it by now: move them, or drop the branch.")
    if ticket.comments_total or ticket.files_total:
        raise ValidationError(f"#{ticket.number} has comments or files by now: drop it with a reason instead.")
    rows = _history_of(entry).filter(id=ticket.pk)
    made = rows.order_by("-history_id").values_list("version", flat=True).first()
    _require_same(ticket, ticket.version == made, "was changed")
    return actions.set_status(
        actor=actor, ticket=ticket, status=FIRST[Category.DROPPED], reason=MISTAKE, undoes=entry.seq
    )


def _undo_drop(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    incident = ticket.incident
    back = _as_found(incident, [entry])
    with Batch(actor, incident, [one for one, _ in back]) as batch:
        _branch_back(batch, ticket, entry, back)
    return tree.fresh(incident, ticket.number)


def _branch_back(batch: Batch, top: Ticket, entry: JournalEntry, back: Sequence[tuple[Ticket, dict[str, Any]]]) -> None:
    turned, restored = batch.change_all(back), [one.number for one, _ in back]
    batch.say(
        "ticket.branch_restored", top, changed=top.number in restored, tickets=restored, undoes=entry.seq, **turned
    )


def _history_of(*entries: JournalEntry) -> Any:
    """The rows of tickets' history that the entries answer for."""
    history: Any = Ticket.history
    label = history.model._meta.label
    return history.filter(history_id__in=[int(key) for entry in entries for key in entry.history.get(label, {})])


def _as_found(incident: Incident, entries: Sequence[JournalEntry]) -> list[tuple[Ticket, dict[str, Any]]]:
    """The tickets that the entries of one action dropped, each with what it had before. The incident is locked.

    Raises:
        ValidationError: one of them was changed since, or is not in this incident any more.
    """
    numbers = {number for entry in entries for number in entry.data["tickets"]}
    dropped = {row.id: row for row in _history_of(*entries) if row.number in numbers}
    if not dropped:
        raise ValidationError("This cannot be undone.")
    now = list(Ticket.objects.filter(incident=incident, pk__in=dropped).order_by("lft"))
    changed = [ticket.number for ticket in now if ticket.version != dropped[ticket.pk].version]
    if changed or len(now) != len(dropped):
        raise ValidationError(f"{_named(changed)} changed since then: look at the branch before you change it back.")
    history: Any = Ticket.history
    first = min(row.history_id for row in dropped.values())
    older = history.filter(id__in=dropped, history_id__lt=first).order_by("history_id").values("id", *DROP_FIELDS)
    before = {row.pop("id"): row for row in older}  # the last one of each ticket
    categories = dict(TicketStatus.objects.filter(active=True).values_list("code", "category"))
    if lost := [ticket.number for ticket in now if before[ticket.pk]["status"] not in categories]:
        raise ValidationError(f"{_named(lost)} in a status that is no longer given: set another one by hand.")
    for ticket in now:
        ticket.incident = incident
    return [(one, {**before[one.pk], "category": categories[before[one.pk]["status"]]}) for one in now]


def _named(numbers: list[int]) -> str:
    shown = ", ".join(f"#{number}" for number in numbers[:3])
    more = f" and {len(numbers) - 3} more" if len(numbers) > 3 else ""
    return f"{shown}{more} {'was' if len(numbers) == 1 else 'were'}" if numbers else "Tickets of this branch were"


def _undo_move(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    (was, now), (was_before, now_before) = entry.data["parent"], entry.data["before"]
    above = ticket.parent.number if ticket.parent else None
    _require_same(ticket, (above, tree.following(ticket)) == (now, now_before), "or a ticket beside it was moved")
    beside = Ticket.objects.filter(incident=ticket.incident, number=was_before, parent__number=was).exists()
    return actions.move_ticket(
        actor=actor, ticket=ticket, parent=None if was == ROOT_NUMBER else was, before=was_before if beside else None,
        undoes=entry.seq,
    )  # fmt: skip


class Past:
    """What tickets were as entries found them, and as they left them; read at once for all of them."""

    def __init__(self, entries: Sequence[JournalEntry]) -> None:
        self._history: Any = Ticket.history
        label = self._history.model._meta.label
        last = {entry.seq: max(map(int, entry.history.get(label, {"0": ""}))) for entry in entries}
        steps: dict[str, list[int]] = {}
        rows = self._history.filter(id__in={int(entry.target_id) for entry in entries}).order_by("history_id")
        for pk, key in rows.filter(history_id__lte=max(last.values(), default=0)).values_list("id", "history_id"):
            steps.setdefault(str(pk), []).append(key)
        self._pairs = {
            entry.seq: [key for key in steps.get(entry.target_id, ()) if key <= last[entry.seq]][-2:][::-1]
            for entry in entries
        }
        self._rows = self._history.in_bulk({key for pair in self._pairs.values() for key in pair})
        self._people = User.objects.in_bulk({entry.data.get("before") or 0 for entry in entries if _gave(entry)})

    def rows(self, entry: JournalEntry) -> list[Any]:
        """The ticket as the entry left it, and as it found it."""
        pair = self._pairs[entry.seq]
        if len(pair) != 2:
            raise ValidationError("This cannot be undone.")
        return [self._rows[key] for key in pair]

    def person(self, pk: int | None) -> User | None:
        """Who had the ticket."""
        return self._people.get(pk or 0)


def _gave(entry: JournalEntry) -> bool:
    return entry.verb == "ticket.assigned"


def _assignment_back(batch: Batch, past: Past, ticket: Ticket, entry: JournalEntry) -> None:
    _require_same(ticket, ticket.assignee_id == entry.data["assignee"], "was assigned")
    steps.assign(batch, ticket, past.person(entry.data["before"]), undoes=entry.seq)


def _status_back(batch: Batch, past: Past, ticket: Ticket, entry: JournalEntry) -> None:
    new, old = past.rows(entry)
    _require_same(ticket, all(getattr(ticket, name) == getattr(new, name) for name in STATUS_FIELDS), "was changed")
    found = Found(times={name: getattr(old, name) for name in TIMES}, target=held_by(entry.data))
    steps.restate(
        batch, ticket, old.status, outcome=old.outcome, disposition=old.disposition,
        disposition_reason=old.disposition_reason, reason=old.dropped_reason, waiting_for=old.waiting_for,
        found=found, undoes=entry.seq,
    )  # fmt: skip


def _times_back(batch: Batch, past: Past, ticket: Ticket, entry: JournalEntry) -> None:
    """Priority and due time, which are all that a batch edits."""
    new, old = past.rows(entry)
    names = [name for name in ("priority", "due_at") if name in entry.data.get("changes", {})]
    _require_same(ticket, all(getattr(ticket, name) == getattr(new, name) for name in names), "was changed")
    fields = {name: getattr(old, name) for name in names}
    if "priority" in fields:
        fields["urgency"] = batch.priority(old.priority).urgency
    turned = batch.change(ticket, fields)
    batch.say("ticket.edited", ticket, undoes=entry.seq, **turned)


def _tags_back(batch: Batch, past: Past, ticket: Ticket, entry: JournalEntry) -> None:
    _require_same(ticket, batch.tags_of(ticket) == entry.data["new"], "was tagged")
    steps.tag(batch, ticket, entry.data["old"], undoes=entry.seq)


def _by_rule(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    with Batch(actor, ticket.incident, [ticket]) as batch:
        BACK[entry.verb](batch, Past([entry]), ticket, entry)
    return ticket


def _undo_lead(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    """Whether it is a lead, with result, hypothesis and origin, as the entry found it."""
    new, old = Past([entry]).rows(entry)
    _require_same(ticket, all(getattr(ticket, name) == getattr(new, name) for name in LEAD_FIELDS), "was changed")
    fields = {name: getattr(old, name) for name in LEAD_FIELDS}
    return put_back(actor=actor, ticket=ticket, fields=fields, undoes=entry.seq)


BACK: dict[str, Callable[[Batch, Past, Ticket, JournalEntry], None]] = {  # for one, and for a batch of them
    "ticket.assigned": _assignment_back,
    "ticket.status_changed": _status_back,
    "ticket.edited": _times_back,
    "ticket.tagged": _tags_back,
}
UNDO: dict[str, Callable[[Actor, Ticket, JournalEntry], Ticket]] = {
    "ticket.added": _undo_add,
    "ticket.branch_dropped": _undo_drop,
    "ticket.moved": _undo_move,
    "ticket.assigned": _by_rule,
    "ticket.status_changed": _by_rule,
    "ticket.tagged": _by_rule,
    "ticket.lead_marked": _undo_lead,
    "ticket.lead_resolved": _undo_lead,
}
