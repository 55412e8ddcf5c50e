"""Which ticket must wait for which other one of the same incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.access import Guarded, Root
from incidents.models import Incident
from tickets.models.tickets import Ticket

if TYPE_CHECKING:
    from people.models import User


class BlockerQuerySet(models.QuerySet["Blocker"]):
    """Blockers, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Blockers of tickets whose incident this person may see."""
        return self.filter(ticket__incident__in=Incident.objects.visible_to(user))


class Blocker(Guarded):
    """`ticket` cannot go on before `by` has ended."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="blockers")
    by = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="blocks")
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")

    objects = BlockerQuerySet.as_manager()
    url_fields = {"number": "ticket__incident__number", "ticket": "ticket__number", "blocker": "pk"}
    root_path = "ticket__incident"

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "by"], name="blocked_once"),
            models.CheckConstraint(condition=~Q(ticket=F("by")), name="not_blocked_by_itself"),
        ]

    def __str__(self) -> str:
        return f"#{self.ticket.number} waits for #{self.by.number}"

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.ticket.incident

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return self.ticket.journal_stream
