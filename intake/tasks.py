"""The door for workers: read one file to its end, batch by batch."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import islice
from typing import BinaryIO, cast

from celery import shared_task
from django.core.files.storage import default_storage
from django.db import DatabaseError

from core.actors import Machine
from intake.actions.imports import LostLease, finish_import, import_batch
from intake.adapters import all_adapters, detect
from intake.models import ImportJob
from intake.splitting import Piece, split

log = logging.getLogger(__name__)
BATCH_PIECES, BATCH_BYTES = 200, 2 * 2**20
LOOK_AT = 20  # records the format is told from


def batches(pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
    """The pieces in batches of at most 200 and about 2 MB."""
    batch: list[Piece] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece.raw)
        if len(batch) >= BATCH_PIECES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _format(job: ImportJob) -> str:
    """What was said, or what the first records look like; empty if they look like nothing we know."""
    if job.format:
        return job.format
    with default_storage.open(job.key) as stream:
        readable = (piece.value for piece in islice(split(cast(BinaryIO, stream)), 200) if piece.value is not None)
        return detect(list(islice(readable, LOOK_AT))) or ""


def _verdict(job: ImportJob, format_: str) -> str:
    if job.problems and not job.records:
        known = ", ".join(adapter.label for adapter in all_adapters().values())
        return "Nothing in this file could be read." if format_ else f"This is no format we can read: {known}."
    return ""


def _take_in(
    actor: Machine, job: ImportJob, format_: str, pieces: list[Piece], progress: Callable[[ImportJob], None] | None
) -> ImportJob:
    """One batch, in as many transactions as its alerts need."""
    while pieces:
        job = import_batch(actor=actor, job=job, format=format_, pieces=pieces)
        pieces = [piece for piece in pieces if piece.end > job.position]
        if progress:
            progress(job)
    return job


def read_file(job: ImportJob, *, progress: Callable[[ImportJob], None] | None = None) -> ImportJob:
    """Import the file from where it stands to its end. The worker and the command line come through here."""
    actor = Machine(actor_kind="source", actor_name=f"import {job.name}", pk=job.pk)
    format_ = _format(job)
    with default_storage.open(job.key) as stream:
        for batch in batches(split(cast(BinaryIO, stream), start=job.position, start_line=job.next_line)):
            job = _take_in(actor, job, format_, batch, progress)
            if not format_:
                break  # one batch shows what is in it; a million lines of it would say no more
    return finish_import(actor=actor, job=job, error=_verdict(job, format_))


@shared_task
def run_import(pk: int) -> None:
    """Import one uploaded file; after a crash the sweep sends it again, and it goes on where it stood."""
    job = ImportJob.claim(pk)
    if job is None:
        return
    try:
        read_file(job)
    except LostLease:
        log.info("Import %s was taken over or cancelled.", pk)
    except (OSError, DatabaseError) as problem:
        log.exception("Import %s is interrupted.", pk)
        reason = f"{type(problem).__name__}: the file or the database could not be read."
        job.put_back(error=reason, delay=timedelta(seconds=20))
