"""Verification of the journal: every chain, the history rows it names, and the anchors outside the database."""

from dataclasses import dataclass
from typing import Any

from django.apps import apps

from core import anchors
from core.journal import row_digest, seal
from core.models import JournalEntry, Stream
from core.snapshots import one_moment


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
    """Every row of history that these entries answer for is as it was."""
    wanted: dict[str, dict[int, tuple[JournalEntry, str]]] = {}
    for entry in entries:
        for label, digests in entry.history.items():
            rows = wanted.setdefault(label, {})
            rows.update({int(pk): (entry, digest) for pk, digest in digests.items()})
    for label, known in wanted.items():
        model = apps.get_model(label)
        found = {row["history_id"]: row for row in model._default_manager.filter(history_id__in=known).values()}
        for pk, (entry, digest) in known.items():
            if pk not in found:
                raise BrokenJournal(f"{entry}: its history row {label} {pk} is gone.")
            if row_digest(model, found[pk]) != digest:
                raise BrokenJournal(f"{entry}: its history row {label} {pk} was changed.")
    return sum(len(known) for known in wanted.values())


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
    with one_moment():
        return _verify()


def _verify() -> Result:
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
