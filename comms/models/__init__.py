"""What people are told, and the mail that carries it."""

from comms.models.messages import Channel, Message
from comms.models.notifications import Kind, Notification

__all__ = ["Channel", "Kind", "Message", "Notification"]
