"""Giving work to somebody else: it is theirs once they accept it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.access import Guarded, Root
from core.actions import tracked
from incidents.models import Incident
from tickets.models.tickets import Ticket

if TYPE_CHECKING:
    from people.models import User


class HandoverState(models.TextChoices):
    """What became of the offer."""

    OFFERED = "offered", "Waiting for an answer"
    ACCEPTED = "accepted", "Accepted"
    DECLINED = "declined", "Declined"
    WITHDRAWN = "withdrawn", "Taken back"


class HandoverQuerySet(models.QuerySet["Handover"]):
    """Handovers, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Handovers in incidents this person may see."""
        return self.filter(incident__in=Incident.objects.visible_to(user))

    def waiting(self) -> Self:
        """Not answered yet."""
        return self.filter(state=HandoverState.OFFERED)


class Handover(Guarded):
    """One offer of one or several tickets of an incident from one person to another."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="handovers")
    giver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="handovers_given")
    receiver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="handovers_got")
    tickets = models.ManyToManyField(Ticket, related_name="handovers")
    note = models.TextField(blank=True)
    note_html = models.TextField(blank=True, editable=False)
    state = models.CharField(max_length=10, choices=HandoverState, default=HandoverState.OFFERED)
    answer = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    answered_at = models.DateTimeField(null=True, editable=False)

    objects = HandoverQuerySet.as_manager()
    history = tracked(excluded=["note_html", "tickets"])
    url_fields = {"number": "incident__number", "handover": "pk"}
    root_path = "incident"

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]
        constraints = [models.CheckConstraint(condition=~Q(giver=F("receiver")), name="handed_to_another")]
        indexes = [models.Index(fields=["receiver", "state"], name="handover_mine")]

    def __str__(self) -> str:
        return f"handover {self.pk} in {self.incident.number}"

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.incident

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return self.incident.journal_stream
