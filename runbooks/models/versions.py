"""Versions of documents: draft → in review → approved → active (in force) → archived. Old ones stay for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from core.access import Guarded, Root
from core.actions import tracked
from core.models import Versioned
from runbooks.models.documents import STREAM, Document

if TYPE_CHECKING:
    from people.models import User


class VersionState(models.TextChoices):
    """Where a version stands."""

    DRAFT = "draft", "Draft"
    IN_REVIEW = "in_review", "In review"
    APPROVED = "approved", "Approved"
    ACTIVE = "active", "In force"
    ARCHIVED = "archived", "Replaced"


class VersionQuerySet(models.QuerySet["Version"]):
    """Versions, seen by who may see their document."""

    def visible_to(self, user: User) -> Self:
        """Versions of documents this person may see."""
        return self.filter(document__in=Document.objects.visible_to(user))


class Version(Versioned, Guarded):
    """The text of a document at one time. Only a draft is ever edited; `version` (of the row) guards that.

    `round` counts how often it went to review: approvals belong to one round. `subject` is of message templates.
    """

    document = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField(editable=False)
    subject = models.CharField(max_length=200, blank=True)
    body = models.TextField(blank=True)
    body_html = models.TextField(blank=True, editable=False)
    change_note = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=VersionState, default=VersionState.DRAFT, editable=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    round = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    submitted_at = models.DateTimeField(null=True, editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)
    active_at = models.DateTimeField(null=True, editable=False)
    archived_at = models.DateTimeField(null=True, editable=False)
    writers = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")  # all who changed it: none approves

    objects = VersionQuerySet.as_manager()
    history = tracked(excluded=["body_html", "writers"])
    journal_stream = STREAM
    url_fields = {"kind": "document__kind", "slug": "document__slug", "version": "number"}

    class Meta:
        default_permissions = ()
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["document", "number"], name="version_number_once"),
            models.UniqueConstraint(fields=["document"], condition=Q(state="active"), name="one_version_in_force"),
            models.UniqueConstraint(
                fields=["document"], condition=Q(state__in=["draft", "in_review", "approved"]), name="one_next_version"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document} v{self.number}"

    def get_absolute_url(self) -> str:
        parts = {"kind": self.document.kind, "slug": self.document.slug, "version": self.number}
        return reverse("runbooks:version", kwargs=parts)

    @property
    def access_root(self) -> Root:
        """The document."""
        return self.document

    @property
    def seen(self) -> str:
        """Names the text as it stands, so that only what was read can be approved."""
        return f"{self.number}.{self.version}"

    @property
    def stage(self) -> VersionState:
        """The state, as what it is."""
        return VersionState(self.state)


class Approval(models.Model):
    """What one person said to one version in one round of review. Only ever added to.

    Who agreed may send it back later in the same round: what was said last counts.
    """

    of = models.ForeignKey(Version, on_delete=models.PROTECT, related_name="approvals")
    round = models.PositiveSmallIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    agrees = models.BooleanField()
    comment = models.TextField()
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["of", "round", "by", "agrees"], name="approval_once")]

    def __str__(self) -> str:
        return f"{self.by}: {'yes' if self.agrees else 'no'} to {self.of}"
