"""How one person looks at one incident: what they have seen, and how much of the tree they keep open."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import models

from incidents.models.incidents import Incident

ABSENCE = dt.timedelta(minutes=30)  # whoever looked longer ago than this comes back, and wants to know what is new


class Look(models.Model):
    """Nobody's business but their own, so there is no history of it.

    `since`: what changed after it is new to the person; `seen_at`: when they last looked. `levels`: how deep the tree
    is open (0: nobody said); `flipped`: numbers of the tickets that stand the other way, open or closed.
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

    def new_after(self, now: dt.datetime) -> dt.datetime | None:
        """What changed after this is new: since the last look before an absence; None for who never looked."""
        was_away = self.seen_at is not None and now - self.seen_at > ABSENCE
        return self.seen_at if was_away else self.since
