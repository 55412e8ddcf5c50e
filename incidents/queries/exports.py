"""The journal as a file for spreadsheets. No cell is a formula, whatever people typed into it."""

import csv
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from core.models import JournalEntry
from incidents.queries.journal import CHUNK, lines
from people.models import User

COLUMNS = [
    "stream", "seq", "at", "actor", "actor_kind", "verb", "target", "what", "changes", "reason", "outcome",
    "request_id", "hash",
]  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 (as spreadsheets see it)


def cell(value: Any) -> str:
    """The text of a cell; one that a spreadsheet could take for a formula begins with an apostrophe."""
    text = str(value)
    bare = text.lstrip(" \"'\u00a0\u200b\ufeff")
    return f"'{text}" if text.startswith(FORMULA) or bare.startswith(FORMULA) else text


class _Echo:
    def write(self, value: str) -> str:
        return value


def csv_rows(entries: "QuerySet[JournalEntry]", reader: User) -> Iterator[str]:
    """Lines of CSV (RFC 4180, every cell quoted), newest first, loaded by the chunk."""
    writer: Any = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield writer.writerow(COLUMNS)
    below: int | None = None
    while True:
        part = list((entries if below is None else entries.filter(pk__lt=below))[:CHUNK])
        if not part:
            return
        for line in lines(part, reader):
            entry = line.entry
            changes = "; ".join(f"{change.field}: {change.old} → {change.new}" for change in line.changes)
            cells = [
                entry.stream, entry.seq, entry.at.isoformat(), entry.actor_name, entry.actor_kind, entry.verb,
                entry.target_name, line.sentence, changes, line.reason, line.outcome, entry.request_id, entry.hash,
            ]  # fmt: skip
            yield writer.writerow([cell(value) for value in cells])
        below = part[-1].pk
