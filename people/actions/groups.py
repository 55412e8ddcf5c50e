"""Who may be in which group, and that an Admin is always left. Used by the actions about people and invitations."""

from collections.abc import Collection

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError

from people.models import Customer, User
from people.models.rights import ADMIN, CUSTOMER, GROUPS


def check_groups(groups: Collection[str], *, customer: Customer | None) -> list[str]:
    """The groups in order of name.

    Raises:
        ValidationError: a group is unknown; a customer's person would be in another group than Customer, or one of ours
            in none or in Customer.
    """
    wanted = sorted(set(groups))
    if unknown := [name for name in wanted if name not in GROUPS]:
        raise ValidationError({"groups": f"There is no group named {unknown[0]}."})
    if customer is not None and wanted != [CUSTOMER]:
        raise ValidationError({"groups": f"People of {customer} belong to the group {CUSTOMER} and to no other."})
    if customer is None and CUSTOMER in wanted:
        raise ValidationError({"groups": f"Only people of a customer belong to the group {CUSTOMER}."})
    if not wanted:
        raise ValidationError({"groups": "Choose at least one group: without one, somebody can do nothing here."})
    return wanted


def lock_admins() -> None:
    """Changes to who administers wait for each other until the transaction ends. Taken before any person's row."""
    Group.objects.select_for_update().get(name=ADMIN)


def keep_an_admin(*, without: User) -> None:
    """Under `lock_admins`: refuse what would leave nobody who can administer.

    Raises:
        ValidationError: this is the last active Admin.
    """
    others = User.objects.active().filter(groups__name=ADMIN).exclude(pk=without.pk)
    if without.is_active and without.groups.filter(name=ADMIN).exists() and not others.exists():
        raise ValidationError(f"{without} is the last active Admin. Make somebody else an Admin first.")


def put_into(person: User, groups: list[str]) -> None:
    """Set the groups, and let who is Admin into the reference data at /admin/; the caller saves the person."""
    person.groups.set(Group.objects.filter(name__in=groups))
    person.is_staff = ADMIN in groups
    person.__dict__.pop("rights", None)
