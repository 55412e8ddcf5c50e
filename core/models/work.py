"""Work for workers is a row first: claimed by a conditional update, leased, swept up if a broker or worker lost it."""

import datetime as dt
from datetime import timedelta
from typing import ClassVar, Self

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from core.models.journal import JournalEntry

MAX_ATTEMPTS = 3
GRACE = timedelta(seconds=15)


class WorkState(models.TextChoices):
    """Where a piece of work stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


def after_grace() -> dt.datetime:
    """When the sweep may wake a new row: until then the message sent after commit has its chance."""
    return timezone.now() + GRACE


class Work(models.Model):
    """A piece of work. `task` names the Celery task that does it, `lease` is how long one attempt may be silent."""

    task: ClassVar[str]
    lease: ClassVar[timedelta] = timedelta(seconds=60)
    most_attempts: ClassVar[int] = MAX_ATTEMPTS

    state = models.CharField(max_length=10, choices=WorkState, default=WorkState.QUEUED, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    due = models.DateTimeField(default=after_grace, editable=False)  # queued: wake again then; running: the lease ends
    error = models.TextField(blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def is_finished(self) -> bool:
        """Nothing will happen to it any more."""
        return self.state in (WorkState.DONE, WorkState.FAILED, WorkState.CANCELLED)

    @classmethod
    def claim(cls, pk: int) -> Self | None:
        """Take a queued row, or None if another worker has it: the attempt is counted and committed before any work."""
        now = timezone.now()
        queued = cls._default_manager.filter(pk=pk, state=WorkState.QUEUED)
        ready = queued.filter(models.Q(attempts=0) | models.Q(due__lte=now))  # after a failure, not before its time
        taken = ready.update(state=WorkState.RUNNING, attempts=F("attempts") + 1, due=now + cls.lease)
        return cls._default_manager.get(pk=pk) if taken else None

    def renew(self) -> bool:
        """Hold the lease longer; False if the row was taken away meanwhile (then stop: another worker has it)."""
        mine = type(self)._default_manager.filter(pk=self.pk, state=WorkState.RUNNING, attempts=self.attempts)
        return bool(mine.update(due=timezone.now() + self.lease))

    def finish(self, state: WorkState = WorkState.DONE, *, error: str = "") -> bool:
        """End it, in the transaction of its effect; False if the lease was lost to another worker."""
        mine = type(self)._default_manager.filter(pk=self.pk, state=WorkState.RUNNING, attempts=self.attempts)
        done = mine.update(state=state, error=error[:2000], finished_at=timezone.now())
        self.state, self.error = state, error[:2000]
        return bool(done)

    def given_up(self, error: str) -> None:
        """What else is to be done when it has failed for good, in the transaction that says so."""

    def put_back(self, *, error: str, delay: timedelta) -> None:
        """Try again later, or give up after the last attempt."""
        if self.attempts >= self.most_attempts:
            with transaction.atomic():
                if self.finish(WorkState.FAILED, error=error):
                    self.given_up(error)
            return
        mine = type(self)._default_manager.filter(pk=self.pk, state=WorkState.RUNNING, attempts=self.attempts)
        mine.update(state=WorkState.QUEUED, due=timezone.now() + delay, error=error[:2000])


class Reaction(Work):
    """What one handler still has to do about one journal entry; unique, so that it happens once."""

    task = "core.tasks.react"

    entry = models.ForeignKey(JournalEntry, on_delete=models.DO_NOTHING, related_name="+")
    handler = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "handler"], name="reaction_once")]
        indexes = [models.Index(fields=["state", "due"], name="reaction_due")]

    def __str__(self) -> str:
        return f"{self.handler} about entry {self.entry_id}"
