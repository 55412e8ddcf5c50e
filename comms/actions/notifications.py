"""Telling people. No entry is written here: the entry that they are told of is the record, and reading is their own."""

from collections.abc import Iterable

from django.utils import timezone

from comms.models import Channel, Kind, Message, Notification
from core.models import JournalEntry
from core.work import wake
from incidents.models import Incident
from people.models import User
from runbooks.models import Document
from tickets.models import Ticket


def notify(
    *,
    entry: JournalEntry,
    users: Iterable[User],
    kind: Kind,
    text: str,
    incident: Incident | None = None,
    document: Document | None = None,
    ticket: Ticket | None = None,
    place: str = "",
) -> list[Notification]:
    """Tell each of these people once, by the bell and by mail, of an incident or of a document; gives what is new.

    Runs inside a reaction, and may run again. Nobody is told of what they did themselves, or of what they may not see.
    """
    told = []
    for user in users:
        if entry.actor_kind == "user" and entry.actor_id == user.pk:
            continue
        if not all("view" in one.permissions_for(user) for one in (incident, document) if one is not None):
            continue
        fields = {"incident": incident, "document": document, "ticket": ticket, "text": text[:500], "place": place}
        found, new = Notification.objects.get_or_create(user=user, entry=entry, kind=kind, defaults=fields)
        message, _ = Message.objects.get_or_create(
            entry=entry, recipient=user, channel=Channel.EMAIL, defaults={"notification": found}
        )
        if new:
            wake(message)
            told.append(found)
    return told


def mark_read(*, user: User, pks: Iterable[int] | None = None) -> int:
    """Say that the person has read these of their notifications, or (None) all; gives how many were new."""
    mine = Notification.objects.visible_to(user).unread()
    if pks is not None:
        mine = mine.filter(pk__in=list(pks))
    return mine.update(read_at=timezone.now())
