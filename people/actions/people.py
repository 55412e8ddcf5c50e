"""What admins do with people, and people with themselves."""

from collections.abc import Collection, Mapping
from typing import Any

from allauth.usersessions.models import UserSession

from core import journal
from core.actions import action
from core.actors import Actor
from people.actions.groups import check_groups, keep_an_admin, lock_admins, put_into
from people.models import User

DETAILS = ("name", "job_title", "phone", "time_zone", "compact", "hotkeys")


def _end_sessions(person: User) -> None:
    """Every session holds a hash over the round: with the next one, none is valid. The list of them goes too."""
    person.session_round += 1
    UserSession.objects.filter(user=person).delete()


@action
def set_groups(*, actor: Actor, person: User, groups: Collection[str]) -> User:
    """Make these the person's groups.

    Raises:
        ValidationError: the groups do not fit the person, or this is the last active Admin.
    """
    lock_admins()
    person = User.objects.lock(person.pk)
    before = sorted(person.groups.values_list("name", flat=True))
    after = check_groups(groups, customer=person.customer)
    if before == after:
        return person
    if "Admin" not in after:
        keep_an_admin(without=person)
    put_into(person, after)
    person.save()
    journal.record("person.groups_changed", actor=actor, subject=person, groups=[before, after])
    return person


@action
def disable(*, actor: Actor, person: User) -> User:
    """Lock the person out: no login, every session over, mails on their way not sent.

    Raises:
        ValidationError: this is the last active Admin.
    """
    lock_admins()
    person = User.objects.lock(person.pk)
    if not person.is_active:
        return person
    keep_an_admin(without=person)
    person.is_active = False
    _end_sessions(person)
    person.save()
    journal.record("person.disabled", actor=actor, subject=person)
    return person


@action
def enable(*, actor: Actor, person: User) -> User:
    """Let a disabled person log in again, with the groups they had."""
    person = User.objects.lock(person.pk)
    if person.is_active:
        return person
    person.is_active = True
    person.save()
    journal.record("person.enabled", actor=actor, subject=person)
    return person


@action
def end_sessions(*, actor: Actor, person: User) -> User:
    """Log the person out everywhere, at once."""
    person = User.objects.lock(person.pk)
    _end_sessions(person)
    person.save(update_fields=["session_round"])
    journal.record("person.sessions_ended", actor=actor, subject=person, changed=False)
    return person


@action
def change_details(*, actor: Actor, person: User, fields: Mapping[str, Any]) -> User:
    """Change what a person tells about themselves: name, job title, phone, time zone, density, shortcuts."""
    person = User.objects.lock(person.pk)
    changed = {name: fields[name] for name in DETAILS if name in fields and getattr(person, name) != fields[name]}
    if not changed:
        return person
    for name, value in changed.items():
        setattr(person, name, value)
    person.save()
    journal.record("person.details_changed", actor=actor, subject=person)
    return person


@action
def set_password(*, actor: Actor, person: User, password: str, forgotten: bool = False) -> User:
    """Set a new password, which ends every session that was begun with the old one."""
    fresh = User.objects.lock(person.pk)
    fresh.set_password(password)
    fresh.save(update_fields=["password"])
    journal.record(
        "person.password_reset" if forgotten else "person.password_changed", actor=actor, subject=fresh, changed=False
    )
    return fresh
