"""Bringing a file in: stored once, read in batches, each batch one transaction with the place to go on from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from core.files import Kept
from core.models.work import WorkState
from core.work import wake
from intake.actions.triage import open_for_critical
from intake.adapters import all_adapters
from intake.models import Alert, ImportJob, ImportProblem
from intake.records import Mapped, Record, Skipped, content_digest, dedup_key, group_key, shown_severity
from intake.splitting import RAW_CAP, Piece
from people.models import User

MOST_PROBLEMS = 10_000  # rows kept for download; beyond it they are only counted


class LostLease(Exception):
    """Another worker has the job, or somebody cancelled it: stop, and change nothing."""


@action
def request_import(*, actor: User, file: Kept, name: str, format: str = "", sensor: str = "") -> ImportJob:
    """Queue the import of a kept file.

    Raises:
        ValidationError: the format is unknown.
    """
    if format and format not in all_adapters():
        raise ValidationError(f"There is no format named {format}.")
    job = ImportJob.objects.create(
        name=name[:200], key=file.key, size=file.size, sha256=file.sha256, format=format, sensor=sensor,
        uploaded_by=actor,
    )  # fmt: skip
    journal.record("import.requested", actor=actor, subject=job, sha256=file.sha256, size=file.size, format=format)
    wake(job)
    return job


@dataclass
class Batch:
    """What the pieces of one batch say."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    problems: list[ImportProblem] = field(default_factory=list)
    records: int = 0
    skipped: int = 0
    repeated: int = 0
    problem_count: int = 0

    def take(self, job: ImportJob, piece: Piece, found: Mapped) -> None:
        """One alert of a piece; the same one twice in a batch counts as known."""
        if isinstance(found, Skipped):
            self.skipped += 1
            return
        alert = _alert(job, piece, found)
        if alert.dedup_key in self.alerts:
            self.repeated += 1
        else:
            self.alerts[alert.dedup_key] = alert


def _alert(job: ImportJob, piece: Piece, record: Record) -> Alert:
    if job.sensor and not record.source.instance:
        record = replace(record, source=replace(record.source, instance=job.sensor))
    key, _ = dedup_key(record, piece.value)
    return Alert(
        dedup_key=key, group_key=group_key(record), content_digest=content_digest(record), kind=record.kind,
        product=record.source.product[:255], instance=(record.source.instance or "")[:255],
        external_id=(record.external_id or "")[:2048], title=record.title[:300], description=record.description,
        severity=shown_severity(record.severity) or "", detected_at=record.detected_at, record=record.to_json(),
        raw=piece.raw.decode("utf-8", "replace").replace("\x00", "\ufffd"),
        raw_sha256=hashlib.sha256(piece.raw).hexdigest(), job=job, line=piece.line,
    )  # fmt: skip


def _problem(job: ImportJob, piece: Piece) -> ImportProblem:
    reason = piece.problem or "this is no record of a format we can read"
    return ImportProblem(job=job, line=piece.line, offset=piece.offset, reason=reason[:300], raw=piece.raw[:RAW_CAP])


def _read(job: ImportJob, format_: str, pieces: Sequence[Piece]) -> Batch:
    adapter, batch = all_adapters().get(format_), Batch()
    room = MOST_PROBLEMS - job.problems
    for piece in pieces:
        if piece.value is None or adapter is None:
            batch.problem_count += 1
            if len(batch.problems) < room:
                batch.problems.append(_problem(job, piece))
            continue
        batch.records += 1
        for found in adapter.map_record(piece.value):
            batch.take(job, piece, found)
    return batch


def _store(actor: Actor, batch: Batch) -> tuple[list[Alert], int]:
    """Save what is new, bring what changed up to date; gives the new alerts and the number updated."""
    known = {alert.dedup_key: alert for alert in Alert.objects.filter(dedup_key__in=batch.alerts).defer("raw")}
    new = [alert for key, alert in batch.alerts.items() if key not in known]
    Alert.objects.bulk_create(new)
    updated = 0
    for key, old in known.items():
        now = batch.alerts[key]
        if old.content_digest == now.content_digest:
            batch.repeated += 1
            continue
        updated += 1
        _update(actor, old, now)
    return new, updated


NEWS = ("title", "description", "severity", "detected_at", "group_key", "content_digest", "record", "raw", "raw_sha256")


def _update(actor: Actor, old: Alert, now: Alert) -> None:
    """The tool says something else about the same alert: its words change, what people did with it stays."""
    shown = ("title", "description", "severity", "detected_at", "content_digest")
    pairs = {name: (getattr(old, name), getattr(now, name)) for name in shown}
    changes = {name: [journal.shown(one), journal.shown(two)] for name, (one, two) in pairs.items() if one != two}
    for name in NEWS:
        setattr(old, name, getattr(now, name))
    old.save(update_fields=NEWS)
    journal.record("alert.updated", actor=actor, subject=old, changes=changes, job=now.job_id)


@action
def import_batch(*, actor: Actor, job: ImportJob, format: str, pieces: Sequence[Piece]) -> ImportJob:
    """Take in some pieces of the file: alerts, problems, counts and the place to go on are one transaction.

    Raises:
        LostLease: another worker has the job, or it was cancelled.
    """
    journal.hold("intake")
    if not job.renew():
        raise LostLease
    batch = _read(job, format, pieces)
    new, updated = _store(actor, batch)
    ImportProblem.objects.bulk_create(batch.problems)
    opened = open_for_critical(actor=actor, alerts=new, reporter=job.uploaded_by)
    last = pieces[-1]
    ImportJob.objects.filter(pk=job.pk).update(
        position=last.end, next_line=last.next_line, format=format, records=F("records") + batch.records,
        created=F("created") + len(new), updated=F("updated") + updated, repeated=F("repeated") + batch.repeated,
        skipped=F("skipped") + batch.skipped, problems=F("problems") + batch.problem_count,
        incidents=F("incidents") + opened,
    )  # fmt: skip
    if new:
        ids = [alert.pk for alert in new]
        journal.record("alerts.imported", actor=actor, subject=job, alerts=ids, lines=[pieces[0].line, last.next_line])
    return ImportJob.objects.get(pk=job.pk)


@action
def finish_import(*, actor: Actor, job: ImportJob, error: str = "") -> ImportJob:
    """End the job with its counts; with `error` it has failed."""
    journal.hold("intake")
    if not job.finish(WorkState.FAILED if error else WorkState.DONE, error=error):
        raise LostLease
    job = ImportJob.objects.get(pk=job.pk)
    counts = ("records", "created", "updated", "repeated", "skipped", "problems", "incidents")
    verb = "import.failed" if error else "import.finished"
    journal.record(verb, actor=actor, subject=job, error=error, **{name: getattr(job, name) for name in counts})
    return job


@action
def cancel_import(*, actor: Actor, job: ImportJob) -> ImportJob:
    """Stop reading the file; what is in stays in.

    Raises:
        ValidationError: it has ended already.
    """
    journal.hold("intake")
    running = ImportJob.objects.filter(pk=job.pk, state__in=[WorkState.QUEUED, WorkState.RUNNING])
    if not running.update(state=WorkState.CANCELLED, finished_at=timezone.now()):
        raise ValidationError("This import has ended already.")
    job = ImportJob.objects.get(pk=job.pk)
    journal.record("import.cancelled", actor=actor, subject=job, line=job.next_line)
    return job
