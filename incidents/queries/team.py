"""Who works an incident, who did, and who may change that."""

from typing import Any

from incidents.models import Incident, RoleAssignment
from people.models import User


def members(incident: Incident, user: User, permissions: frozenset[str]) -> dict[str, Any]:
    """Present and past roles, in one query, and what the person may do about them."""
    rows = list(RoleAssignment.objects.filter(incident=incident).select_related("user").order_by("since", "pk"))
    active = [row for row in rows if row.until is None]
    ended = sorted((row for row in rows if row.until is not None), key=lambda row: (row.until, row.pk), reverse=True)
    on_team = any(row.user_id == user.pk for row in active)
    return {
        "active": active,
        "ended": ended,
        "may_join": "respond" in user.rights and incident.is_open and not incident.restricted and not on_team,
        "may_take": may_take(incident, user, permissions),
        "may_change": "lead" in permissions,
    }


def may_take(incident: Incident, user: User, permissions: frozenset[str]) -> bool:
    """Whether the person, who sees the incident, could take command: nobody has it, and they are a responder.

    Where it is restricted they must work in it.
    """
    free = incident.is_open and incident.commander_id is None and "respond" in user.rights
    return free and (not incident.restricted or "work" in permissions)
