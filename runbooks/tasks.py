"""Doors for workers: carry out automations, remind of reviews."""

import logging
from datetime import timedelta

from celery import shared_task
from django.db import DatabaseError

from core.actors import SYSTEM
from runbooks import engine
from runbooks.actions.executions import LostLeaseError
from runbooks.actions.reviews import remind_of_review
from runbooks.models import Execution
from runbooks.queries.documents import near_review

log = logging.getLogger(__name__)


@shared_task
def execute(pk: int) -> None:
    """Carry out one execution to its end, or to where it has to wait."""
    execution = Execution.claim(pk)
    if execution is None:
        return
    try:
        engine.carry_out(execution)
    except LostLeaseError as lost:
        log.info("%s", lost)
    except (OSError, DatabaseError) as problem:
        log.error("Execution %s is interrupted (%s).", pk, type(problem).__name__)
        error = f"Interrupted: {type(problem).__name__}."
        execution.put_back(error=error, delay=timedelta(seconds=30 * execution.attempts))


@shared_task
def remind_of_reviews() -> None:
    """Remind of reviews that are near or late; asked every hour, said once a day at most."""
    for document in near_review():
        try:
            remind_of_review(actor=SYSTEM, document=document)
        except DatabaseError:
            log.exception("The review of %s is told of in an hour.", document.slug)
