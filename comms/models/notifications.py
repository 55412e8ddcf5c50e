"""What somebody should know: one line behind the bell, with a way to the thing it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from core.models import JournalEntry
from incidents.models import Incident
from runbooks.models import Document
from tickets.models import Ticket

if TYPE_CHECKING:
    from people.models import User


class Kind(models.TextChoices):
    """Why somebody is told."""

    ASSIGNED = "assigned", "You were given a ticket"
    MENTIONED = "mentioned", "You were mentioned"
    ROLE = "role", "You were given a role"
    GLASS = "glass", "An administrator looked"
    REPORT = "report", "News of a report"
    HANDOVER = "handover", "A handover"
    YOURS = "yours", "News of a ticket of yours"
    WATCHED = "watched", "News of a ticket you watch"
    FREED = "freed", "A wait is over"
    CLOCK = "clock", "Time has run out"
    ESCALATION = "escalation", "An incident got worse"
    AUTOMATION = "automation", "An automation"
    RUN = "run", "A runbook is through"
    APPROVAL = "approval", "Your approval is asked for"
    DECIDED = "decided", "Your document was decided on"
    REVIEW = "review", "A review is due"


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Notifications, always asked for by whom they are for."""

    def visible_to(self, user: User) -> Self:
        """This person's own, as far as they may still see the document or the incident, and where a merge took it."""
        seen = Incident.objects.visible_to(user)
        near = Q(ticket=None) | Q(ticket__incident__in=seen), Q(incident__in=seen)
        return self.filter(Q(*near) | Q(document__in=Document.objects.visible_to(user)), user_id=user.pk)

    def unread(self) -> Self:
        """Not yet read."""
        return self.filter(read_at=None)


class Notification(models.Model):
    """One person is told of one journal entry. `text` is plain text, shown only to who may see the incident."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notifications")
    incident = models.ForeignKey(Incident, null=True, on_delete=models.CASCADE, related_name="notifications")
    document = models.ForeignKey(Document, null=True, on_delete=models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, null=True, on_delete=models.CASCADE, related_name="+")
    entry = models.ForeignKey(JournalEntry, on_delete=models.DO_NOTHING, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    text = models.CharField(max_length=500)
    place = models.CharField(max_length=60, blank=True)  # the URL name of a page of the incident, or empty
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["user", "entry", "kind"], name="notified_once"),
            models.CheckConstraint(condition=Q(incident=None) ^ Q(document=None), name="notification_of_one_thing"),
        ]
        indexes = [models.Index(fields=["user", "-id"], name="notification_newest")]

    def __str__(self) -> str:
        return self.text

    @property
    def why(self) -> str:
        """Why the person is told, with the ticket's number where it is about one that they have or watch."""
        if self.ticket is not None and self.kind in (Kind.YOURS, Kind.WATCHED):
            return (
                f"You watch #{self.ticket.number}" if self.kind == Kind.WATCHED else f"#{self.ticket.number} is yours"
            )
        return self.get_kind_display()

    @property
    def about(self) -> str:
        """What it is about, in short: the number of the incident, or what sort of document."""
        if self.incident is not None:
            return self.incident.number
        return str(self.document.sort.label) if self.document is not None else ""

    @property
    def restricted(self) -> bool:
        """Whether it speaks of a restricted incident."""
        of = self.incident
        return (of is not None and of.restricted) or (self.ticket is not None and self.ticket.incident.restricted)

    @property
    def url(self) -> str:
        """Where it leads, found when it is asked for: a merge may have taken the ticket to another incident."""
        if self.ticket is not None:
            return self.ticket.get_absolute_url()
        if self.document is not None:
            return self.document.get_absolute_url()
        if self.incident is None:
            return "/"  # the database has no such row
        if self.place:
            return reverse(self.place, kwargs={"number": self.incident.number})
        return self.incident.get_absolute_url()
