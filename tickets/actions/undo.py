"""Taking back what was just done: a new change with its own line in the journal, never an erased one."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from core.actions import action
from core.actors import Actor
from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tickets import tree
from tickets.actions import tickets as actions
from tickets.models import Ticket
from tickets.models.tickets import ROOT_NUMBER

STATUS_FIELDS = ("status", "outcome", "disposition", "waiting_for", "dropped_reason")


@action
def undo_change(*, actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    """Put back what the entry changed, by the ordinary action, if nobody changed the same since.

    Raises:
        ValidationError: it cannot be taken back, the same was changed since, or the ordinary action refuses.
    """
    incident = Incident.objects.lock_all(ticket.incident_id)[0]
    ticket = tree.fresh(incident, ticket.number)
    undo = UNDO.get(entry.verb)
    if undo is None or entry.target_type != Ticket._meta.label or entry.target_id != str(ticket.pk):
        raise ValidationError("This cannot be undone.")
    return undo(actor, ticket, entry)


def _require_same(ticket: Ticket, unchanged: bool, what: str) -> None:
    if not unchanged:
        raise ValidationError(f"#{ticket.number} {what} again since then: look at it before you change it back.")


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


def _undo_status(actor: Actor, ticket: Ticket, entry: JournalEntry) -> Ticket:
    history: Any = Ticket.history
    last = max(map(int, entry.history.get(history.model._meta.label, {"0": ""})))
    rows = list(history.filter(id=ticket.pk, history_id__lte=last).order_by("-history_id")[:2])
    if len(rows) != 2:
        raise ValidationError("This cannot be undone.")
    new, old = rows
    _require_same(ticket, all(getattr(ticket, name) == getattr(new, name) for name in STATUS_FIELDS), "was changed")
    return actions.set_status(
        actor=actor, ticket=ticket, status=old.status, outcome=old.outcome, disposition=old.disposition,
        reason=old.dropped_reason, waiting_for=old.waiting_for, undoes=entry.seq,
    )  # fmt: skip


UNDO: dict[str, Callable[[Actor, Ticket, JournalEntry], Ticket]] = {
    "ticket.moved": _undo_move,
    "ticket.assigned": _undo_assignment,
    "ticket.status_changed": _undo_status,
}
