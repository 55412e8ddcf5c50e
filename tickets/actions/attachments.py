"""Files on tickets: hashed while they are stored, under a name of ours."""

from __future__ import annotations

import hashlib
import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models import F, Sum

from core import journal
from core.actions import action
from core.actors import Actor
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


def _hash(file: File[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in file.chunks():
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    return digest.hexdigest(), size


def _require_room(ticket: Ticket, size: int) -> None:
    if ticket.files_total >= MOST_FILES:
        raise ValidationError(f"#{ticket.number} has {MOST_FILES} files, which is the most: use another ticket.")
    kept = Attachment.objects.filter(ticket__incident=ticket.incident_id).aggregate(bytes=Sum("size"))["bytes"] or 0
    if kept + size > MOST_BYTES:
        raise ValidationError(f"The files of this incident would need more than {MOST_BYTES // 2**30} GB.")


@action
def attach_file(*, actor: Actor, ticket: Ticket, file: File[bytes]) -> Attachment:
    """Keep a file on a ticket. The sender's name and type are data; the path is a random key.

    Raises:
        ValidationError: it is empty, larger than ATTACHMENT_MAX_BYTES, one too many, or the incident is closed.
    """
    ticket = tree.fresh(tree.lock(ticket.incident_id), ticket.number)
    sha256, size = _hash(file)
    if not size:
        raise ValidationError("The file is empty.")
    if size > settings.ATTACHMENT_MAX_BYTES:
        most = settings.ATTACHMENT_MAX_BYTES // 2**20
        raise ValidationError(f"The file has {size / 2**20:.1f} MB; at most {most} MB can be attached.")
    _require_room(ticket, size)
    pk = uuid.uuid4()
    key = default_storage.save(f"attachments/{pk.hex[:2]}/{pk.hex}", file)
    try:
        found = Attachment.objects.create(
            id=pk, ticket=ticket, name=safe_name(file.name or ""), key=key, size=size, sha256=sha256,
            claimed_type=str(getattr(file, "content_type", "") or "")[:100],
            uploaded_by_id=actor.pk if actor.actor_kind == "user" else None,
        )  # fmt: skip
        Ticket.objects.filter(pk=ticket.pk).update(files_total=F("files_total") + 1)
        journal.record("file.attached", actor=actor, subject=found, ticket=ticket.number, sha256=sha256, size=size)
    except BaseException:
        default_storage.delete(key)
        raise
    return found


@action
def note_download(*, actor: Actor, attachment: Attachment) -> None:
    """Write down that somebody took the file."""
    journal.record(
        "file.downloaded", actor=actor, subject=attachment, changed=False, ticket=attachment.ticket.number,
        sha256=attachment.sha256,
    )  # fmt: skip
