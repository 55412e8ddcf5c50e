"""Incidents and who works them."""

from incidents.models.incidents import Incident, IncidentLink, Tag
from incidents.models.lifecycle import Severity, Status
from incidents.models.looks import Look
from incidents.models.numbers import DayCounter
from incidents.models.team import IncidentGrant, Role, RoleAssignment

__all__ = [
    "DayCounter",
    "Incident",
    "IncidentGrant",
    "IncidentLink",
    "Look",
    "Role",
    "RoleAssignment",
    "Severity",
    "Status",
    "Tag",
]
