"""A report of an incident, from being asked for to being taken away as a PDF."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.urls import reverse

from core import journal
from core.access import Guarded, Root
from core.actors import SYSTEM
from core.models import Work
from core.models.work import WorkState
from incidents.models import Incident

if TYPE_CHECKING:
    from people.models import User


class Step(models.TextChoices):
    """What is being done right now, in the words people see."""

    QUEUED = "queued", "Waiting for a worker"
    COLLECTING = "collecting", "Collecting"
    LAYING_OUT = "laying out", "Laying out"
    STORING = "storing", "Storing"


class ReportJobQuerySet(models.QuerySet["ReportJob"]):
    """Reports, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Reports of incidents this person may see."""
        return self.filter(incident__in=Incident.objects.visible_to(user))

    def unfinished(self) -> Self:
        """Asked for, not there yet."""
        return self.filter(state__in=[WorkState.QUEUED, WorkState.RUNNING])


class ReportJob(Work, Guarded):
    """One version of a report. `head_seq` and `head_hash` say up to which journal entry it speaks."""

    task = "reporting.tasks.make_report"
    lease = timedelta(seconds=60)

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="reports")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    version_number = models.PositiveIntegerField(editable=False)
    comments = models.JSONField(default=list)  # keys of the comments that stand in it
    step = models.CharField(max_length=12, choices=Step, default=Step.QUEUED)
    page = models.PositiveIntegerField(default=0)  # being laid out
    head_seq = models.PositiveBigIntegerField(default=0)
    head_hash = models.CharField(max_length=64, blank=True)
    as_of = models.DateTimeField(null=True)
    key = models.CharField(max_length=120, blank=True, editable=False)  # where the file lies
    sha256 = models.CharField(max_length=64, blank=True, editable=False)
    size = models.PositiveBigIntegerField(default=0, editable=False)
    pages = models.PositiveIntegerField(default=0, editable=False)

    objects = ReportJobQuerySet.as_manager()
    url_fields = {"number": "incident__number", "job": "uuid"}
    root_path = "incident"

    class Meta:
        default_permissions = ()
        ordering = ["-version_number"]
        constraints = [models.UniqueConstraint(fields=["incident", "version_number"], name="report_version_once")]
        indexes = [models.Index(fields=["state", "due"], name="report_due")]

    def __str__(self) -> str:
        return f"report version {self.version_number}"

    def get_absolute_url(self) -> str:
        return reverse("reporting:job", kwargs={"number": self.incident.number, "job": self.uuid})

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.incident

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return self.incident.journal_stream

    def given_up(self, error: str) -> None:
        """Nobody will make it: the journal says so, and by it who asked hears of it."""
        journal.record("report.failed", actor=SYSTEM, subject=self, version=self.version_number, reason=error)

    @property
    def tag(self) -> str:
        """Changes whenever the card of this job would look different."""
        return f"{self.state}-{self.attempts}-{self.step}-{self.page}".replace(" ", "-")

    @property
    def percent(self) -> int:
        """A guess for the bar: pages are counted only when all are laid out."""
        done = {Step.QUEUED: 5, Step.COLLECTING: 15, Step.LAYING_OUT: 25 + min(60, 3 * self.page), Step.STORING: 95}
        return done[Step(self.step)]

    @property
    def filename(self) -> str:
        """What the download is called: of our making, so no title can reach a header."""
        return f"{self.incident.number}-report-{self.version_number}.pdf"
