"""Bringing a file in: stored once, read in batches, each batch one transaction with the place to go on from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import F
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from core.files import Kept
from core.models.work import WorkState
from core.work import wake
from incidents.models import Severity
from intake.actions.triage import open_for_critical
from intake.adapters import all_adapters
from intake.models import Alert, AlertState, AlertVersion, ImportJob, ImportProblem, RawPiece
from intake.records import Mapped, Record, Skipped, content_digest, dedup_key, group_key, shown_severity
from intake.splitting import RAW_CAP, Piece
from people.models import User

MOST_PROBLEMS = 10_000  # rows kept for download; beyond it they are only counted
MOST_FINDINGS = 1000  # in one record
ENOUGH_ALERTS = 500  # in one transaction; the record that reaches it is the last


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
    """What the pieces of one batch say; `done` of them were looked at. Alerts of one piece share its raw bytes."""

    done: list[Piece] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    problems: list[ImportProblem] = field(default_factory=list)
    records: int = 0
    skipped: int = 0
    repeated: int = 0
    problem_count: int = 0

    def take(self, job: ImportJob, piece: Piece, raw: RawPiece, found: Mapped) -> None:
        """One alert of a piece; the same one twice in a batch counts as known."""
        if isinstance(found, Skipped):
            self.skipped += not found.broken
            if found.broken:
                self.refuse(job, piece, found.reason)
            return
        alert = _alert(job, piece, raw, found)
        if alert.dedup_key in self.alerts:
            self.repeated += 1
        else:
            self.alerts[alert.dedup_key] = alert

    def refuse(self, job: ImportJob, piece: Piece, reason: str) -> None:
        """Count a problem, and keep it while there is room."""
        self.problem_count += 1
        if job.problems + len(self.problems) < MOST_PROBLEMS:
            self.problems.append(
                ImportProblem(
                    job=job, line=piece.line, offset=piece.offset, reason=reason[:300], raw=piece.raw[:RAW_CAP]
                )
            )


def _alert(job: ImportJob, piece: Piece, raw: RawPiece, record: Record) -> Alert:
    if job.sensor and not record.source.instance:
        record = replace(record, source=replace(record.source, instance=job.sensor))
    key, _ = dedup_key(record, piece.value)
    return Alert(
        dedup_key=key, group_key=group_key(record), content_digest=content_digest(record), kind=record.kind,
        product=record.source.product[:255], instance=(record.source.instance or "")[:255],
        external_id=(record.external_id or "")[:2048], title=record.title[:300], description=record.description,
        severity=shown_severity(record.severity) or "", detected_at=record.detected_at, record=record.to_json(),
        raw=raw, job=job, line=piece.line,
    )  # fmt: skip


def _raw(job: ImportJob, piece: Piece) -> RawPiece:
    sha256 = hashlib.sha256(piece.raw).hexdigest()
    return RawPiece(job=job, offset=piece.offset, length=len(piece.raw), sha256=sha256, content=piece.raw)


def _read(job: ImportJob, format_: str, pieces: Sequence[Piece]) -> Batch:
    """Map pieces until there are enough alerts for one transaction."""
    adapter, batch = all_adapters().get(format_), Batch()
    for piece in pieces:
        batch.done.append(piece)
        if piece.value is None or adapter is None:
            batch.refuse(job, piece, piece.problem or "this is no record of a format we can read")
            continue
        batch.records += 1
        found, raw = adapter.map_record(piece.value), _raw(job, piece)
        if len(found) > MOST_FINDINGS:
            batch.refuse(job, piece, f"more than {MOST_FINDINGS} findings in one record: the rest was not read")
        for one in found[:MOST_FINDINGS]:
            batch.take(job, piece, raw, one)
        if len(batch.alerts) >= ENOUGH_ALERTS:
            break
    return batch


@dataclass
class Sorted:
    """The alerts of a batch against those that are known: (known, as it is now) in pairs."""

    new: list[Alert]
    changed: list[tuple[Alert, Alert]]  # may take new words
    joined: list[tuple[Alert, Alert]]  # in an incident: they keep their own

    @property
    def incidents(self) -> set[int]:
        """The incidents that hear of another version."""
        return {old.incident_id for old, _ in self.joined if old.incident_id}


def _sort(batch: Batch) -> Sorted:
    """Tell new, changed and known ones apart. A version that was the last word already changes nothing."""
    known = {
        alert.dedup_key: alert
        for alert in Alert.objects.filter(dedup_key__in=batch.alerts).select_related("raw").defer(
            "record", "raw__content"
        )
    }  # fmt: skip
    versions = AlertVersion.objects.filter(alert__in=[alert.pk for alert in known.values()]).order_by("pk")
    last = dict(versions.values_list("alert", "content_digest"))
    found = Sorted([alert for key, alert in batch.alerts.items() if key not in known], [], [])
    for key, old in known.items():
        now = batch.alerts[key]
        if last.get(old.pk, old.content_digest) == now.content_digest:
            batch.repeated += 1
        else:
            (found.joined if old.state == AlertState.INCIDENT else found.changed).append((old, now))
    return found


def _keep(found: Sorted) -> None:
    """Store what is new: the raw bytes of each piece once, alerts, and versions of known ones."""
    pairs = [*found.changed, *found.joined]
    pieces = {alert.raw.offset: alert.raw for alert in [*found.new, *(now for _, now in pairs)]}
    RawPiece.objects.bulk_create(pieces.values())
    Alert.objects.bulk_create(found.new)
    AlertVersion.objects.bulk_create(
        AlertVersion(
            alert=old, job=now.job, line=now.line, record=now.record, raw=now.raw, content_digest=now.content_digest
        )
        for old, now in pairs
    )


WORDS = ("title", "description", "severity", "detected_at", "group_key", "content_digest", "record")
SHOWN_WORDS = ("title", "description", "severity", "detected_at")


def _note(actor: Actor, old: Alert, now: Alert, *, stream: str, taken: bool) -> None:
    """Say what the tool says otherwise now; `taken`: whether the alert says so, too, from now on."""
    pairs = {name: (getattr(old, name), getattr(now, name)) for name in SHOWN_WORDS}
    changes = {name: [journal.shown(one), journal.shown(two)] for name, (one, two) in pairs.items() if one != two}
    said: dict[str, Any] = {"changes": changes} if taken else {"said": changes}
    journal.record(
        "alert.updated", actor=actor, subject=old, stream=stream, job=now.job_id, line=now.line,
        content=[old.content_digest, now.content_digest], raw=[old.raw.sha256, now.raw.sha256], **said,
    )  # fmt: skip


def _update(actor: Actor, pairs: Iterable[tuple[Alert, Alert]]) -> list[Alert]:
    """Give known alerts the tool's new words; what people did with them stays. Gives those that became Critical."""
    raised = []
    for old, now in pairs:
        _note(actor, old, now, stream="intake", taken=True)
        if old.state == AlertState.NEW and now.severity == Severity.CRITICAL != old.severity:
            raised.append(old)
        for name in WORDS:
            setattr(old, name, getattr(now, name))
        old.save(update_fields=WORDS)
    return raised


def _tell(actor: Actor, job: ImportJob, pairs: Iterable[tuple[Alert, Alert]]) -> int:
    """Tell incidents of other versions of their alerts; gives how many of these the importer may know of."""
    found = sorted(pairs, key=lambda pair: (pair[0].incident_id or 0, pair[0].pk))
    for old, now in found:
        _note(actor, old, now, stream=f"incident:{old.incident_id}", taken=False)
    if job.uploaded_by is None:
        return 0
    return Alert.objects.visible_to(job.uploaded_by).filter(pk__in=[old.pk for old, _ in found]).count()


@action
def import_batch(*, actor: Actor, job: ImportJob, format: str, pieces: Sequence[Piece]) -> ImportJob:
    """Take in some pieces of the file: alerts, problems, counts and the place to go on are one transaction.

    Where the pieces hold very many alerts, only the first of them are taken in: the job's position says how far.

    Raises:
        LostLease: another worker has the job, or it was cancelled.
    """
    journal.hold("intake")
    if not job.renew():
        raise LostLease
    batch = _read(job, format, pieces)
    found = _sort(batch)
    _keep(found)
    ImportProblem.objects.bulk_create(batch.problems, ignore_conflicts=True)
    raised = _update(actor, found.changed)
    opened = open_for_critical(
        actor=actor, alerts=[*found.new, *raised], reporter=job.uploaded_by, also=found.incidents
    )
    told = _tell(actor, job, found.joined)
    hidden = len(found.joined) - told  # as if nothing was new: who may not see an incident learns nothing of it
    last = batch.done[-1]
    ImportJob.objects.filter(pk=job.pk).update(
        position=last.end, next_line=last.next_line, format=format, records=F("records") + batch.records,
        created=F("created") + len(found.new), updated=F("updated") + len(found.changed) + told,
        repeated=F("repeated") + batch.repeated + hidden, skipped=F("skipped") + batch.skipped,
        problems=F("problems") + batch.problem_count, incidents=F("incidents") + opened,
    )  # fmt: skip
    if found.new:
        ids, lines = [alert.pk for alert in found.new], [batch.done[0].line, last.next_line]
        journal.record("alerts.imported", actor=actor, subject=job, alerts=ids, lines=lines)
    return ImportJob.objects.get(pk=job.pk)


@action
def finish_import(*, actor: Actor, job: ImportJob, error: str = "") -> ImportJob:
    """End the job with its counts; with `error` it has failed."""
    if not job.finish(WorkState.FAILED if error else WorkState.DONE, error=error):
        raise LostLease
    job = ImportJob.objects.get(pk=job.pk)
    verb = "import.failed" if error else "import.finished"
    journal.record(verb, actor=actor, subject=job, error=error, **job.counts)
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
