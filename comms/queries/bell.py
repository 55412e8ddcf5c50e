"""What stands behind the bell."""

from dataclasses import dataclass

from django.db.models import Count, Max

from comms.models import Notification
from people.models import User


@dataclass(frozen=True)
class Bell:
    """How many are new, and a tag that changes whenever that or the newest one does."""

    unread: int
    tag: str


def bell(user: User) -> Bell:
    """One query, from what the person may still see."""
    found = Notification.objects.visible_to(user).unread().aggregate(unread=Count("pk"), newest=Max("pk"))
    return Bell(unread=found["unread"], tag=f"{found['unread']}-{found['newest'] or 0}")
