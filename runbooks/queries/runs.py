"""Runs of an incident: how far they are, what of them was skipped or changed, who did what and how long it took."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from core.access import granted
from incidents.models import Incident
from people.models import User
from runbooks.filling import filled
from runbooks.models import Document, Run, RunState, RunStep, Suggestion, SuggestionState
from runbooks.steps import role_or_name
from tickets.models import ENDED, Category, Ticket, TicketStatus

MOST_IDEAS = 20
_LIVE = Q(steps__ticket__isnull=False)
STATUS_OF_TICKET = Subquery(TicketStatus.objects.filter(code=OuterRef("ticket__status")).values("name")[:1])


@dataclass(frozen=True)
class Line:
    """A step and what became of it. Of a ticket that was deleted for good nothing is known; what was left out at the
    start had none.
    """

    step: RunStep
    ticket: Ticket | None
    written: str  # its title, with the values of the run
    changed: tuple[str, ...]  # "title", "text": what is not as it was written
    took: dt.timedelta | None

    @property
    def who(self) -> str:
        """Whom the line names, in words."""
        return role_or_name(self.step.who)

    @property
    def indent(self) -> range:
        """How deep it stands."""
        return range(self.step.place.count("."))

    @property
    def is_skipped(self) -> bool:
        """It was dropped, with a reason."""
        return self.ticket is not None and self.ticket.category == Category.DROPPED


def counted(runs: QuerySet[Run]) -> QuerySet[Run]:
    """With `total`, `ended`, `busy`, `skipped` and `left_out` steps, and all that names the run."""
    return runs.select_related("of__document", "started_by", "rated_by", "ticket", "incident").annotate(
        total=Count("steps", filter=_LIVE),
        ended=Count("steps", filter=_LIVE & Q(steps__ticket__category__in=ENDED)),
        busy=Count("steps", filter=Q(steps__ticket__category=Category.DOING)),
        skipped=Count("steps", filter=Q(steps__ticket__category=Category.DROPPED)),
        left_out=Count("steps", filter=Q(steps__left_out=True)),
    )


def runs_of(incident: Incident) -> QuerySet[Run]:
    """All runs of the incident, the newest first."""
    return counted(Run.objects.filter(incident=incident)).order_by("-pk")


def unrated(user: User) -> QuerySet[Run]:
    """Runs that this person started, that are through and that nobody rated, where they can still say how it went."""
    mine = Run.objects.visible_to(user).filter(started_by=user, state=RunState.DONE, rating=None)
    mine = mine.filter(incident__in=granted(user, Incident, "work"))
    return mine.select_related("of__document", "incident").defer("of__body", "of__body_html", "of__document__folded")


def lines_of(run: Run) -> list[Line]:
    """The steps of a run in order, with their tickets; one query."""
    steps = RunStep.objects.filter(run=run).select_related("ticket__assignee", "part__document").order_by("position")
    return [line_of(step, run) for step in steps.annotate(status_name=STATUS_OF_TICKET)]


def line_of(step: RunStep, run: Run) -> Line:
    """What became of this step; `run` gives the values it was filled with."""
    ticket, written = step.ticket, filled(step.title, run.values, most=200)
    if ticket is None:
        return Line(step=step, ticket=None, written=written, changed=(), took=None)
    changed = changes(step.title, step.text, run.values, ticket.title, ticket.description)
    began, ended = ticket.started_at, ticket.finished_at
    took = ended - began if began and ended and ticket.category != Category.DROPPED else None
    return Line(step=step, ticket=ticket, written=written, changed=changed, took=took)


def changes(title: str, text: str, values: dict[str, str], now_title: str, now_text: str) -> tuple[str, ...]:
    """Which of title and text somebody changed since the run began."""
    as_written = {"title": (filled(title, values, most=200), now_title), "text": (filled(text, values), now_text)}
    return tuple(name for name, (was, now) in as_written.items() if was != now)


def open_suggestions(document: Document, user: User) -> list[Suggestion]:
    """The newest ideas for a runbook that nobody answered, as far as this person may see them; one query."""
    rows = Suggestion.objects.visible_to(user).filter(run__of__document=document, state=SuggestionState.OPEN)
    return list(rows.select_related("run__incident", "by")[:MOST_IDEAS])


def suggestions_of(run: Run) -> list[Suggestion]:
    """Ideas for the next version that came from it."""
    return list(run.suggestions.select_related("by"))


def open_steps(run: Run) -> int:
    """How many of its tickets are neither done nor dropped."""
    return run.steps.filter(ticket__isnull=False).exclude(ticket__category__in=ENDED).count()
