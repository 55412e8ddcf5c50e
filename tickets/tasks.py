"""Doors for workers: clocks that turn, and chores that go through incident after incident."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import shared_task
from django.core.files.storage import default_storage
from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from core.actors import SYSTEM, Actor
from incidents.models import Incident, Status
from tickets.actions import clocks, vocabulary
from tickets.models import Chore, ChoreKind, Ticket, TicketPriority, TicketStatus
from tickets.queries.turns import incidents_with_turned

log = logging.getLogger(__name__)
MOST_INCIDENTS = 100  # whose clocks one sweep looks at; the next one comes soon


@shared_task
def turn_clocks() -> None:
    """Write down whose clock is at risk or has run out; each incident by itself, so that one cannot hold up others."""
    for incident in incidents_with_turned(timezone.now(), most=MOST_INCIDENTS):
        try:
            clocks.turn_clocks(actor=SYSTEM, incident=incident)
        except DatabaseError:
            log.exception("The clocks of %s wait for the next sweep.", incident.number)


class LostLeaseError(Exception):
    """Another worker has taken the chore over."""


@shared_task
def do_chore(pk: int) -> None:
    """Do one chore to its end; after a crash the sweep sends it again, and what is done already is found done."""
    chore = Chore.claim(pk)
    if chore is None:
        return
    try:
        DO[ChoreKind(chore.kind)](chore)
        chore.finish()
    except LostLeaseError:
        log.info("%s was taken over.", chore)
    except (OSError, DatabaseError) as problem:
        log.exception("%s is interrupted.", chore)
        chore.put_back(error=f"{type(problem).__name__}: {problem}", delay=timedelta(seconds=30))


def _actor(chore: Chore) -> Actor:
    return chore.asked_by or SYSTEM


def _incidents(tickets: QuerySet[Ticket]) -> list[Incident]:
    """The incidents of these tickets, in ascending order of their keys."""
    keys = tickets.order_by().values("incident")
    return list(Incident.objects.filter(pk__in=keys).order_by("pk"))


def _each(chore: Chore, tickets: QuerySet[Ticket], step: Callable[[Incident], object]) -> None:
    """Take the step for every incident of the tickets, holding the lease."""
    for incident in _incidents(tickets):
        _hold(chore)
        step(incident)


def _hold(chore: Chore) -> None:
    if not chore.renew():
        raise LostLeaseError


def _move_status(chore: Chore) -> None:
    words = TicketStatus.objects.in_bulk(field_name="code")
    _move(chore, "status", words, vocabulary.restate_tickets)


def _move_priority(chore: Chore) -> None:
    words = TicketPriority.objects.in_bulk(field_name="code")
    _move(chore, "priority", words, vocabulary.prioritise_tickets)


def _move(chore: Chore, field: str, words: dict[str, Any], act: Callable[..., int]) -> None:
    """Move tickets, 200 at a time, until none is left: somebody may have saved one that was chosen just before."""
    old, by = words.get(chore.data["from"]), words.get(chore.data["to"])
    rows = Ticket.objects.filter(**{field: chore.data["from"]})
    while old and by and rows.exists():  # either may be deleted by now, having no tickets
        _each(chore, rows, lambda one: act(actor=_actor(chore), incident=one, old=old, by=by))


def _follow_urgency(chore: Chore) -> None:
    priority = TicketPriority.objects.filter(code=chore.data["priority"]).first()
    if priority is not None:
        rows = Ticket.objects.filter(priority=priority.code)
        _each(chore, rows, lambda one: vocabulary.follow_urgency(actor=SYSTEM, incident=one, priority=priority))


def _wind_to_target(chore: Chore) -> None:
    priority = chore.data["priority"]
    rows = Ticket.objects.unfinished().filter(priority=priority, incident__severity=chore.data["severity"])
    _each(
        chore, rows.exclude(incident__status=Status.CLOSED),
        lambda one: clocks.wind_clocks(actor=SYSTEM, incident=one, priority=priority, reason="The targets are new."),
    )  # fmt: skip


def _remove_files(chore: Chore) -> None:
    for key in chore.data["keys"]:
        default_storage.delete(key)


DO: dict[ChoreKind, Callable[[Chore], None]] = {
    ChoreKind.STATUS: _move_status,
    ChoreKind.PRIORITY: _move_priority,
    ChoreKind.URGENCY: _follow_urgency,
    ChoreKind.TARGET: _wind_to_target,
    ChoreKind.FILES: _remove_files,
}
