"""The tree of one incident as its page shows it: one query in tree order, everything else reckoned in one pass."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from incidents.models import Incident
from tickets.models import ENDED, Category, Ticket
from tickets.models.tickets import PRIORITY_NAME, STATUS_NAME

SHOWS = {  # filter: its word on the page
    "all": "All",
    "mine": "Mine",
    "over": "Overdue",
    "leads": "Leads",
    "nobody": "Unassigned",
    "shared": "Shared",
}
COLUMNS = (
    "pk", "parent_id", "number", "level", "version", "title", "headline", "category", "waiting_for", "urgency", "lead",
    "disposition", "shared", "clock_at", "clock_state", "finished_at", "updated_at", "comments_total", "files_total",
    "assignee_id", "assignee__name", "assignee__username", "assignee__customer_id", "status_name", "priority_name",
)  # fmt: skip


@dataclass(slots=True)
class Row:
    """One ticket with what its line shows. `total`, `done`, `busy`, `over` count what is below it, not itself."""

    pk: int
    parent_id: int
    number: int
    level: int
    version: int
    title: str
    headline: str
    category: str
    waiting_for: str
    urgency: int
    lead: bool
    disposition: str
    shared: bool
    clock_at: dt.datetime | None
    clock_state: str
    finished_at: dt.datetime | None
    updated_at: dt.datetime
    comments: int
    files: int
    assignee_id: int | None
    name: str | None
    username: str | None
    customer_id: int | None
    status: str  # in words
    priority: str
    parent: int | None = None  # its number; None at the top
    position: int = 1
    siblings: int = 1
    total: int = 0
    done: int = 0
    busy: int = 0
    over: int = 0
    is_hit: bool = True
    is_shown: bool = True  # a hit, or a branch above one

    @property
    def is_ended(self) -> bool:
        """Done or dropped."""
        return self.category in ENDED


@dataclass(slots=True)
class Outline:
    """All rows in tree order with what a filter says of each, and the counts over all of them."""

    rows: list[Row]
    show: str
    text: str
    now: dt.datetime
    counts: dict[str, int] = field(default_factory=dict)
    done: int = 0
    busy: int = 0
    leads_done: int = 0

    @property
    def pills(self) -> list[tuple[str, str, int]]:
        """Key, words and count of each filter."""
        return [(key, words, self.counts[key]) for key, words in SHOWS.items()]

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is on."""
        return self.show != "all" or bool(self.text)


def outline(incident: Incident, *, user_id: int | None, show: str = "all", text: str = "") -> Outline:
    """The tree for its page, with what `show` and `text` find and the branches above each hit marked. One query."""
    tickets = Ticket.objects.filter(incident_id=incident.pk, parent__isnull=False).order_by("lft")
    rows = [
        Row(*values)
        for values in tickets.annotate(status_name=STATUS_NAME, priority_name=PRIORITY_NAME).values_list(*COLUMNS)
    ]
    now = timezone.now()
    _reckon(rows, now)
    tests = _tests(user_id, now)
    show = show if show in tests else "all"
    found = Outline(rows=rows, show=show, text=text, now=now)
    found.counts = {key: sum(map(test, rows)) for key, test in tests.items()}
    found.done = sum(row.is_ended for row in rows)
    found.busy = sum(row.category == Category.DOING for row in rows)
    found.leads_done = sum(row.lead and is_resolved(row) for row in rows)
    if found.is_filtered:
        _mark(rows, _matching(rows, tests[show], text))
    return found


def is_late(row: Row, now: dt.datetime) -> bool:
    """Past its time and not ended."""
    return row.clock_at is not None and row.clock_at < now and not row.is_ended


def is_resolved(row: Row) -> bool:
    """A lead with a result, or dropped with a reason."""
    return bool(row.disposition) or row.category == Category.DROPPED


def _tests(user_id: int | None, now: dt.datetime) -> dict[str, Callable[[Row], bool]]:
    return {
        "all": lambda _: True,
        "mine": lambda row: row.assignee_id == user_id,
        "over": lambda row: is_late(row, now),
        "leads": lambda row: row.lead,
        "nobody": lambda row: row.assignee_id is None,
        "shared": lambda row: row.shared,
    }


def _reckon(rows: list[Row], now: dt.datetime) -> None:
    """Set parents and places going down, and the counts of what is below going up."""
    known = {row.pk: row for row in rows}
    children: dict[int | None, int] = {}
    for row in rows:
        above = known.get(row.parent_id)
        row.parent = above.number if above else None
        children[row.parent] = row.position = children.get(row.parent, 0) + 1
    for row in reversed(rows):
        row.siblings = children[row.parent]
        above = known.get(row.parent_id)
        if above:
            above.total += row.total + 1
            above.done += row.done + row.is_ended
            above.busy += row.busy + (row.category == Category.DOING)
            above.over += row.over + is_late(row, now)


def _matching(rows: Iterable[Row], test: Callable[[Row], bool], text: str) -> set[int]:
    words = text.casefold()
    return {row.number for row in rows if test(row) and (words in row.title.casefold() or words == f"#{row.number}")}


def _mark(rows: list[Row], hits: set[int]) -> None:
    """Say of each row whether it was found, and whether it is shown (found, or above something that was)."""
    keep: set[int] = set()
    for row in reversed(rows):
        row.is_hit = row.number in hits
        row.is_shown = row.is_hit or row.number in keep
        if row.is_shown and row.parent is not None:
            keep.add(row.parent)
