"""How one person looks at one incident: what they have seen, and how much of the tree they keep open."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from incidents.models.incidents import Incident


class Look(models.Model):
    """Nobody's business but their own, so there is no history of it.

    `since`: what changed after it is new to the person; `seen_at`: when they last looked. `levels`: how deep the tree
    is open (0: all of it); `flipped`: numbers of the tickets that stand the other way, open or closed.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="looks")
    incident = models.ForeignKey(Incident, on_delete=models.CASCADE, related_name="looks")
    since = models.DateTimeField(null=True)
    seen_at = models.DateTimeField(null=True)
    levels = models.PositiveSmallIntegerField(default=0)
    flipped = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "incident"], name="one_look")]

    def __str__(self) -> str:
        return f"{self.user} at {self.incident.number}"
