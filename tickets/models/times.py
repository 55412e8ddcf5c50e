"""Time that people spent on tickets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.access import Guarded, Root
from core.actions import tracked
from incidents.models import Incident
from tickets.models.tickets import Ticket

if TYPE_CHECKING:
    from people.models import User

MOST_MINUTES = 24 * 60


class TimeEntryQuerySet(models.QuerySet["TimeEntry"]):
    """Entries, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Time spent on tickets whose incident this person may see."""
        return self.filter(ticket__incident__in=Incident.objects.visible_to(user))


class TimeEntry(Guarded):
    """Minutes that one person spent on one ticket on one day; taken back, it counts no more but stays."""

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="times")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="times")
    minutes = models.PositiveIntegerField()
    day = models.DateField()
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    taken_back_at = models.DateTimeField(null=True, editable=False)

    objects = TimeEntryQuerySet.as_manager()
    history = tracked()
    url_fields = {"number": "ticket__incident__number", "ticket": "ticket__number", "spent": "pk"}
    root_path = "ticket__incident"

    class Meta:
        default_permissions = ()
        ordering = ["day", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(minutes__gte=1, minutes__lte=MOST_MINUTES), name="minutes_of_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.minutes} m on #{self.ticket.number}"

    @property
    def access_root(self) -> Root:
        """The incident."""
        return self.ticket.incident

    @property
    def journal_stream(self) -> str:
        """The stream of the incident."""
        return self.ticket.journal_stream
