"""An incident: the root that tickets, people and permissions hang on."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import CharField, Expression, Q, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from core.access import Guarded, granted, object_permissions
from core.actions import tracked
from core.models import Versioned
from incidents.models.lifecycle import IncidentType, Resolution, Severity, Status, Tlp
from people.models import Customer
from people.models.rights import TEAM_RIGHTS

if TYPE_CHECKING:
    from people.models import User


POST_MORTEM = ("root_cause", "contributing_factors", "lessons_learned")  # what an approval is given to


def stream_name(pk: Any) -> Expression:
    """`Incident.journal_stream` in a query, of the primary key that the expression names."""
    return Concat(Value("incident:"), Cast(pk, CharField()))


class Tag(models.Model):
    """A word that incidents are found by."""

    name = models.CharField(max_length=40, unique=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Incidents, always asked for by who wants to see them."""

    def visible_to(self, user: User) -> Self:
        """What this person may see: restricted ones only with a role in them. One rule for page, list and count."""
        if not getattr(user, "is_active", False) or not hasattr(user, "rights"):
            return self.none()
        if "audit" in user.rights:
            return self
        seen = Q(pk__in=granted(user, Incident, "view"))
        if user.rights & TEAM_RIGHTS:
            seen |= Q(restricted=False)
        return self.filter(seen)

    def with_number(self, text: str) -> Incident | None:
        """The one whose number was typed: case and spaces around it do not matter. No database looks for NUL."""
        return None if "\x00" in text else self.filter(number=text.strip().upper()).first()

    def numbered(self, user: User, text: str) -> Incident | None:
        """The same, if this person may see it; what they may not see is as if it never was."""
        return self.visible_to(user).with_number(text)

    def open(self) -> Self:
        """Not closed."""
        return self.exclude(status=Status.CLOSED)

    def lock(self, pk: int) -> Incident:
        """The incident, fresh and locked until the transaction ends: whoever changes it or its tree does this first."""
        return self.select_for_update(no_key=True, of=("self",)).get(pk=pk)

    def lock_all(self, *pks: int) -> list[Incident]:
        """Several, locked in ascending order of their keys."""
        return list(self.select_for_update(no_key=True, of=("self",)).filter(pk__in=pks).order_by("pk"))


class Incident(Versioned, Guarded):  # type: ignore[django-manager-missing]  # guardian's untyped manager
    """One security incident; owns exactly one tree of tickets, whose counts it carries for lists."""

    number = models.CharField(max_length=24, unique=True, editable=False)
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    summary_html = models.TextField(blank=True, editable=False)
    situation = models.TextField("where do we stand", blank=True)
    situation_html = models.TextField(blank=True, editable=False)
    situation_at = models.DateTimeField(null=True, editable=False)
    situation_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    type = models.CharField(max_length=24, choices=IncidentType, default=IncidentType.OTHER)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.MEDIUM)
    severity_assessed_at = models.DateTimeField(null=True, editable=False)
    status = models.CharField(max_length=24, choices=Status, default=Status.DETECTED, editable=False)
    resolution = models.CharField(max_length=16, choices=Resolution, blank=True, editable=False)
    tlp = models.CharField("TLP", max_length=20, choices=Tlp, default=Tlp.AMBER)
    restricted = models.BooleanField(default=False)
    exercise = models.BooleanField(default=False)

    occurred_at = models.DateTimeField("attacker began", null=True, blank=True)
    detected_at = models.DateTimeField()
    analyzing_at = models.DateTimeField(null=True, editable=False)
    contained_at = models.DateTimeField(null=True, editable=False)
    eradicated_at = models.DateTimeField(null=True, editable=False)
    recovered_at = models.DateTimeField(null=True, editable=False)
    reviewed_at = models.DateTimeField(null=True, editable=False)
    closed_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="reported")
    commander = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="commanded"
    )
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="incidents")
    detection_source = models.CharField(max_length=120, blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="incidents")

    affected_systems = models.JSONField(default=list, blank=True)
    affected_services = models.JSONField(default=list, blank=True)
    data_types = models.JSONField(default=list, blank=True)
    affected_users = models.PositiveIntegerField(null=True, blank=True)
    financial_amount = models.DecimalField(
        max_digits=14, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    financial_currency = models.CharField(max_length=3, blank=True)
    business_impact = models.TextField(blank=True)
    business_impact_html = models.TextField(blank=True, editable=False)
    root_cause = models.TextField(blank=True)
    root_cause_html = models.TextField(blank=True, editable=False)
    contributing_factors = models.TextField(blank=True)
    contributing_factors_html = models.TextField(blank=True, editable=False)
    lessons_learned = models.TextField(blank=True)
    lessons_learned_html = models.TextField(blank=True, editable=False)
    post_mortem_approved_at = models.DateTimeField(null=True, editable=False)
    post_mortem_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    merged_into = models.ForeignKey(
        "self", null=True, on_delete=models.PROTECT, related_name="absorbed", editable=False
    )

    last_ticket = models.PositiveIntegerField(default=100, editable=False)  # the last ticket number given out
    tickets_total = models.PositiveIntegerField(default=0, editable=False)  # of the tree, kept by tickets.tree
    tickets_done = models.PositiveIntegerField(default=0, editable=False)
    leads_total = models.PositiveIntegerField(default=0, editable=False)
    leads_done = models.PositiveIntegerField(default=0, editable=False)
    next_due_at = models.DateTimeField(null=True, editable=False)  # the soonest clock of its open tickets
    folded = models.TextField(blank=True, editable=False)  # case-folded text that search looks in
    once_key = models.CharField(max_length=80, unique=True, null=True, blank=True, editable=False)  # of the form sent

    objects = IncidentQuerySet.as_manager()
    history = tracked(
        excluded=[
            "folded", "once_key", "last_ticket", "tickets_total", "tickets_done", "leads_total", "leads_done",
            "next_due_at", "tags",
            "summary_html", "situation_html", "business_impact_html", "root_cause_html", "contributing_factors_html",
            "lessons_learned_html",
        ]
    )  # fmt: skip
    url_fields = {"number": "number"}
    root_path = ""

    class Meta:
        default_permissions = ()
        permissions = [
            ("view", "See the incident and everything in it"),
            ("work", "Work tickets, comments, evidence and reports"),
            ("lead", "Set status, severity and team; restrict, merge, drop branches"),
            ("communicate", "Send outside the team"),
            ("approve", "Approve post-mortem, outside updates and obligations"),
        ]
        ordering = ["-detected_at", "-pk"]
        indexes = [
            models.Index(fields=["-detected_at", "-id"], name="incident_newest"),
            models.Index(fields=["status", "-detected_at"], name="incident_status"),
            models.Index(fields=["severity", "-detected_at"], name="incident_severity"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(merged_into=None) | ~Q(merged_into=models.F("id")), name="not_into_itself"
            ),
            models.CheckConstraint(
                condition=Q(financial_amount=None) | Q(financial_amount__gte=0), name="amount_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("incidents:overview", kwargs={"number": self.number})

    @property
    def journal_stream(self) -> str:
        """The chain of everything done in this incident."""
        return f"incident:{self.pk}"

    @property
    def views_stream(self) -> str:
        """The chain of who opened it while it was restricted: apart, since pages poll the head of the other."""
        return f"views:{self.pk}"

    def permissions_for(self, user: Any, granted: frozenset[str] | None = None) -> frozenset[str]:
        """What this person may do here: from their roles, plus seeing it where that needs no role."""
        if not getattr(user, "is_active", False):
            return frozenset()
        found = object_permissions(user, self) if granted is None else granted
        sees = "audit" in user.rights or (not self.restricted and user.rights & TEAM_RIGHTS)
        return found | {"view"} if sees else found

    @property
    def stage(self) -> Status:
        """The status, as the step of the life cycle it is."""
        return Status(self.status)

    @property
    def is_open(self) -> bool:
        """Work goes on."""
        return self.status != Status.CLOSED

    @property
    def post_mortem_digest(self) -> str:
        """Names the text of the post-mortem as it stands (SHA-256), so that only what was read can be approved."""
        text = "\0".join(getattr(self, name) for name in POST_MORTEM)
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def tickets_open(self) -> int:
        """Tickets neither done nor dropped."""
        return self.tickets_total - self.tickets_done

    @property
    def leads_open(self) -> int:
        """Leads nobody has resolved yet."""
        return self.leads_total - self.leads_done


class LinkKind(models.TextChoices):
    """How one incident belongs to another."""

    PARENT = "parent", "is part of"
    DUPLICATE = "duplicate_of", "is a duplicate of"
    RELATED = "related_to", "is related to"


class IncidentLink(models.Model):
    """One incident says how it belongs to another; a link shows only to people who may see both."""

    source = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="links_out")
    target = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="links_in")
    kind = models.CharField(max_length=16, choices=LinkKind)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "kind"], name="link_once"),
            models.CheckConstraint(condition=~Q(source=models.F("target")), name="link_to_another"),
        ]

    def __str__(self) -> str:
        return f"{self.source.number} {self.get_kind_display()} {self.target.number}"
