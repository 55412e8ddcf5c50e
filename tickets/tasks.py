"""Doors for workers: clocks that turn, and chores that go through incident after incident."""

import logging
from collections.abc import Callable
from datetime import timedelta

from celery import shared_task
from django.core.files.storage import default_storage
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from core.actors import SYSTEM, Actor
from core.models.work import WorkState
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


STRAGGLERS = timedelta(seconds=60)  # after which no transaction is left that read a word before it was retired
Word = TicketStatus | TicketPriority


class SetAsideError(Exception):
    """The chore can never be done: what it was asked for no longer makes sense. Says why."""


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
    except SetAsideError as problem:
        log.error("%s is set aside: %s", chore, problem)
        chore.finish(WorkState.FAILED, error=str(problem))
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
    _move(chore, "status", TicketStatus, vocabulary.restate_tickets)


def _move_priority(chore: Chore) -> None:
    _move(chore, "priority", TicketPriority, vocabulary.prioritise_tickets)


def _move(chore: Chore, field: str, kind: type[Word], act: Callable[..., int]) -> None:
    """Move tickets, 200 at a time, until none is left: somebody may have saved one that was chosen just before.

    And look again a minute later: a transaction that had read the word before it was retired may only now have given
    it to a ticket. Until that is done the word cannot be deleted (`vocabulary.is_moving`).
    """
    rows = Ticket.objects.filter(**{field: chore.data["from"]})

    def step(incident: Incident) -> None:
        old, by = _words(chore, kind)  # as they are now: an admin may have changed them meanwhile
        act(actor=_actor(chore), incident=incident, old=old, by=by)

    while rows.exists():
        _each(chore, rows, step)
    if "again" not in chore.data:
        with transaction.atomic():
            _hold(chore)
            data = {**chore.data, "again": True}
            due = timezone.now() + STRAGGLERS
            Chore.objects.get_or_create(
                kind=chore.kind, data=data, state=WorkState.QUEUED,
                defaults={"due": due, "asked_by": chore.asked_by},
            )  # fmt: skip


def _words(chore: Chore, kind: type[Word]) -> tuple[Word, Word]:
    """What tickets have, and what they get instead.

    Raises:
        SetAsideError: the one is given again, or either is gone, or nothing that means the same is given in its place.
    """
    words: dict[str, Word] = {word.code: word for word in kind._default_manager.all()}
    old = words.get(chore.data["from"])
    if old is None or old.active:
        raise SetAsideError(f"“{chore.data['from']}” is {'given again' if old else 'gone'}, but tickets have it.")
    by, tried = words.get(chore.data["to"]), {old.code}
    while by is not None and not by.active and by.code not in tried:  # replaced itself: tickets go where its own go
        tried.add(by.code)
        onward = Chore.objects.filter(kind=chore.kind, data__from=by.code).order_by("-pk").first()
        by = words.get(onward.data["to"]) if onward else None
    if by is None or not by.active or getattr(by, "category", "") != getattr(old, "category", ""):
        raise SetAsideError(f"“{chore.data['to']}” is not given any more: replace {old} once more, by another.")
    return old, by


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
