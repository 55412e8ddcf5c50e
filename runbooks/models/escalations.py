"""Escalation: when something about an incident becomes so bad that somebody else has to know."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from core.actions import tracked
from incidents.models import Incident, Role
from runbooks.models.documents import Document


class EscalationRule(models.Model):
    """A condition for every incident; runbooks bring more of them (`Document.escalations`) where they run."""

    name = models.CharField(max_length=120, unique=True)
    condition = models.CharField(max_length=500)  # affectedUsers > 50
    action = models.CharField("what to do", max_length=300)
    role = models.CharField("who is told", max_length=24, choices=Role, blank=True)
    active = models.BooleanField(default=True)

    history = tracked()
    journal_stream = "automations"

    class Meta:
        default_permissions = ()
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Escalation(models.Model):
    """A condition began to hold in an incident. It fires again only after it has ceased to hold."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="escalations")
    rule = models.ForeignKey(EscalationRule, null=True, on_delete=models.SET_NULL, related_name="+")
    document = models.ForeignKey(Document, null=True, on_delete=models.SET_NULL, related_name="+")
    condition = models.CharField(max_length=500)
    action = models.CharField(max_length=300)
    role = models.CharField(max_length=24, blank=True)
    fired_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)  # when it ceased to hold

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "condition", "action"],
                condition=models.Q(ended_at=None),
                name="escalation_once_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.condition} → {self.action}"

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return f"incident:{self.incident_id}"
