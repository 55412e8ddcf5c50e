"""Incidents and who works them."""

from incidents.models.incidents import Incident, IncidentLink, Tag
from incidents.models.lifecycle import Severity, Status
from incidents.models.numbers import DayCounter
from incidents.models.team import IncidentGrant, Role, RoleAssignment

__all__ = [
    "DayCounter",
    "Incident",
    "IncidentGrant",
    "IncidentLink",
    "Role",
    "RoleAssignment",
    "Severity",
    "Status",
    "Tag",
]
