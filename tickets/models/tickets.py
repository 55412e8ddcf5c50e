"""A ticket: one piece of work in the tree of an incident. Only tickets.tree writes where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from mptt.models import MPTTModel, TreeForeignKey

from core.access import Guarded, Root
from core.actions import tracked
from core.models import Versioned
from incidents.models import Incident

if TYPE_CHECKING:
    from people.models import User

ROOT_NUMBER = 100  # the root stands for the incident; the first ticket is #101


class TicketStatus(models.TextChoices):
    """What is happening to a ticket; done and dropped are ends."""

    OPEN = "open", "Open"
    DOING = "doing", "In progress"
    WAITING = "waiting", "Waiting"
    DONE = "done", "Done"
    DROPPED = "dropped", "Dropped"


ENDED = (TicketStatus.DONE, TicketStatus.DROPPED)


class Priority(models.TextChoices):
    """What to take first."""

    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"
    URGENT = "urgent", "Urgent"


class Disposition(models.TextChoices):
    """What became of a lead."""

    CONFIRMED = "confirmed", "Confirmed"
    RULED_OUT = "ruled_out", "Ruled out"
    DEAD_END = "dead_end", "Dead end"


class TreeWriteError(TypeError):
    """Somebody tried to change the tree around tickets.tree."""


class TicketQuerySet(models.QuerySet["Ticket"]):
    """Tickets, seen by who may see their incident."""

    def visible_to(self, user: User) -> Self:
        """Tickets of incidents this person may see; never the root, which is the incident itself."""
        return self.filter(incident__in=Incident.objects.visible_to(user), parent__isnull=False)

    def without_root(self) -> Self:
        """All but the row that stands for the incident."""
        return self.filter(parent__isnull=False)

    def delete(self) -> tuple[int, dict[str, int]]:
        raise TreeWriteError("Tickets are dropped with a reason, not deleted: use tickets.actions.")

    def bulk_create(self, *args: object, **kwargs: object) -> list[Ticket]:
        raise TreeWriteError("Tickets are added one by one under the incident's lock: use tickets.tree.")


class Ticket(MPTTModel, Versioned, Guarded):  # type: ignore[django-manager-missing]  # mptt's untyped manager
    """One piece of work, numbered within its incident (#109)."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="tickets")
    number = models.PositiveIntegerField(editable=False)
    parent = TreeForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    description_html = models.TextField(blank=True, editable=False)
    status = models.CharField(max_length=10, choices=TicketStatus, default=TicketStatus.OPEN)
    waiting_for = models.CharField(max_length=80, blank=True)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.NORMAL)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    lead = models.BooleanField(default=False)
    disposition = models.CharField(max_length=12, choices=Disposition, blank=True)
    shared = models.BooleanField("shared with the customer", default=False)
    due_at = models.DateTimeField("due", null=True, blank=True)
    outcome = models.TextField("what came out", blank=True)
    dropped_reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    comments_total = models.PositiveIntegerField(default=0, editable=False)
    files_total = models.PositiveIntegerField(default=0, editable=False)

    objects = TicketQuerySet.as_manager()  # mptt makes a tree manager of its own beside it
    history = tracked(excluded=["lft", "rght", "tree_id", "level", "description_html", "comments_total", "files_total"])
    url_fields = {"number": "incident__number", "ticket": "number"}

    class Meta:
        default_permissions = ()
        ordering = ["tree_id", "lft"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="ticket_number_once"),
            models.UniqueConstraint(fields=["incident"], condition=Q(parent=None), name="one_root"),
            models.UniqueConstraint(
                fields=["tree_id", "lft"], name="tree_left_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.UniqueConstraint(
                fields=["tree_id", "rght"], name="tree_right_once", deferrable=models.Deferrable.DEFERRED
            ),
            models.CheckConstraint(condition=Q(lft__lt=F("rght")), name="tree_left_before_right"),
            models.CheckConstraint(condition=Q(parent=None) | ~Q(parent=F("id")), name="not_under_itself"),
        ]
        indexes = [models.Index(fields=["assignee", "status"], name="ticket_mine")]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("tickets:ticket", kwargs={"number": self.incident.number, "ticket": self.number})

    @property
    def access_root(self) -> Root:
        """Its incident."""
        return self.incident

    @property
    def journal_stream(self) -> str:
        """The stream of its incident."""
        return f"incident:{self.incident_id}"

    @property
    def is_ended(self) -> bool:
        """Done or dropped."""
        return self.status in ENDED

    @property
    def is_resolved(self) -> bool:
        """A lead with a result; a dropped one counts (its reason says why)."""
        return bool(self.disposition) or self.status == TicketStatus.DROPPED
