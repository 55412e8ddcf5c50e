"""A ticket: one piece of work in the tree of an incident. Only tickets.tree writes where it stands."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone
from mptt.models import MPTTModel, TreeForeignKey

from core.access import Guarded, Root
from core.actions import tracked
from core.models import Versioned
from incidents.models import Incident, Status, Tag
from tickets.models.clocks import ClockState
from tickets.models.vocabulary import ENDED, FIRST, NORMAL, NORMAL_URGENCY, Category, TicketPriority, TicketStatus

if TYPE_CHECKING:
    from people.models import User

ROOT_NUMBER = 100  # the root stands for the incident; the first ticket is #101


class Disposition(models.TextChoices):
    """What became of a lead."""

    CONFIRMED = "confirmed", "Confirmed"
    RULED_OUT = "ruled_out", "Ruled out"
    DEAD_END = "dead_end", "Dead end"
    PARKED = "parked", "Parked"


STATUS_NAME = Subquery(TicketStatus.objects.filter(code=OuterRef("status")).values("name")[:1])
PRIORITY_NAME = Subquery(TicketPriority.objects.filter(code=OuterRef("priority")).values("name")[:1])
DERIVED = [  # worked out from other columns, and kept for lists and sweeps
    "lft", "rght", "tree_id", "level", "description_html", "comments_total", "files_total", "automated", "category",
    "urgency", "start_by", "finish_by", "clock_at", "risk_at", "clock_state", "tags",
]  # fmt: skip


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

    def unfinished(self) -> Self:
        """Neither done nor dropped."""
        return self.exclude(category__in=ENDED)

    def branch(self, top: Ticket) -> Self:
        """The ticket and all below it, in tree order."""
        return self.filter(tree_id=top.tree_id, lft__gte=top.lft, rght__lte=top.rght).order_by("lft")

    def behind(self, now: dt.datetime) -> Self:
        """Tickets of open incidents whose clock has turned since it was last looked at; found by index."""
        risky = Q(clock_state=ClockState.ON_TRACK, risk_at__lte=now)
        over = Q(clock_state=ClockState.AT_RISK, clock_at__lte=now)
        return self.filter(risky | over).exclude(incident__status=Status.CLOSED)

    def worded(self) -> Self:
        """With `status_name` and `priority_name`, so that showing them asks no more questions."""
        return self.annotate(status_name=STATUS_NAME, priority_name=PRIORITY_NAME)

    def bulk_create(self, *args: object, **kwargs: object) -> list[Ticket]:
        raise TreeWriteError("Tickets are added one by one under the incident's lock: use tickets.tree.")


class Ticket(MPTTModel, Versioned, Guarded):  # type: ignore[django-manager-missing]  # mptt's untyped manager
    """One piece of work, numbered within its incident (#109)."""

    wiki = "/documents/"  # where [[name]] in a description leads: steps of runbooks name what to read

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="tickets")
    number = models.PositiveIntegerField(editable=False)
    parent = TreeForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    description_html = models.TextField(blank=True, editable=False)
    headline = models.CharField(max_length=200, blank=True)  # how the branch stands, in one line by its owner
    status = models.CharField(max_length=20, default=FIRST[Category.TODO])  # code of a TicketStatus
    category = models.CharField(max_length=8, choices=Category, default=Category.TODO, editable=False)  # of the status
    waiting_for = models.CharField(max_length=80, blank=True)
    priority = models.CharField(max_length=20, default=NORMAL)  # code of a TicketPriority
    urgency = models.PositiveSmallIntegerField(default=NORMAL_URGENCY, editable=False)  # of the priority
    tags = models.ManyToManyField(Tag, blank=True, related_name="tickets")
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="tickets"
    )
    lead = models.BooleanField(default=False)
    hypothesis = models.TextField(blank=True)
    origin = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="follow_ups")
    disposition = models.CharField(max_length=12, choices=Disposition, blank=True)
    disposition_reason = models.CharField(max_length=300, blank=True)
    lead_at = models.DateTimeField(null=True, editable=False)  # when it became a lead
    disposed_at = models.DateTimeField(null=True, editable=False)
    shared = models.BooleanField("shared with the customer", default=False)
    due_at = models.DateTimeField("due", null=True, blank=True)
    outcome = models.TextField("what came out", blank=True)
    dropped_reason = models.CharField(max_length=300, blank=True)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    time_limit = models.PositiveIntegerField("time limit in minutes", null=True, blank=True)  # from its start on
    paused_at = models.DateTimeField(null=True, editable=False)  # since when it is blocked
    paused_seconds = models.PositiveBigIntegerField(default=0, editable=False)  # blocked before that, in all
    start_by = models.DateTimeField(null=True, editable=False)  # this and the next four by tickets.clocks
    finish_by = models.DateTimeField(null=True, editable=False)
    clock_at = models.DateTimeField(null=True, editable=False)  # the end of the clock that runs out first
    risk_at = models.DateTimeField(null=True, editable=False)
    clock_state = models.CharField(max_length=8, choices=ClockState, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    comments_total = models.PositiveIntegerField(default=0, editable=False)
    files_total = models.PositiveIntegerField(default=0, editable=False)
    automated = models.BooleanField(default=False, editable=False)  # it has an automation: the room above keeps it

    objects = TicketQuerySet.as_manager()  # mptt makes a tree manager of its own beside it
    history = tracked(excluded=DERIVED)
    url_fields = {"number": "incident__number", "ticket": "number"}
    root_path = "incident"

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
        indexes = [
            models.Index(fields=["assignee", "category"], name="ticket_mine"),
            models.Index(fields=["clock_state", "risk_at", "clock_at"], name="ticket_turns"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}" if self.number != ROOT_NUMBER else self.title

    def get_absolute_url(self) -> str:
        if self.number == ROOT_NUMBER:  # the incident itself: what is said on it as a whole
            return reverse("tickets:talk", kwargs={"number": self.incident.number})
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
    def status_words(self) -> str:
        """The name of its status; a query unless the rows were `worded`."""
        known: str | None = self.__dict__.get("status_name")
        return known or TicketStatus.objects.filter(code=self.status).values_list("name", flat=True).first() or ""

    @property
    def priority_words(self) -> str:
        """The name of its priority; a query unless the rows were `worded`."""
        known: str | None = self.__dict__.get("priority_name")
        return known or TicketPriority.objects.filter(code=self.priority).values_list("name", flat=True).first() or ""

    @property
    def is_ended(self) -> bool:
        """Done or dropped."""
        return self.category in ENDED

    @property
    def is_resolved(self) -> bool:
        """A lead with a result; a dropped one counts (its reason says why)."""
        return bool(self.disposition) or self.category == Category.DROPPED
