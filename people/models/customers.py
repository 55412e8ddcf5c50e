"""The organisations incidents are handled for."""

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models
from django.urls import reverse

from core.actions import tracked
from people.models.rights import directory_permissions, is_ours

if TYPE_CHECKING:
    from people.models.users import User


class CustomerQuerySet(models.QuerySet["Customer"]):
    """Customers, asked for by who wants to see them."""

    def visible_to(self, user: "User") -> Self:
        """Our own people see all of them."""
        return self if is_ours(user) else self.none()

    def active(self) -> Self:
        """Those we work for now."""
        return self.filter(active=True)


class Customer(models.Model):
    """An organisation. Its people log in to the portal and see only what was shared with them."""

    name = models.CharField(max_length=200, unique=True)
    slug = models.SlugField(max_length=80, unique=True)
    notes = models.TextField(blank=True)
    active = models.BooleanField(default=True)

    objects: ClassVar[models.Manager["Customer"]] = CustomerQuerySet.as_manager()
    history = tracked()
    journal_stream = "people"
    url_fields: ClassVar[dict[str, str]] = {"slug": "slug"}

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("people:customer", kwargs={"slug": self.slug})

    @property
    def access_root(self) -> "Customer":
        """Itself (core.access)."""
        return self

    def permissions_for(self, user: "User") -> frozenset[str]:
        """Our own people see it; who administers may change it."""
        return directory_permissions(user)
