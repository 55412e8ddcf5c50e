"""People who log in. What somebody may do everywhere comes from groups, as rights; never ask for a group by name."""

from functools import cached_property
from typing import Any, ClassVar, Self
from zoneinfo import available_timezones

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Permission, PermissionsMixin
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Expression, OuterRef, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from core.actions import tracked
from core.gather import gathered, names
from people.models.customers import Customer
from people.models.rights import GROUPS, RIGHTS, TEAM_RIGHTS, directory_permissions, is_ours

__all__ = ["GROUPS", "RIGHTS", "User"]  # migrations find the first two here


def check_timezone(name: str) -> None:
    """A name of the tz database."""
    if name not in available_timezones():
        raise ValidationError("This is not a time zone. Write it as Europe/Berlin.")


def _rights_of(user: Any) -> models.QuerySet[Permission]:
    ours = Permission.objects.filter(content_type__app_label="people", content_type__model="user")
    return ours.filter(group__user=user)


def codenames_of(user: str) -> Expression:
    """The rights that the groups of the person in this column give, for `User.codenames`."""
    return gathered(_rights_of(OuterRef(user)), "codename")


class UserQuerySet(models.QuerySet["User"]):
    """People, asked for by who wants to see them."""

    def visible_to(self, user: "User") -> Self:
        """Our own people see everybody; a customer's people see no list of people."""
        return self if is_ours(user) else self.none()

    def named(self, login: str) -> Self:
        """Who logs in by this e-mail or user name, without regard to case."""
        return self.filter(Q(email__iexact=login) | Q(username__iexact=login))

    def lock(self, pk: int) -> "User":
        """The person, fresh, with the row locked until the transaction ends."""
        return self.select_for_update(no_key=True, of=("self",)).get(pk=pk)


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail or user name, both without regard to case."""

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def visible_to(self, user: "User") -> UserQuerySet:
        """See UserQuerySet."""
        return self.get_queryset().visible_to(user)

    def named(self, login: str) -> UserQuerySet:
        """See UserQuerySet."""
        return self.get_queryset().named(login)

    def lock(self, pk: int) -> "User":
        """See UserQuerySet."""
        return self.get_queryset().lock(pk)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a person; without a password they cannot log in until they set one."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.username = user.username or user.email.split("@")[0]
        user.set_password(password)
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def active(self) -> "models.QuerySet[User]":
        """People who may log in."""
        return self.filter(is_active=True)

    def team(self) -> "models.QuerySet[User]":
        """Our own people: everybody who belongs to no customer."""
        return self.filter(is_active=True, customer=None)


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # guardian's untyped manager
    """A person with a login."""

    email = models.EmailField(unique=True)
    username = models.CharField(max_length=60, unique=True, validators=[ASCIIUsernameValidator()])
    name = models.CharField(max_length=120)
    job_title = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    customer = models.ForeignKey(Customer, null=True, blank=True, on_delete=models.PROTECT, related_name="people")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=60, default="UTC", validators=[check_timezone])
    compact = models.BooleanField("dense rows", default=False)
    hotkeys = models.BooleanField("single-key shortcuts", default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)
    session_round = models.PositiveIntegerField(default=0, editable=False)  # raised to end every session at once

    objects: ClassVar[UserManager] = UserManager()
    history = tracked(excluded=["password", "last_login", "session_round"])

    codenames: str | None = None  # `codenames_of` this person, where they were fetched with it (people.sessions)
    lacks_factor: bool | None = None  # likewise, and None where nobody asked

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["username", "name"]
    journal_stream = "people"
    actor_kind = "user"
    url_fields: ClassVar[dict[str, str]] = {"user": "pk"}

    class Meta:
        ordering = ["name", "pk"]
        permissions = RIGHTS
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.UniqueConstraint(Lower("username"), name="user_name_once"),
            # Otherwise one person's user name could be another's address, and both would log in by it.
            models.CheckConstraint(condition=~Q(username__contains="@"), name="user_name_is_no_address"),
            models.CheckConstraint(
                condition=Q(customer=None) | Q(is_staff=False, is_superuser=False), name="staff_has_no_customer"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    @property
    def actor_name(self) -> str:
        """The name that the journal keeps."""
        return f"{self.name} <{self.email}>"

    @cached_property
    def rights(self) -> frozenset[str]:
        """What this person may do everywhere; nothing for who is disabled. One query, or none if it came with the row.

        A customer's person never has a right of the team, and ours never the portal's, whatever the group table says.
        """
        if not self.is_active:
            return frozenset()
        if self.codenames is None:
            found = frozenset(_rights_of(self).values_list("codename", flat=True))
        else:
            found = names(self.codenames)
        return found & ({"portal"} if self.customer_id else TEAM_RIGHTS)

    @property
    def access_root(self) -> "User":
        """Itself (core.access)."""
        return self

    def permissions_for(self, user: "User") -> frozenset[str]:
        """Our own people see this person; who administers may change groups and end sessions."""
        return directory_permissions(user)

    @property
    def initials(self) -> str:
        """Two letters for the avatar."""
        words = [word for word in self.name.split() if word[0].isalnum()]
        return ((words[0][0] + words[-1][0]) if len(words) > 1 else (self.name or self.username)[:2]).upper()

    @property
    def colour(self) -> int:
        """Which of the eight avatar fills (1–8)."""
        return (self.pk or 0) % 8 + 1

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django puts this into every session and compares it at each request: password or round changed, session over.
        value = f"{self.session_round}:{self.password}"
        return salted_hmac("people.session", value, secret=secret, algorithm="sha256").hexdigest()

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] if self.name else self.username
