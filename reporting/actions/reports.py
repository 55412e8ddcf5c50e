"""Asking for a report, taking the wish back, and what became of it."""

import datetime as dt
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Max
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from core.models.work import WorkState
from core.work import wake
from incidents.models import Incident
from reporting.models import ReportJob
from tickets.models import Comment


class LeaseLost(Exception):
    """The job was cancelled or taken by another worker meanwhile: what was made must not be kept."""


@dataclass(frozen=True)
class Made:
    """A finished file, and the state of the journal that it shows."""

    content: bytes
    pages: int
    head: tuple[int, str]
    as_of: dt.datetime


@action
def request_report(*, actor: Actor, incident: Incident, comments: Iterable[int] = ()) -> ReportJob:
    """Ask for the next version; closed incidents too, because that is when reports are written.

    Raises:
        ValidationError: a version is being made already.
    """
    incident = Incident.objects.lock(incident.pk)
    made = ReportJob.objects.filter(incident=incident)
    if waiting := made.unfinished().first():
        raise ValidationError(f"Version {waiting.version_number} is being made. Wait for it, or cancel it.")
    chosen = Comment.objects.filter(ticket__incident=incident, pk__in=list(comments)).values_list("pk", flat=True)
    last: int = made.aggregate(Max("version_number"))["version_number__max"] or 0
    job = ReportJob.objects.create(
        incident=incident, requested_by_id=actor.pk if actor.actor_kind == "user" else None,
        version_number=last + 1, comments=sorted(chosen),
    )  # fmt: skip
    journal.record("report.requested", actor=actor, subject=job, version=job.version_number, comments=job.comments)
    wake(job)
    return job


@action
def cancel_report(*, actor: Actor, job: ReportJob) -> None:
    """Stop a report that is not there yet; the worker notices within a second.

    Raises:
        ValidationError: it has ended already.
    """
    stopped = ReportJob.objects.filter(pk=job.pk).unfinished()
    if not stopped.update(state=WorkState.CANCELLED, finished_at=timezone.now()):
        raise ValidationError("This report has ended already.")
    journal.record("report.cancelled", actor=actor, subject=job, version=job.version_number)


def key_of(job: ReportJob, attempt: int) -> str:
    """Where the file of one attempt lies: a random name of ours, no part of it typed by anybody."""
    return f"reports/{job.uuid.hex[:2]}/{job.uuid.hex}.{attempt}"


def keep_report(*, actor: Actor, job: ReportJob, made: Made) -> None:
    """Store the file and end the job; without the end there is no file.

    Raises:
        LeaseLost: the job is not this worker's any more.
    """
    key = default_storage.save(key_of(job, job.attempts), ContentFile(made.content))
    try:
        _finish(actor=actor, job=job, made=made, key=key)
    except BaseException:
        default_storage.delete(key)
        raise


@action
def _finish(*, actor: Actor, job: ReportJob, made: Made, key: str) -> None:
    if not job.finish():
        raise LeaseLost
    digest = hashlib.sha256(made.content).hexdigest()
    seq, hash_ = made.head
    ReportJob.objects.filter(pk=job.pk).update(
        key=key, sha256=digest, size=len(made.content), pages=made.pages, head_seq=seq, head_hash=hash_,
        as_of=made.as_of,
    )  # fmt: skip
    journal.record(
        "report.made", actor=actor, subject=job, version=job.version_number, sha256=digest, size=len(made.content),
        pages=made.pages, head=[seq, hash_],
    )  # fmt: skip


@action
def fail_report(*, actor: Actor, job: ReportJob, reason: str) -> None:
    """Say that it could not be made, and why, in words for the person who asked."""
    if job.finish(WorkState.FAILED, error=reason):
        journal.record("report.failed", actor=actor, subject=job, version=job.version_number, reason=reason)


@action
def note_download(*, actor: Actor, job: ReportJob) -> None:
    """Write down that somebody took the report."""
    journal.record(
        "report.downloaded", actor=actor, subject=job, version=job.version_number, sha256=job.sha256
    )  # fmt: skip
