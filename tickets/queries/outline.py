"""The tree of one incident as its page shows it: one query in tree order, everything else reckoned in one pass."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import BooleanField, Case, Exists, OuterRef, Q, Value, When
from django.utils import timezone

from incidents.models import Incident
from tickets.models import ENDED, Attachment, Category, Comment, Ticket
from tickets.models.tickets import PRIORITY_NAME, STATUS_NAME

SHOWS = {  # filter: its word on the page
    "all": "All",
    "mine": "Mine",
    "over": "Overdue",
    "leads": "Leads",
    "nobody": "Unassigned",
    "shared": "Shared",
    "changed": "Changed",
}
MANY = 1000  # rows: of a larger tree a page gets only what is open
SHALLOW = 300  # rows that such a tree is open to before anybody said how deep
COLUMNS = (
    "pk", "parent_id", "number", "level", "version", "title", "headline", "category", "waiting_for", "urgency", "lead",
    "disposition", "shared", "automated", "clock_at", "clock_state", "finished_at", "comments_total", "files_total",
    "assignee_id", "assignee__name", "assignee__username", "assignee__customer_id", "status_name", "priority_name",
    "is_new",
)  # fmt: skip


@dataclass(slots=True)
class Row:
    """One ticket with what its line shows. From `total` to `news` it counts what is below it, not itself.

    `changed`: somebody else changed it since the reader last looked. `leads`: those not yet resolved.
    """

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
    automated: bool
    clock_at: dt.datetime | None
    clock_state: str
    finished_at: dt.datetime | None
    comments: int
    files: int
    assignee_id: int | None
    name: str | None
    username: str | None
    customer_id: int | None
    status: str  # in words
    priority: str
    changed: bool = False
    parent: int | None = None  # its number; None at the top
    position: int = 1
    siblings: int = 1
    total: int = 0
    done: int = 0
    busy: int = 0
    over: int = 0
    leads: int = 0
    news: int = 0
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

    @property
    def is_big(self) -> bool:
        """Whether a page gets only the rows of open branches."""
        return len(self.rows) > MANY

    def depth(self, most: int) -> int:
        """How deep it can be open so that at most so many rows are seen; at least 1."""
        sizes = Counter(row.level for row in self.rows)
        seen = 0
        for level in sorted(sizes):
            seen += sizes[level]
            if seen > most:
                return max(level - 1, 1)
        return max(sizes, default=1)

    def above(self, number: int | None) -> set[int]:
        """The numbers of the branches above a ticket."""
        parents = {row.number: row.parent for row in self.rows} if number else {}
        found: set[int] = set()
        up = parents.get(number) if number else None
        while up is not None:
            found.add(up)
            up = parents.get(up)
        return found


def outline(
    incident: Incident,
    *,
    user_id: int | None,
    show: str = "all",
    text: str = "",
    since: dt.datetime | None = None,
    branch: Ticket | None = None,
) -> Outline:
    """The tree for its page, with what `show` and `text` find and the branches above each hit marked. One query.

    `since`: what others changed after it is marked. `branch`: only what is below this ticket, its children at level 1.
    """
    tickets = Ticket.objects.filter(incident_id=incident.pk, parent__isnull=False).order_by("lft")
    if branch is not None:
        tickets = tickets.filter(lft__gt=branch.lft, rght__lt=branch.rght)
    tickets = tickets.annotate(status_name=STATUS_NAME, priority_name=PRIORITY_NAME, is_new=_is_new(since, user_id))
    rows = [Row(*values) for values in tickets.values_list(*COLUMNS)]
    if branch is not None:
        for row in rows:
            row.level -= branch.level
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


def branch_of(incident: Incident, number: int) -> Ticket | None:
    """The ticket whose branch is shown alone; None where there is none."""
    return Ticket.objects.filter(incident_id=incident.pk, number=number, parent__isnull=False).first()


def path_to(ticket: Ticket) -> list[Ticket]:
    """The branches from the top of the tree down to the ticket, itself the last, as they are now. One query."""
    line = Ticket.objects.filter(tree_id=ticket.tree_id, lft__lte=ticket.lft, rght__gte=ticket.rght)
    return list(line.filter(parent__isnull=False).worded().select_related("assignee").order_by("lft"))


def _is_new(since: dt.datetime | None, user_id: int | None) -> Case | Value:
    """Whether somebody else (or a clock) changed the ticket, or said or attached something there, after `since`."""
    if since is None:
        return Value(False, output_field=BooleanField())
    history: Any = Ticket.history
    changes = history.filter(id=OuterRef("pk"), history_date__gt=since).exclude(history_user_id=user_id)
    said = Comment.objects.filter(ticket=OuterRef("pk"), updated_at__gt=since).exclude(author_id=user_id)
    files = Attachment.objects.filter(ticket=OuterRef("pk"), created_at__gt=since).exclude(uploaded_by_id=user_id)
    by_others = Q(Exists(changes)) | Q(Exists(said)) | Q(Exists(files))
    return Case(When(Q(updated_at__gt=since) & by_others, then=Value(True)), default=Value(False))


def _tests(user_id: int | None, now: dt.datetime) -> dict[str, Callable[[Row], bool]]:
    return {
        "all": lambda _: True,
        "mine": lambda row: row.assignee_id == user_id,
        "over": lambda row: is_late(row, now),
        "leads": lambda row: row.lead,
        "nobody": lambda row: row.assignee_id is None,
        "shared": lambda row: row.shared,
        "changed": lambda row: row.changed,
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
            above.leads += row.leads + (row.lead and not is_resolved(row))
            above.news += row.news + row.changed


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
