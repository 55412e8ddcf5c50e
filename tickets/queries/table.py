"""The tickets of an incident as a table: two queries whatever there is, everything else reckoned from the rows."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, Subquery, Sum
from django.http import QueryDict
from django.utils import timezone

from incidents.models import Incident
from people.models import User
from tickets.models import ENDED, Category, Disposition, Ticket, TimeEntry
from tickets.models.tickets import PRIORITY_NAME, STATUS_NAME

COLUMNS = (
    "pk", "number", "lft", "level", "title", "category", "status_name", "waiting_for", "priority", "priority_name",
    "urgency", "assignee_id", "assignee__name", "assignee__username", "assignee__customer_id", "clock_at",
    "finished_at", "due_at", "lead", "disposition", "updated_at", "spent", "version",
)  # fmt: skip
SPENT = Subquery(
    TimeEntry.objects.filter(ticket=OuterRef("pk"), taken_back_at=None)
    .order_by()
    .values("ticket")
    .annotate(sum=Sum("minutes"))
    .values("sum")
)
PARAMETERS = ("q", "status", "assignee", "priority", "lead", "tag", "over")
BESIDE = {"sort", "page", "checked", "tickets", "part", "all", "next"}  # said of a table, and no filters
LEADS = {"yes": "Leads", "open": "Leads without a result", "no": "No leads"}
NOBODY = "nobody"
MOST_TEXT = 100


@dataclass(slots=True)
class Row:
    """One ticket. `spent` are minutes; `status` and `priority_name` words; `tags` in order."""

    pk: int
    number: int
    lft: int
    level: int
    title: str
    category: str
    status: str
    waiting_for: str
    priority: str
    priority_name: str
    urgency: int
    assignee_id: int | None
    name: str | None
    username: str | None
    customer_id: int | None
    clock_at: dt.datetime | None
    finished_at: dt.datetime | None
    due_at: dt.datetime | None
    lead: bool
    disposition: str
    updated_at: dt.datetime
    spent: int | None
    version: int
    tags: list[str] = field(default_factory=list)

    @property
    def is_ended(self) -> bool:
        """Done or dropped."""
        return self.category in ENDED

    @property
    def assignee(self) -> User | None:
        """As far as showing them needs it."""
        if self.assignee_id is None:
            return None
        return User(
            pk=self.assignee_id, name=self.name or "", username=self.username or "", customer_id=self.customer_id
        )

    def is_late(self, now: dt.datetime) -> bool:
        """Past its time and not ended."""
        return self.clock_at is not None and self.clock_at < now and not self.is_ended


ORDER = {category: at for at, category in enumerate(Category.values)}
SORTS: dict[str, Callable[[Row], Any]] = {  # None always comes last
    "tree": lambda row: row.lft,
    "number": lambda row: row.number,
    "title": lambda row: row.title.casefold(),
    "status": lambda row: (ORDER[row.category], row.status),
    "priority": lambda row: row.urgency,
    "assignee": lambda row: (row.name or row.username or "").casefold() if row.assignee_id else None,
    "clock": lambda row: None if row.is_ended else row.clock_at,
    "lead": lambda row: (bool(row.disposition), row.disposition) if row.lead else None,
    "tags": lambda row: [tag.casefold() for tag in row.tags] or None,
    "updated": lambda row: row.updated_at,
    "spent": lambda row: row.spent,
}


@dataclass(frozen=True)
class Choice:
    """What one filter may be set to, and what it is set to; empty is anything."""

    name: str
    label: str
    options: list[tuple[str, str]]
    value: str


@dataclass(frozen=True)
class Table:
    """The rows that were asked for, in order; what else can be asked; and what was not understood."""

    rows: list[Row]
    total: int
    sort: str
    text: str
    over: bool
    filters: list[Choice]
    refused: list[str]

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is on."""
        return bool(self.text or self.over or any(one.value for one in self.filters))


def table(incident: Incident, data: QueryDict) -> Table:
    """What the query string asks for; nonsense in it is left out and named. Two queries."""
    rows, now = _rows(incident), timezone.now()
    filters = [_choice(name, label, options, data) for name, label, options in _options(rows)]
    refused = [one.name for one in filters if data.get(one.name, "") != one.value]
    refused += [name for name in data if name not in PARAMETERS and name not in BESIDE]
    sort = data.get("sort") or "tree"
    if sort.removeprefix("-") not in SORTS:
        sort, refused = "tree", [*refused, "sort"]
    text, over = data.get("q", "").strip()[:MOST_TEXT], data.get("over") == "1"
    chosen = {one.name: one.value for one in filters}
    found = [row for row in rows if _fits(row, chosen) and _says(row, text) and (not over or row.is_late(now))]
    return Table(
        rows=in_order(found, sort), total=len(rows), sort=sort, text=text, over=over, filters=filters, refused=refused
    )


def in_order(rows: list[Row], sort: str) -> list[Row]:
    """By a key of SORTS, downwards with a minus; rows without a value last, and in tree order among equals."""
    key = SORTS[sort.removeprefix("-")]
    having = [row for row in rows if key(row) is not None]
    having.sort(key=key, reverse=sort.startswith("-"))
    return having + [row for row in rows if key(row) is None]


def found_numbers(incident: Incident, data: QueryDict) -> list[int]:
    """The numbers of all tickets that the table finds, on whatever page."""
    return [row.number for row in table(incident, data).rows]


def _rows(incident: Incident) -> list[Row]:
    tickets = Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("lft")
    found = tickets.annotate(status_name=STATUS_NAME, priority_name=PRIORITY_NAME, spent=SPENT)
    rows = [Row(*values) for values in found.values_list(*COLUMNS)]
    known = {row.pk: row for row in rows}
    tags = Ticket.tags.through.objects.filter(ticket__incident=incident).order_by("tag__name")
    for ticket, name in tags.values_list("ticket", "tag__name"):
        if ticket in known:
            known[ticket].tags.append(name)
    return rows


def _options(rows: list[Row]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Name, label and options of each filter: of people, priorities and tags those that some ticket has."""
    people = {str(row.assignee_id): str(row.assignee) for row in rows if row.assignee_id is not None}
    priorities = {row.priority: (-row.urgency, row.priority_name) for row in rows}
    tags = sorted({tag for row in rows for tag in row.tags})
    by_name = sorted(people.items(), key=lambda one: one[1].casefold())
    return [
        ("status", "Status", [(key, str(label)) for key, label in Category.choices]),
        ("assignee", "Assignee", [(NOBODY, "Nobody yet"), *by_name]),
        ("priority", "Priority", [(key, priorities[key][1]) for key in sorted(priorities, key=priorities.__getitem__)]),
        ("lead", "Lead", [*LEADS.items(), *((key, str(label)) for key, label in Disposition.choices)]),
        ("tag", "Tag", [(tag, tag) for tag in tags]),
    ]


def _choice(name: str, label: str, options: list[tuple[str, str]], data: QueryDict) -> Choice:
    wanted = data.get(name, "")
    return Choice(name, label, options, wanted if wanted in dict(options) else "")


def _fits(row: Row, chosen: dict[str, str]) -> bool:
    """Whether the row is what every filter asks for."""
    who, lead = chosen["assignee"], chosen["lead"]
    resolved = bool(row.disposition) or row.category == Category.DROPPED
    leads = {"": True, "yes": row.lead, "no": not row.lead, "open": row.lead and not resolved}
    return (
        chosen["status"] in ("", row.category)
        and (not who or (row.assignee_id is None if who == NOBODY else str(row.assignee_id) == who))
        and chosen["priority"] in ("", row.priority)
        and chosen["tag"] in ("", *row.tags)
        and leads.get(lead, row.lead and row.disposition == lead)
    )


def _says(row: Row, text: str) -> bool:
    """Every word is in the title, or is the number, or #a-tag of it."""
    title = row.title.casefold()
    return all(
        word in title or word == f"#{row.number}" or word.removeprefix("#") in row.tags
        for word in text.casefold().split()
    )
