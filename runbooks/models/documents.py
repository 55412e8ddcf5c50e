"""Documents: controlled texts with versions, approval and a review cycle."""

from __future__ import annotations

import calendar
import datetime as dt
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from core.access import Guarded
from core.actions import tracked
from core.models import Versioned
from incidents.models import Role, Tag
from incidents.models.lifecycle import IncidentType
from people.models.rights import is_ours

if TYPE_CHECKING:
    from people.models import User
    from runbooks.models.versions import Version

STREAM = "documents"
SOON = dt.timedelta(days=14)  # a review is told of this long before its date


class DocumentKind(models.TextChoices):
    """What a document is for; each kind has a page of its own."""

    RUNBOOK = "runbook", "Runbook"
    POLICY = "policy", "Policy"
    PROCEDURE = "procedure", "Procedure"
    GUIDELINE = "guideline", "Guideline"
    TEMPLATE = "template", "Message template"

    @property
    def plural(self) -> str:
        """The part of the URL, and (capitalised) the heading of the page."""
        return {"policy": "policies"}.get(self.value, f"{self.value}s")


class ReviewCycle(models.TextChoices):
    """How often a document has to be looked at again."""

    NEVER = "", "Never"
    MONTHLY = "monthly", "Monthly"
    QUARTERLY = "quarterly", "Quarterly"
    YEARLY = "yearly", "Yearly"
    DAYS = "days", "Every … days"


MONTHS: dict[str, int] = {ReviewCycle.MONTHLY: 1, ReviewCycle.QUARTERLY: 3, ReviewCycle.YEARLY: 12}


class DocumentQuerySet(models.QuerySet["Document"]):
    """Documents, asked for by who wants to see them."""

    def visible_to(self, user: User) -> Self:
        """Our own people see all of them, customers' people none."""
        return self if is_ours(user) else self.none()

    def in_use(self) -> Self:
        """With a version in force, and not archived: what can be run or sent."""
        return self.filter(active__isnull=False, archived_at=None)

    def lock(self, pk: int) -> Document:
        """The document, fresh and locked until the transaction ends: whoever changes it or its versions does this."""
        return self.select_for_update(no_key=True, of=("self",)).get(pk=pk)

    def overdue(self) -> Self:
        """Whose review is late."""
        return self.filter(archived_at=None, review_due__lt=timezone.localdate())


class Document(Versioned, Guarded):
    """One controlled text. Its words are in its versions; `active` is the one in force.

    `incident_types`, `severities`, `roles` (values of the incidents' enumerations) and `departments` (free words) say
    what it applies to; empty means everything. `escalations` are `[{"condition": …, "action": …}]`.
    """

    kind = models.CharField(max_length=10, choices=DocumentKind)
    slug = models.SlugField(max_length=80, unique=True)
    title = models.CharField(max_length=200)
    summary = models.CharField(max_length=300, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="documents")
    active = models.ForeignKey("Version", null=True, on_delete=models.PROTECT, related_name="+", editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    approvals_needed = models.PositiveSmallIntegerField(default=1)
    approvers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="approves")  # each must agree

    review_cycle = models.CharField(max_length=10, choices=ReviewCycle, blank=True, default=ReviewCycle.YEARLY)
    review_days = models.PositiveSmallIntegerField(null=True, blank=True)  # of the cycle "days"
    review_due = models.DateField(null=True, blank=True)
    reminded_on = models.DateField(null=True, editable=False)  # of the review; a review and a new version begin anew

    incident_types = models.JSONField(default=list, blank=True)
    severities = models.JSONField(default=list, blank=True)
    roles = models.JSONField(default=list, blank=True)
    departments = models.JSONField(default=list, blank=True)
    tags = models.ManyToManyField(Tag, blank=True, related_name="documents")
    related = models.ManyToManyField("self", blank=True)
    starts_by_itself = models.BooleanField(default=False)  # a runbook: when an incident it applies to opens
    escalations = models.JSONField(default=list, blank=True)

    folded = models.TextField(blank=True, editable=False)  # case-folded text that search looks in

    objects = DocumentQuerySet.as_manager()
    history = tracked(excluded=["folded", "tags", "related", "approvers"])
    journal_stream = STREAM
    url_fields = {"kind": "kind", "slug": "slug"}

    class Meta:
        default_permissions = ()
        ordering = ["title", "pk"]
        indexes = [models.Index(fields=["kind", "title"], name="document_kind")]
        constraints = [
            models.CheckConstraint(condition=Q(approvals_needed__gte=1), name="document_needs_an_approval"),
            models.CheckConstraint(
                condition=~Q(review_cycle="days") | Q(review_days__gte=1), name="document_days_are_given"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("runbooks:document", kwargs={"kind": self.kind, "slug": self.slug})

    @property
    def access_root(self) -> Document:
        """Itself (core.access)."""
        return self

    def permissions_for(self, user: Any) -> frozenset[str]:
        """Ours read; who responds, oversees or administers writes; managers and named approvers approve.

        Who has to approve is said ("govern") by who oversees or administers: not by whoever wants to be approved.
        """
        if not is_ours(user):
            return frozenset()
        found = {"view"}
        if user.rights & {"respond", "oversee", "administer"}:
            found.add("write")
        if user.rights & {"oversee", "administer"}:
            found.add("govern")
        if user.rights & {"oversee"} or self.approvers.filter(pk=user.pk).exists():
            found.add("approve")
        return frozenset(found)

    @property
    def sort(self) -> DocumentKind:
        """The kind, as what it is."""
        return DocumentKind(self.kind)

    @property
    def type_names(self) -> list[str]:
        """What kinds of incidents it applies to, in words."""
        return [str(IncidentType(one).label) for one in self.incident_types if one in IncidentType.values]

    @property
    def role_names(self) -> list[str]:
        """For which roles it is, in words."""
        return [str(Role(one).label) for one in self.roles if one in Role.values]

    @property
    def text(self) -> Version:
        """The version that stands for it: the one in force, else the newest."""
        return self.active or self.versions.all()[0]

    @property
    def is_overdue(self) -> bool:
        """Its review is late."""
        return self.review_due is not None and self.archived_at is None and self.review_due < timezone.localdate()

    def next_review(self, day: dt.date) -> dt.date | None:
        """When it has to be looked at again, if that was done on `day`."""
        if self.review_cycle == ReviewCycle.DAYS:
            return day + dt.timedelta(days=self.review_days or 1)
        months = MONTHS.get(self.review_cycle)
        if months is None:
            return None
        year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
        return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))

    @property
    def is_due_soon(self) -> bool:
        """Its review is late or near."""
        soon = timezone.localdate() + SOON
        return self.review_due is not None and self.archived_at is None and self.review_due <= soon


class DocumentLink(models.Model):
    """`[[slug]]` or `![[runbook:slug]]` in the version in force (or the newest) of a document, for backlinks.

    Kept by slug, so that a link to a document that is still to be written finds it later. Derived from the text.
    """

    source = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="links")
    slug = models.SlugField(max_length=80)
    is_part = models.BooleanField(default=False)  # a sub-playbook

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["source", "slug", "is_part"], name="document_link_once")]
        indexes = [models.Index(fields=["slug"], name="document_backlinks")]

    def __str__(self) -> str:
        return f"{self.source_id} to {self.slug}"


class Review(models.Model):
    """Somebody looked at a document again, whether or not something changed. Only ever added to."""

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    note = models.TextField(blank=True)
    was_due = models.DateField(null=True, editable=False)
    next_due = models.DateField(null=True, editable=False)

    class Meta:
        default_permissions = ()
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"review of {self.document} on {self.at:%Y-%m-%d}"
