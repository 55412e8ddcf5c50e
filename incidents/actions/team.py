"""The team of an incident: who has which role, from when to when, and the permissions that follow from it."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import access, journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident, Role, RoleAssignment
from incidents.models.guards import require_open
from incidents.models.team import PERMISSIONS
from people.models import User


def _grant_from_roles(incident: Incident, user: User) -> None:
    roles = RoleAssignment.objects.filter(incident=incident, user=user, until=None).values_list("role", flat=True)
    wanted = frozenset().union(*(PERMISSIONS[role] for role in roles))
    access.set_permissions(user=user, obj=incident, permissions=wanted)


def begin_role(incident: Incident, user: User, role: str, now: dt.datetime) -> RoleAssignment:
    """Give the role and its permissions (inside an action that journals it); a lesser role that it contains ends."""
    lesser = [name for name in (Role.MEMBER, Role.OBSERVER) if PERMISSIONS[name] < PERMISSIONS[role]]
    for contained in RoleAssignment.objects.filter(incident=incident, user=user, until=None, role__in=lesser):
        contained.until = now
        contained.save(update_fields=["until"])
    found = RoleAssignment.objects.create(incident=incident, user=user, role=role, since=now)
    _grant_from_roles(incident, user)
    return found


def _end(assignment: RoleAssignment, now: dt.datetime) -> None:
    assignment.until = now
    assignment.save(update_fields=["until"])
    _grant_from_roles(assignment.incident, assignment.user)


def _hand_command(incident: Incident, user: User, now: dt.datetime) -> User | None:
    """End the present command; who had it stays on the team as a member, and the incident names the new commander."""
    before = RoleAssignment.objects.filter(incident=incident, role=Role.COMMANDER, until=None).first()
    old = before.user if before else None
    if before and old:
        _end(before, now)
        if not RoleAssignment.objects.filter(incident=incident, user=old, until=None).exists():
            begin_role(incident, old, Role.MEMBER, now)
    incident.apply({"commander": user})
    return old


@action
def assign_role(*, actor: Actor, incident: Incident, user: User, role: str) -> RoleAssignment:
    """Give somebody a role. A new commander takes over from the one before, who stays as a member.

    Raises:
        ValidationError: the person is disabled, belongs to a customer or has the role already.
    """
    incident = Incident.objects.lock(incident.pk)
    if not user.is_active or user.customer_id is not None:
        raise ValidationError(f"{user} cannot be on the team: only active people of our own can.")
    if RoleAssignment.objects.filter(incident=incident, user=user, role=role, until=None).exists():
        raise ValidationError(f"{user} is {Role(role).label} already.")
    now = timezone.now()
    old = _hand_command(incident, user, now) if role == Role.COMMANDER else None
    found = begin_role(incident, user, role, now)
    journal.record(
        "role.assigned",
        actor=actor,
        subject=found,
        user=user.pk,
        name=str(user),
        role=role,
        replaces=str(old) if old else "",
    )
    return found


@action
def end_role(*, actor: Actor, assignment: RoleAssignment, reason: str = "") -> None:
    """Take a role away; its permissions go at once.

    Raises:
        ValidationError: it is the last person on the team, or the command (hand it to somebody instead).
    """
    incident = Incident.objects.lock(assignment.incident_id)
    active = RoleAssignment.objects.filter(incident=incident, until=None)
    assignment = active.select_related("user", "incident").filter(pk=assignment.pk).first() or _gone()
    if active.count() == 1:
        raise ValidationError("An incident is never without a member: add somebody first.")
    if assignment.role == Role.COMMANDER and incident.is_open:
        raise ValidationError("Command is handed over, not laid down: make somebody else commander.")
    _end(assignment, timezone.now())
    if assignment.role == Role.COMMANDER:
        incident.apply({"commander": None})
    journal.record(
        "role.ended", actor=actor, subject=assignment, user=assignment.user_id, role=assignment.role, reason=reason
    )


def _gone() -> RoleAssignment:
    raise ValidationError("This role has ended already.")


@action
def join_incident(*, actor: User, incident: Incident) -> RoleAssignment:
    """A responder joins an unrestricted incident as a member."""
    incident = Incident.objects.lock(incident.pk)
    require_open(incident)
    if incident.restricted:
        raise ValidationError("A restricted incident cannot be joined: its commander adds people.")
    if RoleAssignment.objects.filter(incident=incident, user=actor, until=None).exists():
        raise ValidationError("You are on the team already.")
    found = begin_role(incident, actor, Role.MEMBER, timezone.now())
    journal.record(
        "role.assigned", actor=actor, subject=found, user=actor.pk, name=str(actor), role=Role.MEMBER, joined=True
    )
    return found


@action
def take_command(*, actor: User, incident: Incident) -> RoleAssignment:
    """A responder takes command of an incident that has no commander.

    Raises:
        ValidationError: it is closed, somebody has command (they hand it over), or it is restricted and the person has
            no role that works in it: who only observes must not let themselves in further.
    """
    incident = Incident.objects.lock(incident.pk)
    require_open(incident)
    if incident.commander_id is not None:
        raise ValidationError(f"{incident.commander} has command.")
    if incident.restricted and "work" not in access.object_permissions(actor, incident):
        raise ValidationError("In a restricted incident only who works in it takes command.")
    incident.apply({"commander": actor})
    found = begin_role(incident, actor, Role.COMMANDER, timezone.now())
    journal.record(
        "role.assigned", actor=actor, subject=found, user=actor.pk, name=str(actor), role=Role.COMMANDER, took=True
    )
    return found


@action
def break_glass(*, actor: User, incident: Incident, reason: str) -> RoleAssignment:
    """An administrator looks into a restricted incident as an observer, with a reason; who leads it is told."""
    incident = Incident.objects.lock(incident.pk)
    if access.object_permissions(actor, incident):
        raise ValidationError("You have a role in this incident already.")
    found = begin_role(incident, actor, Role.OBSERVER, timezone.now())
    journal.record("incident.glass_broken", actor=actor, subject=found, user=actor.pk, name=str(actor), reason=reason)
    return found


@action
def note_missed_glass(*, actor: User, number: str, reason: str) -> None:
    """Write down that an administrator asked for what is not there: numbers are not tried out unseen."""
    journal.record(
        "incident.glass_missed",
        actor=actor,
        subject=actor,
        stream="people",
        changed=False,
        number=number,
        reason=reason,
    )
