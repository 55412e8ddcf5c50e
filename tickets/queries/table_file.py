"""The table of tickets as a file for spreadsheets. No cell is a formula, whatever people typed into it."""

import csv
import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from incidents.queries.exports import cell
from tickets.models import Category, Disposition
from tickets.queries.table import Row

COLUMNS = [
    "number", "level", "title", "status", "category", "priority", "assignee", "lead", "result", "tags", "due_at",
    "clock_at", "finished_at", "minutes_spent", "updated_at",
]  # fmt: skip


class _Echo:
    def write(self, value: str) -> str:
        return value


def csv_rows(rows: Iterable[Row]) -> Iterator[str]:
    """Lines of CSV (RFC 4180, UTF-8, every cell quoted), times in UTC."""
    writer: Any = csv.writer(_Echo(), quoting=csv.QUOTE_ALL)
    yield writer.writerow(COLUMNS)
    for row in rows:
        cells = [
            row.number, row.level, row.title, row.status, Category(row.category).label, row.priority_name,
            row.assignee or "", "yes" if row.lead else "no",
            Disposition(row.disposition).label if row.disposition else "", ", ".join(row.tags), _moment(row.due_at),
            _moment(row.clock_at), _moment(row.finished_at), row.spent or 0, _moment(row.updated_at),
        ]  # fmt: skip
        yield writer.writerow([cell(value) for value in cells])


def _moment(at: dt.datetime | None) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="seconds") if at else ""
