"""What people say on a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models

from core.access import Guarded, Root
from core.actions import tracked
from core.models import Versioned
from incidents.models import Incident
from tickets.models.tickets import Ticket

if TYPE_CHECKING:
    from people.models import User


class CommentQuerySet(models.QuerySet["Comment"]):
    """Comments, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Comments of tickets whose incident this person may see."""
        return self.filter(ticket__incident__in=Incident.objects.visible_to(user))


class Comment(Versioned, Guarded):
    """Markdown on a ticket. `in_report`: chosen for the report; `shared`: the customer may read it."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="comments")
    body = models.TextField()
    body_html = models.TextField(editable=False)
    shared = models.BooleanField("shared with the customer", default=False)
    in_report = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CommentQuerySet.as_manager()
    history = tracked(excluded=["body_html"])
    url_fields = {"number": "ticket__incident__number", "ticket": "ticket__number", "comment": "pk"}
    root_path = "ticket__incident"

    class Meta:
        default_permissions = ()
        ordering = ["created_at", "pk"]

    def __str__(self) -> str:
        return f"comment {self.pk} on #{self.ticket.number}"

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.ticket.incident

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return self.ticket.journal_stream
