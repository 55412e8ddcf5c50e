"""Verification of the journal: every chain, the history rows it names, and the anchors outside the database."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.apps import apps

from core import anchors
from core.journal import digest, seal
from core.models import JournalEntry, Stream


class BrokenJournal(Exception):
    """The first entry (or anchor) that is not what was written."""


@dataclass
class Result:
    """How much was looked at."""

    entries: int = 0
    streams: int = 0
    history_rows: int = 0
    anchors: int = 0


def _check_chain(name: str, entries: list[JournalEntry], seq: int, hash_: str) -> tuple[int, str]:
    for entry in entries:
        if entry.seq != seq + 1:
            raise BrokenJournal(f"{name}: entry {seq + 1} is missing (entry {entry.seq} follows {seq}).")
        if entry.prev_hash != hash_:
            raise BrokenJournal(f"{entry}: it does not follow from the entry before it.")
        if entry.hash != seal(entry):
            raise BrokenJournal(f"{entry}: its content was changed after it was sealed.")
        seq, hash_ = entry.seq, entry.hash
    return seq, hash_


def _check_history(entries: list[JournalEntry]) -> int:
    named = sorted((e for e in entries if e.history_model), key=lambda e: e.history_model)
    for label, group in groupby(named, key=lambda e: e.history_model):
        wanted = list(group)
        manager: Any = apps.get_model(label)._default_manager
        rows = {
            row["history_id"]: row for row in manager.filter(history_id__in=[e.history_id for e in wanted]).values()
        }
        for entry in wanted:
            row = rows.get(entry.history_id)
            if row is None:
                raise BrokenJournal(f"{entry}: its history row {label} {entry.history_id} is gone.")
            if digest(row) != entry.history_digest:
                raise BrokenJournal(f"{entry}: its history row {label} {entry.history_id} was changed.")
    return len(named)


def _check_anchors(name: str, seen: dict[int, str], last: int, anchored: list[tuple[int, str]]) -> int:
    for seq, hash_ in anchored:
        if seq > last:
            raise BrokenJournal(f"{name}: entry {seq} was anchored but is gone (the chain ends at {last}).")
        if seen.get(seq) != hash_:
            raise BrokenJournal(f"{name}: entry {seq} is not the one that was anchored.")
    return len(anchored)


def verify() -> Result:
    """Look at everything.

    Raises:
        BrokenJournal: names the first entry, history row or anchor that does not agree.
    """
    result = Result()
    try:
        known = anchors.heads()
    except anchors.BadAnchor as bad:
        raise BrokenJournal(f"anchors: {bad}.") from bad
    streams = {
        name: (seq, hash_) for name, seq, hash_ in Stream.objects.order_by("name").values_list("name", "seq", "hash")
    }
    written = set(JournalEntry.objects.values_list("stream", flat=True).distinct())
    for name in sorted({*streams, *written, *known}):
        seq, hash_, seen = 0, "", {}
        wanted = {s for s, _ in known.get(name, [])}
        rows = JournalEntry.objects.filter(stream=name).order_by("seq").iterator(chunk_size=500)
        for chunk in _chunks(rows):
            seq, hash_ = _check_chain(name, chunk, seq, hash_)
            seen.update({e.seq: e.hash for e in chunk if e.seq in wanted})
            result.history_rows += _check_history(chunk)
        if (seq, hash_) != streams.get(name, (0, "")):
            raise BrokenJournal(
                f"{name}: the chain ends at entry {seq}, but its head says {streams.get(name, (0, ''))[0]}."
            )
        result.anchors += _check_anchors(name, seen, seq, known.get(name, []))
        result.entries += seq
        result.streams += 1
    return result


def _chunks(rows: Any) -> Any:
    chunk: list[JournalEntry] = []
    for row in rows:
        chunk.append(row)
        if len(chunk) == 500:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
