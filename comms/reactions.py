"""Who is told of what. The people a thing concerns stand in its journal entry; whether they may see it is asked now."""

from typing import Any

from comms.actions.notifications import notify
from comms.models import Kind
from core.models import JournalEntry
from core.reactions import on
from incidents.models import Incident, IncidentGrant, Role, RoleAssignment
from people.models import User
from tickets.models import Comment, Ticket


def _who(entry: JournalEntry) -> str:
    return entry.actor_name.split(" <")[0]


def _people(pks: list[Any]) -> list[User]:
    return list(User.objects.active().filter(pk__in=[pk for pk in pks if pk]))


@on("ticket.added", "ticket.assigned")
def tell_the_assignee(entry: JournalEntry) -> None:
    """Somebody was given a ticket."""
    ticket = Ticket.objects.select_related("incident").get(pk=entry.target_id)
    notify(
        entry=entry, users=_people([entry.data.get("assignee")]), incident=ticket.incident, ticket=ticket,
        kind=Kind.ASSIGNED, text=f"{_who(entry)} gave you {ticket}",
    )  # fmt: skip


@on("comment.added", "comment.edited")
def tell_the_mentioned(entry: JournalEntry) -> None:
    """Somebody was called by name in a comment."""
    comment = Comment.objects.select_related("ticket__incident").get(pk=entry.target_id)
    ticket = comment.ticket
    notify(
        entry=entry, users=_people(entry.data.get("mentions", [])), incident=ticket.incident, ticket=ticket,
        kind=Kind.MENTIONED, text=f"{_who(entry)} mentioned you on {ticket}",
    )  # fmt: skip


@on("role.assigned")
def tell_the_new_member(entry: JournalEntry) -> None:
    """Somebody was put on the team of an incident."""
    assignment = RoleAssignment.objects.select_related("incident").get(pk=entry.target_id)
    role = Role(assignment.role).label
    notify(
        entry=entry, users=_people([entry.data.get("user")]), incident=assignment.incident, kind=Kind.ROLE,
        text=f"{_who(entry)} made you {role} of {assignment.incident}",
    )  # fmt: skip


def _leaders(incident: Incident) -> list[User]:
    """Who may lead it; where nobody can, everybody on the team."""
    grants = IncidentGrant.objects.filter(content_object=incident, permission__codename="lead")
    team = RoleAssignment.objects.filter(incident=incident, until=None)
    return _people(list(grants.values_list("user_id", flat=True))) or _people(
        list(team.values_list("user_id", flat=True).distinct())
    )


@on("incident.glass_broken")
def tell_who_leads(entry: JournalEntry) -> None:
    """An administrator looked into a restricted incident: who leads it must know, and why."""
    incident = RoleAssignment.objects.select_related("incident").get(pk=entry.target_id).incident
    notify(
        entry=entry, users=_leaders(incident), incident=incident, kind=Kind.GLASS,
        text=f"{_who(entry)} opened {incident.number} as an administrator: {entry.data.get('reason', '')}",
    )  # fmt: skip
