"""What one shift writes down for the next: a document that is never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

from core.access import Guarded, Root
from core.actions import tracked
from incidents.models import Incident

if TYPE_CHECKING:
    from people.models import User


class ShiftHandoverQuerySet(models.QuerySet["ShiftHandover"]):
    """Shift handovers, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Those of incidents this person may see."""
        return self.filter(incident__in=Incident.objects.visible_to(user))


class ShiftHandover(Guarded):
    """Markdown as it was when the shift ended: what is open, what changed since `since`, what must be watched."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="shift_handovers")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    since = models.DateTimeField()
    created_at = models.DateTimeField(auto_now_add=True)
    watch = models.TextField("what the next shift must watch", blank=True)
    body = models.TextField()
    body_html = models.TextField(editable=False)

    objects = ShiftHandoverQuerySet.as_manager()
    history = tracked(excluded=["body_html"])
    url_fields = {"number": "incident__number", "shift": "pk"}
    root_path = "incident"

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"shift handover {self.pk} of {self.incident.number}"

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.incident

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return self.incident.journal_stream
