"""Files on a ticket: stored under a random name, hashed, served only through an access check."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

from core.access import Guarded, Root
from core.actions import tracked
from incidents.models import Incident
from tickets.models.tickets import Ticket

if TYPE_CHECKING:
    from people.models import User


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """Attachments, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Attachments of tickets whose incident this person may see."""
        return self.filter(ticket__incident__in=Incident.objects.visible_to(user))


class Attachment(Guarded):
    """A file. `name` is what the sender called it and no part of any path; `key` is where it lies."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="attachments")
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=80, unique=True, editable=False)
    size = models.PositiveBigIntegerField(editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    claimed_type = models.CharField(max_length=100, blank=True, editable=False)
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AttachmentQuerySet.as_manager()
    history = tracked()
    url_fields = {"number": "ticket__incident__number", "ticket": "ticket__number", "attachment": "pk"}
    root_path = "ticket__incident"

    class Meta:
        default_permissions = ()
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.ticket.incident

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return self.ticket.journal_stream
