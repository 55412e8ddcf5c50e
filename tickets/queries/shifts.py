"""What a shift hands over: a draft from the tickets and the journal, and the Markdown that is kept of it."""

import datetime as dt
import re
from dataclasses import dataclass, field

from django.utils import timezone

from core import markdown
from incidents.models import Incident
from incidents.queries.journal import Line, lines, work_of
from people.models import User
from tickets.models import ENDED, Category, ShiftHandover, Ticket
from tickets.queries.handovers import Offer, offers_in

HOURS = 8  # of a shift, where nobody wrote a handover before
MOST = (150, 75, 30, 10)  # rows of a list, tried until the document is short enough
COLUMNS = (
    "number", "title", "level", "category", "lead", "disposition", "clock_at", "waiting_for", "assignee__name",
    "status_name",
)  # fmt: skip
_MARKS = re.compile(r"([\\`*_\[\]~|])")


@dataclass(slots=True)
class Row:
    """One open ticket."""

    number: int
    title: str
    level: int
    category: str
    lead: bool
    disposition: str
    clock_at: dt.datetime | None
    waiting_for: str
    assignee: str | None
    status: str


@dataclass
class Branch:
    """A ticket at the top with what is open in its branch (itself among it, unless it has ended)."""

    number: int
    title: str
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class Draft:
    """What is so now, and what was done since."""

    since: dt.datetime
    now: dt.datetime
    branches: list[Branch]
    lines: list[Line]
    done: int  # how many entries there are since, of which `lines` are the newest
    offers: list[Offer]

    @property
    def rows(self) -> list[Row]:
        """Every open ticket in tree order."""
        return [row for branch in self.branches for row in branch.rows]

    @property
    def overdue(self) -> list[Row]:
        """Past their time, longest first."""
        late = [(row.clock_at, row) for row in self.rows if row.clock_at and row.clock_at < self.now]
        return [row for _, row in sorted(late, key=lambda pair: pair[0])]

    @property
    def leads(self) -> list[Row]:
        """Leads without a result."""
        return [row for row in self.rows if row.lead and not row.disposition]


def last_shift(incident: Incident) -> ShiftHandover | None:
    """The newest one that was written."""
    return ShiftHandover.objects.filter(incident=incident).select_related("author").first()


def draft(incident: Incident, since: dt.datetime) -> Draft:
    """Read it all, in a fixed number of queries.

    The document is for everybody who may see the incident, so it knows of no other one: neither ties nor their numbers.
    """
    nobody = User(is_active=False)
    done = work_of(incident, nobody).filter(at__gte=since)
    return Draft(
        since=since, now=timezone.now(), branches=_branches(incident), lines=lines(list(done[: MOST[0]]), nobody),
        done=done.count(), offers=_offers(incident),
    )  # fmt: skip


def _branches(incident: Incident) -> list[Branch]:
    tickets = Ticket.objects.filter(incident=incident).without_root().worded().order_by("lft")
    found: list[Branch] = []
    for values in tickets.values_list(*COLUMNS):
        row = Row(*values)
        if row.level == 1:
            found.append(Branch(row.number, row.title))
        if row.category not in ENDED:
            found[-1].rows.append(row)
    return [branch for branch in found if branch.rows]


def _offers(incident: Incident) -> list[Offer]:
    return [offer for offer in offers_in(incident) if offer.tickets]


# -- As Markdown ------------------------------------------------------------------------------------------------------
def written(found: Draft, watch: str) -> str:
    """The document as Markdown, `watch` first; long lists are cut until it is no longer than a text may be."""
    body = ""
    for most in MOST:
        body = "\n".join(_document(found, watch, most))
        if len(body) <= markdown.LIMIT:
            break
    return body


def _document(found: Draft, watch: str, most: int) -> list[str]:
    text = ["## What the next shift must watch", "", watch.strip() or "Nothing in particular.", ""]
    text += _section("Overdue", [_ticket(row, found.now) for row in found.overdue], most)
    text += _section("Open leads", [_ticket(row, found.now) for row in found.leads], most)
    text += [f"## Open tickets ({len(found.rows)})", ""]
    left = most
    for branch in found.branches:
        if left > 0:
            text += [f"### {_plain(branch.title)}", ""]
            text += [*(_ticket(row, found.now) for row in branch.rows[:left]), ""]
            left -= len(branch.rows)
    text += [f"And {-left} more.", ""] if left < 0 else []
    text += _section("Offers that wait for an answer", [_offer(offer) for offer in found.offers], most)
    return text + _section(
        f"Done since {_moment(found.since)}", [_done(line) for line in found.lines], most, found.done
    )


def _section(title: str, rows: list[str], most: int, total: int = 0) -> list[str]:
    total = total or len(rows)
    shown = rows[:most] or ["None."]
    more = [f"- and {total - most} more"] if total > most else []
    return [f"## {title} ({total})", "", *shown, *more, ""]


def _ticket(row: Row, now: dt.datetime) -> str:
    words = [f"- **#{row.number}** {_plain(row.title)}", _plain(row.assignee or "nobody"), _plain(row.status)]
    if row.category == Category.BLOCKED and row.waiting_for:
        words[-1] += f" for {_plain(row.waiting_for)}"
    if row.lead:
        words.append("lead")
    if row.clock_at:
        words.append(f"{'over since' if row.clock_at < now else 'due'} {_moment(row.clock_at)}")
    return ", ".join(words)


def _offer(offer: Offer) -> str:
    numbers = ", ".join(f"#{ticket.number}" for ticket in offer.tickets)
    who = f"{_plain(str(offer.handover.giver))} to {_plain(str(offer.handover.receiver))}"
    return f"- {who}: {numbers}, since {_moment(offer.handover.created_at)}"


def _done(line: Line) -> str:
    words = f"- {_moment(line.entry.at, year=False)} **{_plain(line.actor)}** {_plain(line.sentence)}"
    words += f": {_plain(line.outcome)}" if line.outcome else ""
    return words + (f" Reason: {_plain(line.reason)}" if line.reason else "")


def _moment(moment: dt.datetime, *, year: bool = True) -> str:
    return moment.astimezone(dt.UTC).strftime("%-d %b %Y %H:%M UTC" if year else "%-d %b %H:%M")


def _plain(text: str) -> str:
    """Text that people wrote, on one line and without a meaning in Markdown."""
    text = text.replace("&", "&amp;").replace("<", "&lt;")
    return " ".join(_MARKS.sub(r"\\\1", text).split())
