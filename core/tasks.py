"""Doors for workers: react to an entry, sweep what was lost, anchor the journal."""

import logging
import tempfile
from datetime import timedelta
from importlib import import_module
from pathlib import Path

from celery import shared_task
from django.conf import settings
from django.db import DatabaseError, transaction

from core import anchors, work
from core.models import Reaction
from core.reactions import HANDLERS

log = logging.getLogger(__name__)
ALIVE = Path(tempfile.gettempdir()) / "treeline-worker-alive"  # what the health check of a worker looks at


@shared_task
def react(pk: int) -> None:
    """Run one handler about one entry; its effect and its end are one transaction."""
    reaction = Reaction.claim(pk)
    if reaction is None:
        return
    handler = HANDLERS.get(reaction.handler)
    if handler is None:
        reaction.put_back(error=f"No handler named {reaction.handler}.", delay=timedelta(minutes=5))
        return
    try:
        with transaction.atomic():
            handler(reaction.entry)
            if not reaction.finish():
                raise DatabaseError("The lease was lost to another worker.")
    except Exception as problem:
        log.exception("Reaction %s failed.", reaction)
        reaction.put_back(error=f"{type(problem).__name__}: {problem}", delay=timedelta(seconds=30 * reaction.attempts))


@shared_task
def sweep() -> None:
    """Find what a dead worker or broker left behind, and leave a sign that this worker lives."""
    work.sweep()
    ALIVE.touch()


@shared_task
def anchor() -> None:
    """Write the heads of all chains to the file outside the database."""
    anchors.write()


@shared_task
def clear_sessions() -> None:
    """Delete sessions that ran out."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
