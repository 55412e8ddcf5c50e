"""An alert: one event that came in from a tool, normalised, with its raw payload."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.access import Guarded
from incidents.models import Incident, Severity
from intake.models.jobs import ImportJob, RawPiece

if TYPE_CHECKING:
    from people.models import User


class AlertState(models.TextChoices):
    """What became of an alert."""

    NEW = "new", "To triage"
    INCIDENT = "incident", "In an incident"
    DISMISSED = "dismissed", "Dismissed"


class AlertQuerySet(models.QuerySet["Alert"]):
    """Alerts; one that went into an incident is seen by who may see that incident."""

    def visible_to(self, user: User) -> Self:
        """Our own people see alerts, but those of a restricted incident only with a role in it."""
        if not user.is_active or not user.rights & {"respond", "oversee", "audit", "administer"}:
            return self.none()
        return self.filter(Q(incident=None) | Q(incident__in=Incident.objects.visible_to(user)))


class Alert(Guarded):
    """One event from a tool. `dedup_key` is its identity, `group_key` is equal for alerts that say the same."""

    dedup_key = models.CharField(max_length=64, unique=True)
    group_key = models.CharField(max_length=64)
    content_digest = models.CharField(max_length=64)
    kind = models.CharField(max_length=12)
    product = models.CharField(max_length=255)
    instance = models.CharField(max_length=255, blank=True)
    external_id = models.CharField(max_length=2048, blank=True)
    title = models.CharField(max_length=300)
    description = models.TextField(blank=True)
    severity = models.CharField(max_length=10, choices=Severity, blank=True)
    detected_at = models.DateTimeField(null=True)
    record = models.JSONField()
    raw = models.ForeignKey(RawPiece, on_delete=models.PROTECT, related_name="alerts")  # as it came in first
    job = models.ForeignKey(ImportJob, on_delete=models.PROTECT, related_name="alerts")
    line = models.PositiveBigIntegerField()
    state = models.CharField(max_length=10, choices=AlertState, default=AlertState.NEW)
    incident = models.ForeignKey(Incident, null=True, on_delete=models.PROTECT, related_name="alerts")
    reason = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AlertQuerySet.as_manager()
    url_fields = {"alert": "pk"}
    journal_stream = "intake"

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["state", "-id"], name="alert_triage"),
            models.Index(fields=["group_key", "state"], name="alert_alike"),
            models.Index(fields=["incident"], name="alert_incident"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="incident", incident__isnull=False) | (~Q(state="incident") & Q(incident=None)),
                name="alert_in_an_incident_names_it",
            )
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("intake:alert", kwargs={"alert": self.pk})

    def permissions_for(self, user: Any) -> frozenset[str]:
        """Responders triage; the rest of the team may look."""
        return self.job.permissions_for(user)


class AlertVersion(models.Model):
    """What a later import said differently about an alert that is known. Only ever added to."""

    alert = models.ForeignKey(Alert, on_delete=models.PROTECT, related_name="versions")
    job = models.ForeignKey(ImportJob, on_delete=models.PROTECT, related_name="+")
    line = models.PositiveBigIntegerField()
    record = models.JSONField()
    raw = models.ForeignKey(RawPiece, on_delete=models.PROTECT, related_name="+")
    content_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.alert_id}, line {self.line}"
