"""Keeping what people hand in: hashed and stored before any transaction begins, so that no lock waits for bytes."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.core.files.base import File
from django.core.files.storage import default_storage


@dataclass(frozen=True)
class Kept:
    """A file in the store. `id` is random and the end of `key`; `name` and `claimed_type` are the sender's words."""

    id: uuid.UUID
    key: str
    size: int  # bytes
    sha256: str  # 64 hex digits
    name: str
    claimed_type: str


def _measure(file: File[bytes]) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    for chunk in file.chunks():
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    return digest.hexdigest(), size


def _require_size(size: int, most: int) -> None:
    if not size:
        raise ValidationError("The file is empty.")
    if size > most:
        raise ValidationError(f"The file has {size / 2**20:.1f} MB; at most {most // 2**20} MB can be handed in.")


def keep(file: File[bytes], folder: str, *, most: int) -> Kept:
    """Store a file under a random key in `folder`; `most` is its greatest size in bytes.

    Raises:
        ValidationError: it is empty or larger than `most`.
    """
    _require_size(file.size, most)
    sha256, size = _measure(file)
    _require_size(size, most)  # as counted, whatever its sender announced
    id_ = uuid.uuid4()
    key = default_storage.save(f"{folder}/{id_.hex[:2]}/{id_.hex}", file)
    claimed = str(getattr(file, "content_type", "") or "")
    return Kept(id=id_, key=key, size=size, sha256=sha256, name=file.name or "", claimed_type=claimed)


@contextmanager
def keeping(file: File[bytes], folder: str, *, most: int) -> Iterator[Kept]:
    """Store a file for the action inside the block, and drop it again if the action fails.

    Raises:
        ValidationError: it is empty or larger than `most`.
    """
    kept = keep(file, folder, most=most)
    try:
        yield kept
    except BaseException:
        default_storage.delete(kept.key)
        raise
