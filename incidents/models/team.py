"""The team of an incident: roles with a from and a to, and the permissions they give."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.access import ObjectGrant
from core.actions import tracked
from incidents.models.incidents import Incident
from people.models import User


class Role(models.TextChoices):
    """A person's role in one incident."""

    COMMANDER = "incident_commander", "Incident Commander"
    TECHNICAL = "technical_lead", "Technical Lead"
    COMMUNICATIONS = "communications_lead", "Communications Lead"
    LEGAL = "legal_lead", "Legal Lead"
    SPONSOR = "executive_sponsor", "Executive Sponsor"
    MEMBER = "team_member", "Team Member"
    OBSERVER = "observer", "Observer"


PERMISSIONS: dict[str, frozenset[str]] = {  # the one table of what a role may do
    Role.COMMANDER: frozenset({"view", "work", "lead", "communicate", "approve"}),
    Role.TECHNICAL: frozenset({"view", "work", "lead"}),
    Role.COMMUNICATIONS: frozenset({"view", "work", "communicate"}),
    Role.LEGAL: frozenset({"view", "work", "communicate", "approve"}),
    Role.SPONSOR: frozenset({"view", "approve"}),
    Role.MEMBER: frozenset({"view", "work"}),
    Role.OBSERVER: frozenset({"view"}),
}


class RoleAssignment(models.Model):
    """Somebody had a role in an incident from `since` until `until` (or has it, where that is empty)."""

    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="assignments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=24, choices=Role)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    history = tracked()

    class Meta:
        ordering = ["since", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "user", "role"], condition=Q(until=None), name="role_once"),
            models.UniqueConstraint(
                fields=["incident"], condition=Q(until=None, role="incident_commander"), name="one_commander"
            ),
            models.CheckConstraint(condition=Q(until=None) | Q(until__gte=F("since")), name="role_ends_after_it_began"),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.get_role_display()}"

    @property
    def journal_stream(self) -> str:
        """The stream of its incident."""
        return f"incident:{self.incident_id}"


class IncidentGrant(ObjectGrant):
    """One permission of one person on one incident; written only from the roles the person has."""

    content_object = models.ForeignKey(
        Incident, on_delete=models.CASCADE, related_name="grants"
    )  # guardian finds the table by this


def holders(incident: Incident, permission: str) -> models.QuerySet[User]:
    """Active people who hold the permission on this incident by their roles in it."""
    grants = IncidentGrant.objects.filter(content_object=incident, permission__codename=permission)
    return User.objects.active().filter(pk__in=grants.values("user_id"))
