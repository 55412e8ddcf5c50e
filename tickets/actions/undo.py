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
from people.models import User
from tickets import clocks, tree
from tickets.actions import tickets as actions
from tickets.actions.blockers import freed
from tickets.actions.leads import LEAD_FIELDS, put_back
from tickets.actions.steps import TIMES, Found, change, change_all, held_by, priority_of
from tickets.actions.tags import set_tags, tags_of
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
        ValidationError: it is not the actor's, cannot be taken back, the same was changed since, or the ordinary action
            refuses.
    """
    incident = Incident.objects.lock_all(ticket.incident_id)[0]
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
    restored, turned = _restore(incident, entry)
    journal.record(
        "ticket.all_restored", actor=actor, subject=incident, changed=False, tickets=restored, undoes=entry.seq,
        **turned,
    )  # fmt: skip
    return len(restored)


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
    for part in JournalEntry.objects.filter(stream=entry.stream, seq__in=entry.data["entries"]).order_by("-seq"):
        ticket = Ticket.objects.filter(incident=incident, pk=part.target_id).first()
        undo = OF_BATCHES.get(part.verb)
        if ticket is None or undo is None:
            raise ValidationError("This cannot be undone.")
        ticket.incident = incident
        undo(actor, ticket, part)
    numbers: list[int] = entry.data["tickets"]
    journal.record(
        "tickets.change_undone", actor=actor, subject=incident, changed=False, tickets=numbers, undoes=entry.seq
    )
    return len(numbers)


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
    turned = actions.drop_each(incident, rows, MISTAKE)
    tree.recount(incident)
    numbers = [one.number for one in rows]
    journal.record(
        "tickets.uprooted", actor=actor, subject=incident, changed=False, tickets=numbers, undoes=entry.seq, **turned,
        **freed([one.pk for one in rows]),
    )  # fmt: skip
    return len(numbers)


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
    incident = tree.lock(ticket.incident_id)
    restored, turned = _restore(incident, entry)
    ticket = tree.fresh(incident, ticket.number)
    journal.record(
        "ticket.branch_restored", actor=actor, subject=ticket, changed=ticket.number in restored, tickets=restored,
        undoes=entry.seq, **turned,
    )  # fmt: skip
    return ticket


def _history_of(entry: JournalEntry) -> Any:
    """The rows of tickets' history that the entry answers for."""
    history: Any = Ticket.history
    return history.filter(history_id__in=[*map(int, entry.history.get(history.model._meta.label, {}))])


def _restore(incident: Incident, entry: JournalEntry) -> tuple[list[int], dict[str, Any]]:
    """Give the tickets that the entry dropped what they had before it. The incident is locked and open.

    Gives their numbers, and what the entry says of their clocks.

    Raises:
        ValidationError: one of them was changed since, or is not in this incident any more.
    """
    dropped = {row.id: row for row in _history_of(entry) if row.number in entry.data["tickets"]}
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
    changes, known = [], clocks.targets(incident.severity)
    for ticket in now:
        ticket.incident, row = incident, before[ticket.pk]
        fields = {**row, "category": categories[row["status"]]}
        changes.append((ticket, fields, known.get(ticket.priority, clocks.NO_TARGET)))
    turned = change_all(changes)
    tree.recount(incident)
    return [ticket.number for ticket in now], turned


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


def _undo_assignment(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    _require_same(ticket, ticket.assignee_id == entry.data["assignee"], "was assigned")
    before = User.objects.filter(pk=entry.data["before"]).first() if entry.data["before"] else None
    return actions.assign_ticket(actor=actor, ticket=ticket, assignee=before, undoes=entry.seq)


def _rows_of(ticket: Ticket, entry: JournalEntry) -> list[Any]:
    """The ticket as the entry left it, and as it found it."""
    history: Any = Ticket.history
    last = max(map(int, entry.history.get(history.model._meta.label, {"0": ""})))
    rows = list(history.filter(id=ticket.pk, history_id__lte=last).order_by("-history_id")[:2])
    if len(rows) != 2:
        raise ValidationError("This cannot be undone.")
    return rows


def _undo_status(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    new, old = _rows_of(ticket, entry)
    _require_same(ticket, all(getattr(ticket, name) == getattr(new, name) for name in STATUS_FIELDS), "was changed")
    found = Found(times={name: getattr(old, name) for name in TIMES}, target=held_by(entry.data))
    return actions.set_status(
        actor=actor, ticket=ticket, status=old.status, outcome=old.outcome, disposition=old.disposition,
        disposition_reason=old.disposition_reason, reason=old.dropped_reason, waiting_for=old.waiting_for,
        found=found, undoes=entry.seq,
    )  # fmt: skip


def _undo_times(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    """Priority and due time, which are all that a batch edits."""
    new, old = _rows_of(ticket, entry)
    names = [name for name in ("priority", "due_at") if name in entry.data.get("changes", {})]
    _require_same(ticket, all(getattr(ticket, name) == getattr(new, name) for name in names), "was changed")
    fields = {name: getattr(old, name) for name in names}
    if "priority" in fields:
        fields["urgency"] = priority_of(old.priority).urgency
    turned = change(ticket, fields)
    tree.recount(ticket.incident)
    journal.record("ticket.edited", actor=actor, subject=ticket, undoes=entry.seq, **turned)
    return ticket


def _undo_tags(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    _require_same(ticket, tags_of(ticket) == entry.data["new"], "was tagged")
    return set_tags(actor=actor, ticket=ticket, tags=entry.data["old"], undoes=entry.seq)


def _undo_lead(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    """Whether it is a lead, with result, hypothesis and origin, as the entry found it."""
    new, old = _rows_of(ticket, entry)
    _require_same(ticket, all(getattr(ticket, name) == getattr(new, name) for name in LEAD_FIELDS), "was changed")
    fields = {name: getattr(old, name) for name in LEAD_FIELDS}
    return put_back(actor=actor, ticket=ticket, fields=fields, undoes=entry.seq)


UNDO: dict[str, Callable[[Actor, Ticket, JournalEntry], Ticket]] = {
    "ticket.added": _undo_add,
    "ticket.branch_dropped": _undo_drop,
    "ticket.moved": _undo_move,
    "ticket.assigned": _undo_assignment,
    "ticket.status_changed": _undo_status,
    "ticket.lead_marked": _undo_lead,
    "ticket.lead_resolved": _undo_lead,
    "ticket.tagged": _undo_tags,
}
OF_BATCHES = {**UNDO, "ticket.edited": _undo_times}
