"""What is left to do after an admin changed words or targets, or deleted files: incident by incident, by a worker."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from core.models import Work


class ChoreKind(models.TextChoices):
    """What has to be done, and what `data` says of it."""

    STATUS = "status", "Move tickets to another status"  # from, to: codes; again: this is the second look
    PRIORITY = "priority", "Move tickets to another priority"  # as for statuses
    URGENCY = "urgency", "Bring tickets up to their priority"  # priority: code
    TARGET = "target", "Wind clocks anew"  # severity, priority: code
    FILES = "files", "Remove deleted files"  # keys: where they lie


class Chore(Work):
    """One such piece of work; every part of it can be done twice without harm."""

    task = "tickets.tasks.do_chore"

    kind = models.CharField(max_length=10, choices=ChoreKind)
    data = models.JSONField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["state", "due"], name="chore_due")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.data})"
