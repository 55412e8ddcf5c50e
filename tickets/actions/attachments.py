"""Files on tickets, kept under a name of ours."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import F, Sum
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from core.files import Kept
from core.models import JournalEntry
from incidents.models import Incident
from tickets import tree
from tickets.models import Attachment, Ticket

MOST_FILES = 200  # on one ticket
MOST_BYTES = 20 * 2**30  # of all files of an incident
DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))})


def safe_name(name: str) -> str:
    """What a file is called on screen: the last part of the sender's path, printable, at most 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in last if c.isprintable()).strip(" .")
    if shown.split(".")[0].casefold() in DEVICES:  # Windows opens a device of this name, whatever the ending
        shown = f"_{shown}"
    return shown[:200] or "file"


def _require_room(ticket: Ticket, size: int) -> None:
    if ticket.files_total >= MOST_FILES:
        raise ValidationError(f"#{ticket.number} has {MOST_FILES} files, which is the most: use another ticket.")
    kept = Attachment.objects.filter(ticket__incident=ticket.incident_id).aggregate(bytes=Sum("size"))["bytes"] or 0
    if kept + size > MOST_BYTES:
        raise ValidationError(f"The files of this incident would need more than {MOST_BYTES // 2**30} GB.")


@action
def attach_file(*, actor: Actor, ticket: Ticket, file: Kept) -> Attachment:
    """Attach a kept file to a ticket. The sender's name and type are data; the path is a random key.

    Raises:
        ValidationError: it is one file too many, or the incident is closed.
    """
    return _attach(actor, tree.fresh(tree.lock(ticket.incident_id), ticket.number), file)


@action
def attach_to_incident(*, actor: Actor, incident: Incident, file: Kept) -> Attachment:
    """Attach a kept file to the incident as a whole: it hangs on the root of its tree.

    Raises:
        ValidationError: it is one file too many, or the incident is closed.
    """
    return _attach(actor, tree.root(tree.lock(incident.pk)), file)


def _attach(actor: Actor, ticket: Ticket, file: Kept) -> Attachment:
    _require_room(ticket, file.size)
    found = Attachment.objects.create(
        id=file.id, ticket=ticket, name=safe_name(file.name), key=file.key, size=file.size, sha256=file.sha256,
        claimed_type=file.claimed_type[:100], uploaded_by_id=actor.pk if actor.actor_kind == "user" else None,
    )  # fmt: skip
    Ticket.objects.filter(pk=ticket.pk).update(files_total=F("files_total") + 1, updated_at=timezone.now())
    journal.record(
        "file.attached", actor=actor, subject=found, ticket=ticket.number, sha256=file.sha256, size=file.size
    )
    return found


@action
def note_download(*, actor: Actor, attachment: Attachment, inline: bool = False) -> None:
    """Write down that somebody took the file; who only looks at a picture is written down the first time."""
    if inline and _has_taken(actor, attachment):
        return
    journal.record(
        "file.viewed" if inline else "file.downloaded", actor=actor, subject=attachment, changed=False,
        ticket=attachment.ticket.number, sha256=attachment.sha256,
    )  # fmt: skip


def _has_taken(actor: Actor, attachment: Attachment) -> bool:
    entries = JournalEntry.objects.filter(
        target_type=Attachment._meta.label, target_id=str(attachment.pk), verb__in=("file.viewed", "file.downloaded")
    )
    return entries.filter(actor_kind=actor.actor_kind, actor_id=actor.pk).exists()
