"""An import: a file that was handed in, how far it has been read, and what was wrong with it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from core import journal
from core.access import Guarded
from core.actors import SYSTEM
from core.models import Work
from core.models.work import WorkState

if TYPE_CHECKING:
    from people.models import User


SHOWN_BYTES = 256 * 1024  # of a raw payload


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    """Imports, seen by our own people."""

    def visible_to(self, user: User) -> Self:
        """All of them for the team; none for customers."""
        return self if user.is_active and user.rights & {"respond", "oversee", "audit", "administer"} else self.none()


class ImportJob(Work, Guarded):
    """One uploaded file. `position` and `next_line` say where reading goes on; they move with each committed batch."""

    task = "intake.tasks.run_import"
    lease: ClassVar[timedelta] = timedelta(seconds=90)

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=80, editable=False)
    size = models.PositiveBigIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    format = models.CharField(max_length=40, blank=True)  # empty: found out from the content
    sensor = models.CharField(max_length=120, blank=True)  # which installation of the tool, where its alerts do not say
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")

    position = models.PositiveBigIntegerField(default=0, editable=False)
    next_line = models.PositiveBigIntegerField(default=1, editable=False)
    records = models.PositiveIntegerField(default=0, editable=False)
    created = models.PositiveIntegerField(default=0, editable=False)
    updated = models.PositiveIntegerField(default=0, editable=False)
    repeated = models.PositiveIntegerField(default=0, editable=False)
    skipped = models.PositiveIntegerField(default=0, editable=False)
    problems = models.PositiveIntegerField(default=0, editable=False)
    incidents = models.PositiveIntegerField(default=0, editable=False)

    objects = ImportJobQuerySet.as_manager()
    url_fields = {"job": "uuid"}
    journal_stream = "intake"

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        indexes = [models.Index(fields=["state", "due"], name="import_due")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("intake:job", kwargs={"job": self.uuid})

    def permissions_for(self, user: Any) -> frozenset[str]:
        """Responders import; the rest of the team may look."""
        if not user.is_active:
            return frozenset()
        if "respond" in user.rights:
            return frozenset({"view", "work"})
        return frozenset({"view"}) if user.rights & {"oversee", "audit", "administer"} else frozenset()

    @property
    def counts(self) -> dict[str, Any]:
        """What came of the file so far, for the journal."""
        names = ("records", "created", "updated", "repeated", "skipped", "problems", "incidents")
        return {name: getattr(self, name) for name in names}

    def finish(self, state: WorkState = WorkState.DONE, *, error: str = "") -> bool:
        """As for all work; the stream "intake" is held before the row, as in every action of this room."""
        journal.hold("intake")
        return super().finish(state, error=error)

    def given_up(self, error: str) -> None:
        """The journal says that it failed, though no worker was left to say so."""
        journal.record("import.failed", actor=SYSTEM, subject=self, error=error, **self.counts)

    @property
    def percent(self) -> int:
        """How much of the file has been read, 0 to 100."""
        if self.state == "done":
            return 100
        return min(99, self.position * 100 // self.size) if self.size else 0


class RawPiece(models.Model):
    """One record of a file, its very bytes: kept once, however many alerts are in it, and never changed."""

    job = models.ForeignKey(ImportJob, on_delete=models.PROTECT, related_name="pieces")
    offset = models.PositiveBigIntegerField()
    length = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    content = models.BinaryField()

    class Meta:
        default_permissions = ()
        ordering = ["offset"]
        constraints = [models.UniqueConstraint(fields=["job", "offset"], name="piece_once")]

    def __str__(self) -> str:
        return f"{self.length} bytes at {self.offset}"

    @property
    def text(self) -> str:
        """The first 256 KiB as a page shows them."""
        return bytes(self.content[:SHOWN_BYTES]).decode("utf-8", "replace").replace("\x00", "\ufffd")

    @property
    def is_cut(self) -> bool:
        """Whether `text` is not all of it."""
        return len(self.content) > SHOWN_BYTES


class ImportProblem(models.Model):
    """A stretch of a file that is no record: where, why, and (at most 64 KiB of) its bytes."""

    job = models.ForeignKey(ImportJob, on_delete=models.CASCADE, related_name="problem_rows")
    line = models.PositiveBigIntegerField()
    offset = models.PositiveBigIntegerField()
    reason = models.CharField(max_length=300)
    raw = models.BinaryField()

    class Meta:
        default_permissions = ()
        ordering = ["offset"]
        constraints = [
            models.UniqueConstraint(fields=["job", "offset"], name="problem_once"),
            models.CheckConstraint(condition=Q(line__gte=1), name="lines_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"
