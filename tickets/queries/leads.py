"""The leads of one incident: what they suppose, what they grew from, what became of them, and how fast."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from incidents.models import Incident
from tickets.models import Category, Disposition, Ticket

DROPPED = "dropped"
SHOWS = {  # filter: its word on the page
    "all": "All",
    "open": "Open",
    Disposition.CONFIRMED.value: "Confirmed",
    Disposition.RULED_OUT.value: "Ruled out",
    Disposition.DEAD_END.value: "Dead end",
    Disposition.PARKED.value: "Parked",
    DROPPED: "Dropped",
    "mine": "Mine",
    "nobody": "Unassigned",
}
MOST = 500  # leads on the page
DEEPEST = 4  # steps that a follow-up is set in
MOST_ORIGINS = 500
COLUMNS = (
    "incident_id", "parent_id", "number", "title", "category", "waiting_for", "hypothesis", "disposition",
    "disposition_reason", "dropped_reason", "outcome", "clock_at", "clock_state", "lead_at", "disposed_at",
    "finished_at", "created_at", "origin__number", "origin__title", "origin__lead",
    "assignee__name", "assignee__username", "assignee__customer",
)  # fmt: skip


@dataclass
class Lead:
    """A lead where the page lists it: set in by `depth` under the lead it grew from, or saying so itself."""

    ticket: Ticket
    path: list[tuple[int, str]]  # number and title of the branches above it, from the top
    since: dt.datetime
    until: dt.datetime | None  # when it got its result
    depth: int = 0

    @property
    def result(self) -> str:
        """Its filter: open, a disposition, or dropped."""
        return result_of(self.ticket)

    @property
    def words(self) -> str:
        """Why it has this result, or what came out."""
        reason = self.ticket.dropped_reason if self.result == DROPPED else self.ticket.disposition_reason
        return reason or self.ticket.outcome


@dataclass(frozen=True)
class Day:
    """What happened to leads in the time that begins with `day`; `left`: open when it was over."""

    day: dt.date
    opened: int
    disposed: int
    left: int


@dataclass
class Leads:
    """What the page shows: two lists, the counts of its filters, and the days of its chart."""

    show: str
    open: list[Lead]
    disposed: list[Lead]
    counts: Counter[str]
    days: list[Day]
    step: int  # days in each of `days`
    left_out: int = 0
    now: dt.datetime = field(default_factory=timezone.now)

    @property
    def pills(self) -> list[tuple[str, str, int]]:
        """Key, words and count of each filter; results that no lead has are left out."""
        always = ("all", "open", "mine", *Disposition.values)
        return [(key, words, self.counts[key]) for key, words in SHOWS.items() if key in always or self.counts[key]]

    @property
    def resolved(self) -> int:
        """Leads with a result."""
        return self.counts["all"] - self.counts["open"]


def leads(incident: Incident, *, user_id: int | None, show: str = "all") -> Leads:
    """All leads, those without a result first and the oldest of them on top: two queries, however many there are."""
    rows = Ticket.objects.filter(incident_id=incident.pk, lead=True, parent__isnull=False).worded()
    tickets = list(rows.select_related("assignee", "origin").only(*COLUMNS).order_by("lft"))
    tests = _tests(user_id)
    show = show if show in tests else "all"
    above = _branches(incident) if tickets else {}
    everything = [_lead(ticket, above) for ticket in tickets]
    shown = [lead for lead in everything if tests[show](lead.ticket)]
    days, step = _days(everything, incident.closed_at or timezone.now())
    waiting = sorted((one for one in shown if one.result == "open"), key=lambda one: (one.since, one.ticket.number))
    ended = sorted((one for one in shown if one.result != "open"), key=_latest)
    counts = Counter({key: sum(test(ticket) for ticket in tickets) for key, test in tests.items()})
    return Leads(
        show=show, open=by_lineage(waiting[:MOST]), disposed=by_lineage(ended[:MOST]), counts=counts, days=days,
        step=step, left_out=max(len(waiting) - MOST, 0) + max(len(ended) - MOST, 0),
    )  # fmt: skip


def result_of(ticket: Ticket) -> str:
    """What became of a lead: its disposition, dropped, or open."""
    return ticket.disposition or (DROPPED if ticket.category == Category.DROPPED else "open")


def by_lineage(leads: list[Lead]) -> list[Lead]:
    """The same leads in their order, but each follow-up just after the lead it grew from, if that is among them."""
    here = {one.ticket.pk for one in leads}
    follow_ups: dict[int | None, list[Lead]] = {}
    for one in leads:
        origin = one.ticket.origin_id
        follow_ups.setdefault(origin if origin in here else None, []).append(one)
    found: list[Lead] = []
    waiting = [(one, 0) for one in reversed(follow_ups.get(None, []))]
    while waiting:
        one, one.depth = waiting.pop()
        found.append(one)
        deeper = min(one.depth + 1, DEEPEST)
        waiting += [(child, deeper) for child in reversed(follow_ups.get(one.ticket.pk, []))]
    return found


def possible_origins(ticket: Ticket) -> QuerySet[Ticket]:
    """Tickets a lead may have grown from, in tree order; those that grew from it are refused when one is chosen."""
    others = Ticket.objects.filter(incident=ticket.incident_id, parent__isnull=False).exclude(pk=ticket.pk)
    return others.order_by("lft").only("number", "title")[:MOST_ORIGINS]


def _latest(lead: Lead) -> tuple[float, int]:
    return -(lead.until or lead.since).timestamp(), lead.ticket.number


def _tests(user_id: int | None) -> dict[str, Callable[[Ticket], bool]]:
    def has(result: str) -> Callable[[Ticket], bool]:
        return lambda ticket: result_of(ticket) == result

    return {
        "all": lambda _: True,
        **{key: has(key) for key in ("open", *Disposition.values, DROPPED)},
        "mine": lambda ticket: ticket.assignee_id == user_id,
        "nobody": lambda ticket: ticket.assignee_id is None,
    }


def _branches(incident: Incident) -> dict[int, tuple[int | None, int, str]]:
    """Every ticket with others below it: its parent's key, its number and its title."""
    rows: Any = Ticket.objects.filter(incident_id=incident.pk, parent__isnull=False, rght__gt=F("lft") + 1)
    return {pk: rest for pk, *rest in rows.values_list("pk", "parent_id", "number", "title")}


def _lead(ticket: Ticket, above: dict[int, tuple[int | None, int, str]]) -> Lead:
    path: list[tuple[int, str]] = []
    step = above.get(ticket.parent_id or 0)
    while step is not None:
        parent, number, title = step
        path.insert(0, (number, title))
        step = above.get(parent) if parent else None
    since, until = ticket.lead_at or ticket.created_at, None
    if result_of(ticket) != "open":
        until = max(ticket.disposed_at or ticket.finished_at or since, since)
    return Lead(ticket, path, since, until)


# -- The chart --------------------------------------------------------------------------------------------------------
MOST_BARS = 31
STEPS = (1, 7, 28, 364)  # days in one bar


def _days(leads: list[Lead], end: dt.datetime) -> tuple[list[Day], int]:
    """Leads opened and disposed on each day (UTC) until `end`; longer incidents by weeks and more."""
    if not leads:
        return [], 1
    opened = Counter(_day(one.since) for one in leads)
    disposed = Counter(_day(one.until) for one in leads if one.until)
    first, last = min(opened), max(_day(end), *opened, *disposed)
    length = (last - first).days + 1
    step = next((one for one in STEPS if length <= one * MOST_BARS), STEPS[-1])
    found, left = [], 0
    for at in range(0, length, step):
        begin = first + dt.timedelta(days=at)
        span = [begin + dt.timedelta(days=one) for one in range(step)]
        more, less = sum(opened[day] for day in span), sum(disposed[day] for day in span)
        left += more - less
        found.append(Day(begin, more, less, left))
    return found, step


def _day(moment: dt.datetime) -> dt.date:
    return moment.astimezone(dt.UTC).date()
