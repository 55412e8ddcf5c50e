"""Files on tickets: hashed while they are stored, under a name of ours."""

import hashlib
import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db.models import F

from core import journal
from core.actions import action
from core.actors import Actor
from tickets import tree
from tickets.models import Attachment, Ticket


def safe_name(name: str) -> str:
    """What a file is called on screen: the last part of the sender's path, printable, at most 200 characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(c for c in last if c.isprintable()).strip(" .")
    return shown[:200] or "file"


def _hash(file: File[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in file.chunks():
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    return digest.hexdigest(), size


@action
def attach_file(*, actor: Actor, ticket: Ticket, file: File[bytes]) -> Attachment:
    """Keep a file on a ticket. The sender's name and type are data; the path is a random key.

    Raises:
        ValidationError: it is empty, larger than ATTACHMENT_MAX_BYTES, or the incident is closed.
    """
    ticket = tree.fresh(tree.lock(ticket.incident_id), ticket.number)
    sha256, size = _hash(file)
    if not size:
        raise ValidationError("The file is empty.")
    if size > settings.ATTACHMENT_MAX_BYTES:
        most = settings.ATTACHMENT_MAX_BYTES // 2**20
        raise ValidationError(f"The file has {size / 2**20:.1f} MB; at most {most} MB can be attached.")
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
