"""Everything a report says, read once: a fixed number of queries, whatever the size of the incident."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from core import journal, markdown
from core.templatetags.treeline import duration
from incidents.models import Incident, RoleAssignment, Status
from reporting.queries.course import Course, course
from reporting.queries.maps import Sheet, sheets
from tickets.models import ENDED, Category, Comment, Disposition, Ticket
from tickets.queries.map import Box, stage_box, ticket_box

MOST_TICKETS = 2000
"""Rows of the tree in one report: more take longer to lay out than the thirty seconds a report may take."""
COLUMNS = (
    "number", "title", "level", "category", "lead", "disposition", "assignee__name", "outcome", "dropped_reason",
    "status_name", "clock_at",
)  # fmt: skip


@dataclass
class Row:
    """A ticket in the tree; done, busy and total count what is below it."""

    number: int
    title: str
    level: int
    category: str
    lead: bool
    disposition: str
    assignee: str
    outcome: str
    dropped_reason: str
    status_name: str
    clock_at: dt.datetime | None = None
    done: int = 0
    busy: int = 0
    total: int = 0

    @property
    def state(self) -> str:
        """The status in words."""
        return self.status_name

    @property
    def result(self) -> str:
        """What became of a lead; empty for other tickets."""
        if not self.lead:
            return ""
        if self.disposition:
            return str(Disposition(self.disposition).label).lower()
        return "dropped" if self.category == Category.DROPPED else "open"

    @property
    def note(self) -> str:
        """What came out of it, or why it was dropped."""
        return markdown.plain(self.outcome or self.dropped_reason, 300)

    @property
    def percent(self) -> int:
        """Of what is below, how much is done."""
        return round(100 * self.done / self.total) if self.total else 0


@dataclass(frozen=True)
class Phase:
    """A step of the life cycle that was entered, and how long after the one before it."""

    at: dt.datetime
    name: str
    after: str


@dataclass(frozen=True)
class Figure:
    """One number on the first page."""

    value: str
    name: str


@dataclass
class Report:
    """One incident at one moment; `head` is the sequence and hash of its last journal entry."""

    incident: Incident
    as_of: dt.datetime
    head: tuple[int, str]
    team: list[RoleAssignment]
    tickets: list[Row]
    omitted: int
    comments: list[Comment]
    phases: list[Phase]
    figures: list[Figure]
    course: Course
    maps: list[Sheet] = field(default_factory=list)
    lede: str = ""
    deepest: int = 0


def _rows(incident: Incident) -> list[Row]:
    found = Ticket.objects.filter(incident=incident).without_root().worded().order_by("lft").values(*COLUMNS)
    rows = [Row(assignee=one.pop("assignee__name") or "", **one) for one in found]
    above: list[Row] = []
    for row in rows:
        while above and above[-1].level >= row.level:
            above.pop()
        for one in above:
            one.total += 1
            one.done += row.category in ENDED
            one.busy += row.category == Category.DOING
        above.append(row)
    return rows


def _root(incident: Incident) -> Box:
    about = (
        f"{incident.tickets_done} of {incident.tickets_total} done · leads {incident.leads_done} of"
        f" {incident.leads_total}"
    )
    return stage_box(incident, about)


def _box(row: Row, now: dt.datetime) -> Box:
    """The ticket on the map as it stood at `now`."""
    ended = row.category in ENDED
    over = f"{duration(now - row.clock_at)} over" if row.clock_at and row.clock_at < now and not ended else ""
    return ticket_box(
        number=row.number, level=row.level, title=row.title, who=row.assignee or "nobody yet", over=over,
        category=row.category, status=row.status_name, lead=f"lead {row.result}" if row.lead else "", is_ended=ended,
        total=row.total, done=row.done, busy=row.busy,
    )  # fmt: skip


def shortened(rows: list[Row], most: int = MOST_TICKETS) -> tuple[list[Row], int]:
    """The tree down to the deepest level at which it has at most `most` rows, and that level (0: all of it).

    Where even the first level has more, its first `most` rows.
    """
    if len(rows) <= most:
        return rows, 0
    for level in range(max(row.level for row in rows), 0, -1):
        kept = [row for row in rows if row.level <= level]
        if len(kept) <= most:
            return kept, level
    return [row for row in rows if row.level <= 1][:most], 1


def _phases(incident: Incident) -> list[Phase]:
    stamps = [("First act of the attacker", incident.occurred_at)]
    stamps += [(str(status.label), getattr(incident, status.stamp)) for status in Status]
    known = [(name, at) for name, at in stamps if at is not None]
    phases, before = [], None
    for name, at in known:
        phases.append(Phase(at=at, name=name, after=duration(at - before) if before and at >= before else ""))
        before = at
    return phases


def _short(length: dt.timedelta) -> str:
    """From a day on, minutes are left out."""
    words = duration(length)
    return words.rpartition(" h ")[0] + " h" if " d " in words else words


def _figures(incident: Incident, now: dt.datetime) -> list[Figure]:
    found = []
    if incident.occurred_at and incident.occurred_at <= incident.detected_at:
        found.append(Figure(_short(incident.detected_at - incident.occurred_at), "first act to detection"))
    if incident.contained_at:
        found.append(Figure(_short(incident.contained_at - incident.detected_at), "detection to contained"))
    else:
        found.append(Figure(_short((incident.closed_at or now) - incident.detected_at), "since detection"))
    found.append(Figure(str(len(incident.affected_systems)), "systems affected"))
    if incident.affected_users is not None:
        found.append(Figure(f"{incident.affected_users:,}", "people affected"))
    found.append(Figure(f"{incident.leads_done} of {incident.leads_total}", "leads resolved"))
    return [*found, Figure(f"{incident.tickets_done} of {incident.tickets_total}", "tickets done")][:5]


def _comments(incident: Incident, chosen: Collection[int]) -> list[Comment]:
    """Only comments of this incident, whatever keys were chosen."""
    found = Comment.objects.filter(ticket__incident=incident, pk__in=chosen)
    return list(found.select_related("ticket", "author").order_by("ticket__lft", "pk"))


def collect(incident_pk: int, comments: Iterable[int]) -> Report:
    """Read it all; the caller does so in `one_moment`."""
    incident = Incident.objects.select_related("customer", "commander", "post_mortem_approved_by").get(pk=incident_pk)
    now = timezone.now()
    rows = _rows(incident)
    kept, deepest = shortened(rows)
    return Report(
        incident=incident, as_of=now, head=journal.head(incident.journal_stream),
        team=list(RoleAssignment.objects.filter(incident=incident).select_related("user")),
        tickets=kept, omitted=len(rows) - len(kept), deepest=deepest, comments=_comments(incident, list(comments)),
        phases=_phases(incident), figures=_figures(incident, now), course=course(incident, now),
        maps=sheets(_root(incident), [_box(row, now) for row in rows]),
        lede=markdown.plain(incident.situation, 300),
    )  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A part of the report on the page where it is made: its name, its first words, and where to write it."""

    name: str
    text: str
    edit: str = ""


def outline(incident: Incident, *, comments: int) -> list[Part]:
    """What the report would say now, in order; a part without text is empty in the report as well."""
    impact = [*incident.affected_systems, *incident.affected_services, *incident.data_types]
    tree = f"{incident.tickets_total} tickets, {incident.leads_total} of them leads ({incident.leads_done} resolved)"
    return [
        Part("Where we stand", markdown.plain(incident.situation), "situation"),
        Part("Summary", markdown.plain(incident.summary), "summary"),
        Part("Course of time", "Stages with their times, and how long each took"),
        Part("Impact", markdown.plain(incident.business_impact) or ", ".join(map(str, impact))[:160], "impact"),
        Part("Team", "Who had which role, from when to when"),
        Part("Investigation", tree if incident.tickets_total else ""),
        Part("Comments", f"{comments} marked for the report" if comments else ""),
        Part("Root cause", markdown.plain(incident.root_cause), "review"),
        Part("Contributing factors", markdown.plain(incident.contributing_factors), "review"),
        Part("Lessons learned", markdown.plain(incident.lessons_learned), "review"),
        Part("Record", "Last entry of the journal, so that the report can be checked against it"),
    ]
