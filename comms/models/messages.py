"""The outbox: one row for each mail to each person about each entry, so that it is sent once and never lost."""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import models

from comms.models.notifications import Notification
from core.models import JournalEntry, Work


class Channel(models.TextChoices):
    """How it goes out; each has a file in comms/transports."""

    EMAIL = "email", "E-mail"


class Message(Work):
    """One notification on its way to one person. What it says is decided when it is sent, not before."""

    task = "comms.tasks.send_message"
    lease = timedelta(seconds=60)
    most_attempts = 12

    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="messages")
    entry = models.ForeignKey(JournalEntry, on_delete=models.DO_NOTHING, related_name="+")
    recipient = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=12, choices=Channel, default=Channel.EMAIL)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry", "recipient", "channel"], name="sent_once")]
        indexes = [models.Index(fields=["state", "due"], name="message_due")]

    def __str__(self) -> str:
        return f"{self.channel} to {self.recipient_id} about entry {self.entry_id}"

    @property
    def key(self) -> str:
        """Hex, the same for every attempt: a mail that went out twice because a worker died is known by it."""
        return hashlib.sha256(f"{self.entry.hash}:{self.recipient_id}:{self.channel}".encode()).hexdigest()[:40]
