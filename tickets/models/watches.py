"""Who wants to hear of a ticket without working it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from tickets.models.tickets import Ticket


class Watch(models.Model):
    """One person watches one ticket."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="watches")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watches")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        ordering = ["created_at", "pk"]
        constraints = [models.UniqueConstraint(fields=["ticket", "user"], name="watched_once")]

    def __str__(self) -> str:
        return f"{self.user} watches {self.ticket}"
