"""Lists of people, each with a fixed number of SQL queries."""

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import models
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Subquery

from people.models import AccountMail, Customer, Invitation, User
from people.models.rights import TEAM_RIGHTS

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]

# Roles in restricted incidents are not counted: a number would tell that there is one.
_OPEN_ROLES = Q(assignments__until=None, assignments__incident__restricted=False, assignments__incident__closed_at=None)


def choices(*, q: str = "") -> QuerySet[User]:
    """Our own active people with a right, to assign work to; `q` narrows them by part of name, user name or address."""
    found = User.objects.team().filter(
        Exists(User.groups.through.objects.filter(
            user=OuterRef("pk"), group__permissions__codename__in=TEAM_RIGHTS,
            group__permissions__content_type__app_label="people",
        ))
    )  # fmt: skip
    if q:
        found = found.filter(Q(name__icontains=q) | Q(username__icontains=q) | Q(email__icontains=q))
    return found.order_by("name", "pk")


def _with_facts(people: QuerySet[User]) -> QuerySet[User]:
    factors = Authenticator.objects.filter(user=OuterRef("pk"), type__in=SECOND_FACTORS)
    return people.prefetch_related("groups").annotate(
        has_second_factor=Exists(factors), open_roles=Count("assignments", filter=_OPEN_ROLES)
    )


def team() -> QuerySet[User]:
    """Our people: active ones first; with groups, `has_second_factor` and `open_roles` (in unrestricted incidents)."""
    return _with_facts(User.objects.filter(customer=None)).order_by("-is_active", "name", "pk")


def contacts(customer: Customer) -> QuerySet[User]:
    """A customer's people, as `team`."""
    return _with_facts(User.objects.filter(customer=customer)).order_by("-is_active", "name", "pk")


def person(user: User) -> dict[str, Any]:
    """What the page of a person shows beside the row itself."""
    factors = Authenticator.objects.filter(user=user, type__in=SECOND_FACTORS)
    return {
        "groups": list(user.groups.order_by("name").values_list("name", flat=True)),
        "has_second_factor": factors.exists(),
        "sessions": UserSession.objects.filter(user=user).count(),
    }


def invitations(*, customer: Customer | None = None) -> QuerySet[Invitation]:
    """Who was invited and did not come yet, newest first, with the state of the mail as `mail_state`."""
    mails = AccountMail.objects.filter(invitation=OuterRef("pk")).order_by("-pk").values("state")[:1]
    found = Invitation.objects.pending().select_related("invited_by", "customer")
    return found.filter(customer=customer).annotate(
        mail_state=Subquery(mails, output_field=models.CharField())
    )  # fmt: skip


def customers() -> QuerySet[Customer]:
    """All customers, those we work for first, with the number of active `contacts`."""
    active = Count("people", filter=Q(people__is_active=True))
    return Customer.objects.annotate(contacts=active).order_by("-active", "name")
