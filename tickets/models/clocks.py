"""Clocks (SLA): how soon a ticket must be started and finished, by severity of the incident and priority."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from core.actions import tracked
from incidents.models import Severity


class ClockState(models.TextChoices):
    """How a ticket stands with its clock."""

    NONE = "", "No clock"
    ON_TRACK = "on_track", "On track"
    AT_RISK = "at_risk", "At risk"
    BREACHED = "breached", "Breached"
    PAUSED = "paused", "Paused"
    MET = "met", "Met"
    LATE = "late", "Finished late"


class ClockTarget(models.Model):
    """For one severity and one priority: minutes from the ticket's beginning; empty means no such target."""

    severity = models.CharField(max_length=10, choices=Severity)
    priority = models.CharField(max_length=20)  # code of a priority
    start_minutes = models.PositiveIntegerField("minutes to start", null=True, blank=True)
    finish_minutes = models.PositiveIntegerField("minutes to finish", null=True, blank=True)

    history = tracked()

    class Meta:
        default_permissions = ()
        ordering = ["severity", "priority"]
        constraints = [
            models.UniqueConstraint(fields=["severity", "priority"], name="one_clock_target"),
            models.CheckConstraint(
                condition=Q(start_minutes=None) | Q(finish_minutes=None) | Q(start_minutes__lte=F("finish_minutes")),
                name="start_before_finish",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_severity_display()}, {self.priority}"
