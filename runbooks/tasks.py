"""Doors for workers: carry out automations."""

import logging
from datetime import timedelta

from celery import shared_task
from django.db import DatabaseError

from runbooks import engine
from runbooks.actions.executions import LostLeaseError
from runbooks.models import Execution

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
