"""Waking workers. A dead broker delays work: it never loses it and never fails the request."""

import logging
import time
from datetime import timedelta

from celery import current_app
from django.apps import apps
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from core.models.work import Work, WorkState

log = logging.getLogger(__name__)
QUIET_SECONDS = 10.0
AGAIN = timedelta(seconds=60)  # a row that was woken is woken again after this, should the message be lost
_broker_failed_at = 0.0


def later(attempts: int) -> timedelta:
    """How long to wait after so many failures of a mail server: 2 minutes, doubling up to 4 hours; 12 make a day."""
    return min(timedelta(minutes=2**attempts), timedelta(hours=4))


def kinds() -> list[type[Work]]:
    """Every model that is work."""
    return [model for model in apps.get_models() if issubclass(model, Work)]


def wake(work: Work) -> None:
    """After commit, tell a worker of this row. Failing to is no error: the sweep finds it."""
    transaction.on_commit(lambda: send(work.task, work.pk), robust=True)


def send(task: str, pk: int) -> bool:
    """Publish one message; False where the broker cannot be reached (then it is left alone for ten seconds)."""
    global _broker_failed_at  # noqa: PLW0603 (one broker for the process)
    if time.monotonic() - _broker_failed_at < QUIET_SECONDS and _broker_failed_at:
        return False
    try:
        current_app.send_task(task, args=[pk], retry=False, ignore_result=True, argsrepr="", kwargsrepr="")
    except (OperationalError, OSError) as problem:
        _broker_failed_at = time.monotonic()
        log.warning("The queue cannot be reached (%s); work waits in the database.", type(problem).__name__)
        return False
    _broker_failed_at = 0.0
    return True


def _give_up(row: Work) -> None:
    """A worker died with this row once too often."""
    error = f"Given up: the worker died {row.attempts} times."
    with transaction.atomic():
        if row.finish(WorkState.FAILED, error=error):
            row.given_up(error)


def sweep() -> dict[str, int]:
    """Put expired leases back, quarantine what failed too often, wake what is due. Gives counts by model."""
    found: dict[str, int] = {}
    for kind in kinds():
        now, rows = timezone.now(), kind._default_manager
        expired = rows.filter(state=WorkState.RUNNING, due__lt=now)
        for row in expired.filter(attempts__gte=kind.most_attempts):
            _give_up(row)
        expired.update(state=WorkState.QUEUED, due=now)
        due = list(rows.filter(Q(state=WorkState.QUEUED, due__lte=now)).values_list("pk", flat=True)[:500])
        rows.filter(pk__in=due, state=WorkState.QUEUED, attempts=0).update(due=now + AGAIN)
        found[kind.__name__] = sum(send(kind.task, pk) for pk in due)
    return found
