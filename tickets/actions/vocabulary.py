"""Statuses and priorities that give way to others: first nobody can choose them any more, then their tickets move."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from core import journal
from core.actions import action
from core.actors import Actor
from core.models.work import WorkState
from core.work import wake
from incidents.models import Incident
from tickets import tree
from tickets.actions.clocks import wind
from tickets.models import Chore, ChoreKind, Ticket, TicketPriority, TicketStatus

MOST_RESTATED = 200  # tickets in one transaction


@action
def replace_status(*, actor: Actor, status: TicketStatus, by: TicketStatus) -> Chore:
    """Give no ticket this status any more, and have a worker move those that have it to the other one.

    Raises:
        ValidationError: it is one of the five that stay, or the other is itself, no longer given, or of another
            category (which would change what has been done, and what is left to do); or tickets are still on their
            way from or to it.
    """
    status, by = _locked(TicketStatus.objects.all(), status.pk, by.pk)
    if status.is_first:
        raise ValidationError(f"{status} stays: every category keeps the status it began with. You can rename it.")
    if by.category != status.category:
        meant = status.get_category_display()
        raise ValidationError({"by": f"{status} means “{meant}”: only a status that means the same can replace it."})
    _require_other(status, by)
    return _retire("ticketstatus.replaced", ChoreKind.STATUS, actor, status, by)


@action
def replace_priority(*, actor: Actor, priority: TicketPriority, by: TicketPriority) -> Chore:
    """Give no ticket this priority any more, and have a worker move those that have it to the other one.

    Raises:
        ValidationError: it is the one that tickets begin with, or the other is itself or no longer given; or tickets
            are still on their way from or to it.
    """
    priority, by = _locked(TicketPriority.objects.all(), priority.pk, by.pk)
    if priority.is_first:
        raise ValidationError(f"{priority} stays: tickets that nobody gave a priority have it. You can rename it.")
    _require_other(priority, by)
    return _retire("ticketpriority.replaced", ChoreKind.PRIORITY, actor, priority, by)


def _locked(rows: QuerySet[Any], *pks: int) -> list[Any]:
    """These rows in the order asked for, locked in the order of their keys."""
    found = {row.pk: row for row in rows.select_for_update().filter(pk__in=pks).order_by("pk")}
    if not found.keys() >= set(pks):
        raise ValidationError("This is gone: somebody deleted it.")
    return [found[pk] for pk in pks]


def is_moving(word: TicketStatus | TicketPriority) -> bool:
    """Whether tickets are still on their way from this word to another one, or from another one to it.

    Until they have arrived, what is said of the word must stay true: it is neither deleted nor given again, means what
    it meant, and is not replaced itself. Who relies on the answer has locked the word's row.
    """
    kind = ChoreKind.STATUS if isinstance(word, TicketStatus) else ChoreKind.PRIORITY
    waiting = Chore.objects.filter(kind=kind, state__in=[WorkState.QUEUED, WorkState.RUNNING])
    return waiting.filter(Q(data__from=word.code) | Q(data__to=word.code)).exists()


def _require_other(old: TicketStatus | TicketPriority, by: TicketStatus | TicketPriority) -> None:
    if by.pk == old.pk:
        raise ValidationError({"by": f"{old} cannot replace itself."})
    if not by.active:
        raise ValidationError({"by": f"{by} is no longer given: choose one that is."})
    if is_moving(old):
        raise ValidationError(f"Tickets are still being moved from or to {old}: try again in a few minutes.")


def _retire(
    verb: str, kind: ChoreKind, actor: Actor, old: TicketStatus | TicketPriority, by: TicketStatus | TicketPriority
) -> Chore:
    old.active = False
    old.save(update_fields=["active"])
    person = actor.pk if actor.actor_kind == "user" else None
    chore = Chore.objects.create(kind=kind, data={"from": old.code, "to": by.code}, asked_by_id=person)
    journal.record(verb, actor=actor, subject=old, stream="reference", by=by.code)
    wake(chore)
    return chore


@action
def restate_tickets(*, actor: Actor, incident: Incident, old: TicketStatus, by: TicketStatus) -> int:
    """Move tickets of the incident, open or closed, from one status to the other; gives how many (at most 200).

    The category stays, and with it every time, count and clock.
    """
    incident = Incident.objects.lock(incident.pk)
    rows = list(Ticket.objects.filter(incident=incident, status=old.code).order_by("number")[:MOST_RESTATED])
    for ticket in rows:
        ticket.incident = incident
        ticket.apply({"status": by.code})
    _note(actor, incident, "status", [old, by], rows)
    return len(rows)


@action
def prioritise_tickets(*, actor: Actor, incident: Incident, old: TicketPriority, by: TicketPriority) -> int:
    """Move tickets of the incident, open or closed, from one priority to the other; gives how many (at most 200).

    Open ones are held to the targets of their new priority; those that have ended keep the clock they ended with.
    """
    incident = Incident.objects.lock(incident.pk)
    by = TicketPriority.objects.get(pk=by.pk)  # a later urgency comes after us
    rows = list(Ticket.objects.filter(incident=incident, priority=old.code).order_by("number")[:MOST_RESTATED])
    turned: dict[int, list[str]] = {}
    for ticket in rows:
        ticket.incident = incident
        ticket.apply({"priority": by.code, "urgency": by.urgency})
    if incident.is_open:
        wound = wind(incident, Ticket.objects.filter(pk__in=[ticket.pk for ticket in rows]))
        turned = {number: states for number, states in wound.items() if states[0] != states[1]}
        tree.recount(incident)
    _note(actor, incident, "priority", [old, by], rows, turned=turned)
    return len(rows)


def _note(
    actor: Actor, incident: Incident, field: str, words: list[Any], rows: list[Ticket], *,
    turned: Mapping[int, list[str]] | None = None,
) -> None:  # fmt: skip
    if rows:
        old, by = words
        journal.record(
            "ticket.restated", actor=actor, subject=incident, changed=False, tickets=[row.number for row in rows],
            field=field, codes=[old.code, by.code], old_name=old.name, new_name=by.name,
            clocks=dict(turned or {}),
        )  # fmt: skip


@action
def follow_urgency(*, actor: Actor, incident: Incident, priority: TicketPriority) -> int:
    """Bring the tickets of the incident up to the urgency of their priority; gives how many were behind.

    It is a derived column, by which lists are sorted: the tickets' versions stay.
    """
    incident = Incident.objects.lock(incident.pk)  # whoever read the urgency before has written it by now
    found = TicketPriority.objects.filter(pk=priority.pk).first()  # it may have been changed again, or be gone
    if found is None:
        return 0
    behind = Ticket.objects.filter(incident=incident, priority=found.code).exclude(urgency=found.urgency)
    numbers = list(behind.order_by("number").values_list("number", flat=True))
    behind.update(urgency=found.urgency)
    if numbers:
        journal.record(
            "ticket.urgency_followed", actor=actor, subject=incident, changed=False, tickets=numbers,
            named=found.name,
        )  # fmt: skip
    return len(numbers)
