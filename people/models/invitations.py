"""Invitations: the only way to an account."""

import hashlib
import secrets
from datetime import timedelta
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from people.models.customers import Customer
from people.models.rights import directory_permissions, is_ours
from people.models.users import User

VALID_FOR = timedelta(days=7)


def new_token() -> str:
    """256 random bits for a link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is stored of a token: SHA-256, in hex. A random token needs no salt and no slow hash."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def expiry() -> object:
    """When an invitation made now ends."""
    return timezone.now() + VALID_FOR


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations."""

    def visible_to(self, user: User) -> Self:
        """Our own people see who was invited."""
        return self if is_ours(user) else self.none()

    def pending(self) -> Self:
        """Neither accepted nor revoked; perhaps expired."""
        return self.filter(accepted_at=None, revoked_at=None)

    def open(self) -> Self:
        """What a link still opens: pending, in time, and from somebody who may still invite (or from the system)."""
        admins = User.objects.active().filter(pk=OuterRef("invited_by"), groups__permissions__codename="administer")
        return self.pending().filter(Q(invited_by=None) | Exists(admins), expires_at__gt=timezone.now())


class Invitation(models.Model):
    """Somebody may make one account, once, within seven days. The token itself is never stored here."""

    email = models.EmailField()
    name = models.CharField(max_length=120)
    groups = models.JSONField(default=list)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="invitations")
    token_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    invited_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(default=expiry, editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="invitation", editable=False
    )
    revoked_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[models.Manager["Invitation"]] = InvitationQuerySet.as_manager()
    journal_stream = "people"
    url_fields: ClassVar[dict[str, str]] = {"invitation": "pk"}

    class Meta:
        ordering = ["-invited_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"), condition=Q(accepted_at=None, revoked_at=None), name="invitation_once"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(revoked_at=None), name="invitation_accepted_or_revoked"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    @property
    def access_root(self) -> "Invitation":
        """Itself."""
        return self

    def permissions_for(self, user: User) -> frozenset[str]:
        """Our own people see it; who administers may revoke it."""
        return directory_permissions(user)

    @property
    def is_expired(self) -> bool:
        """Too late to accept it."""
        return self.expires_at <= timezone.now()

    @staticmethod
    def link(token: str) -> str:
        """The address to accept it at; from BASE_URL, never from what a request says our name is."""
        return settings.BASE_URL + reverse("people:accept", kwargs={"token": token})
