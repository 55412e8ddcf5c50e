"""Anchors: signed lines outside the database that say where every chain ended.

A chain alone cannot show that its tail was cut off or that it was rewritten whole; a line written an hour ago can.
"""

import fcntl
import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.utils import timezone

from core.journal import canonical
from core.models import Stream


class BadAnchor(Exception):
    """A line of the anchor file was changed, or signed with another key."""


def _keys() -> list[bytes]:
    """The key that signs, and those that signed before it."""
    derived = [f"treeline.anchors:{secret}" for secret in [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]]
    secrets = [settings.AUDIT_KEY, *settings.AUDIT_KEY_FALLBACKS] if settings.AUDIT_KEY else derived
    return [hashlib.sha256(secret.encode()).digest() for secret in secrets]


def sign(body: dict[str, Any], key: bytes | None = None) -> str:
    """HMAC-SHA-256 over the canonical form, in hex."""
    return hmac.new(key or _keys()[0], canonical(body), hashlib.sha256).hexdigest()


def _signed(body: dict[str, Any], signature: str) -> bool:
    return any(hmac.compare_digest(signature, sign(body, key)) for key in _keys())


def read(path: Path | None = None) -> Iterator[dict[str, Any]]:
    """The lines of the anchor file, oldest first.

    Raises:
        BadAnchor: a signature or the chain of lines is broken; the message names the line.
    """
    path = path or settings.ANCHOR_FILE
    if not path.exists():
        return
    before = ""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        try:
            body = json.loads(line)
            signature = body.pop("signature")
        except (ValueError, KeyError, AttributeError) as problem:
            raise BadAnchor(f"line {number} of {path.name} is not an anchor") from problem
        if not _signed(body, signature) or body["before"] != before:
            raise BadAnchor(f"line {number} of {path.name} was changed, removed or signed with another key")
        before = signature
        yield body


def heads(path: Path | None = None) -> dict[str, list[tuple[int, str]]]:
    """Every anchored (sequence, hash) of each stream, oldest first."""
    known: dict[str, list[tuple[int, str]]] = {}
    for body in read(path):
        for name, (seq, hash_) in body["heads"].items():
            known.setdefault(name, []).append((seq, hash_))
    return known


@contextmanager
def _alone(path: Path) -> Iterator[TextIO]:
    """The file, to be read and added to by nobody else meanwhile; a line that a crash cut short is taken off."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        text = file.read()
        if text and not text.endswith("\n"):
            file.truncate(len(text[: text.rfind("\n") + 1].encode()))
        yield file
        file.flush()
        os.fsync(file.fileno())


def write(path: Path | None = None) -> int:
    """Append a line with the heads that changed since the last one; gives their number (0 writes nothing)."""
    path = path or settings.ANCHOR_FILE
    with _alone(path) as file:
        known = {name: seen[-1] for name, seen in heads(path).items()}
        rows = Stream.objects.order_by("name").values_list("name", "seq", "hash")
        changed = {name: [seq, hash_] for name, seq, hash_ in rows if known.get(name) != (seq, hash_)}
        if changed:
            lines = path.read_text().splitlines()
            before = json.loads(lines[-1])["signature"] if lines else ""
            body = {"at": timezone.now().isoformat(), "before": before, "heads": changed}
            file.write(json.dumps({**body, "signature": sign(body)}, sort_keys=True) + "\n")
    return len(changed)
