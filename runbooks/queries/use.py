"""How a runbook served: from the runs that its reader may see, and from no others."""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from django.db.models import Exists, OuterRef, Q

from core.templatetags.treeline import duration
from people.models import User
from runbooks.models import Document, Run, RunState, RunStep, Suggestion
from runbooks.queries.runs import changes, counted, open_suggestions
from tickets.models import Category, Disposition, Ticket

MOST_RUNS = 300  # the newest; figures are made from these
MOST_STEPS = 30_000
LAST = 5


@dataclass(frozen=True)
class Often:
    """A step that was skipped or changed, by its written title, and in how many runs."""

    title: str
    place: str
    count: int
    of: int


@dataclass
class Use:
    """Figures of a runbook; `runs` 0 where the reader may see none."""

    runs: int = 0
    incidents: int = 0
    rated: int = 0
    worked: int = 0
    finished: int = 0
    median: str = ""
    rating: float | None = None
    steps: int = 0
    skipped: int = 0
    changed: int = 0
    often_skipped: Often | None = None
    often_changed: Often | None = None
    confirmed: int = 0  # runs with a lead that was confirmed
    medians: dict[str, str] = field(default_factory=dict)  # time of a step by its written title
    last: Sequence[Run] = ()
    suggestions: list[Suggestion] = field(default_factory=list)

    @property
    def success(self) -> int | None:
        """Percent of the rated runs in which it did what it is for."""
        return round(100 * self.worked / self.rated) if self.rated else None

    @property
    def skipped_share(self) -> int | None:
        """Percent of all steps."""
        return round(100 * self.skipped / self.steps) if self.steps else None

    @property
    def confirmed_share(self) -> int | None:
        """Percent of all runs."""
        return round(100 * self.confirmed / self.runs) if self.runs else None


def use_of(document: Document, user: User) -> Use:
    """All figures, in four queries. A run that was taken back before anything was done is none."""
    confirmed = Ticket.objects.filter(steps__run=OuterRef("pk"), disposition=Disposition.CONFIRMED)
    seen = Run.objects.visible_to(user).filter(of__document=document)
    rows = counted(seen).annotate(led=Exists(confirmed)).order_by("-pk")
    kept = [run for run in rows[:MOST_RUNS] if not _is_void(run)]
    use = Use(runs=len(kept), incidents=len({run.incident_id for run in kept}), last=kept[:LAST])
    use.rated = sum(run.worked is not None for run in kept)
    use.worked = sum(bool(run.worked) for run in kept)
    ratings = [run.rating for run in kept if run.rating]
    use.rating = round(sum(ratings) / len(ratings), 1) if ratings else None
    use.confirmed = sum(run.led for run in kept)
    spans = [_span(run.started_at, run.finished_at) for run in kept if run.state == RunState.DONE]
    use.finished, use.median = len(spans), _median(spans)
    _count_steps(use, {run.pk: run for run in kept})
    use.suggestions = open_suggestions(document, user)
    return use


def _is_void(run: Run) -> bool:
    """Inserted by mistake: stopped with all its tickets dropped, and nobody said a word about it."""
    return run.state == RunState.STOPPED and run.rating is None and run.total == run.skipped  # type: ignore[attr-defined]


def _count_steps(use: Use, runs: dict[int, Run]) -> None:
    """Skipped and changed steps, and how long each took, by the written title: versions number them differently.

    Skipped is what was dropped, and what was left out at the start.
    """
    known = RunStep.objects.filter(Q(ticket__isnull=False) | Q(left_out=True), run__in=runs)
    steps = known.order_by("-run", "position").values_list(
        "run_id", "place", "title", "text", "left_out", "ticket__title", "ticket__description", "ticket__category",
        "ticket__started_at", "ticket__finished_at",
    )  # fmt: skip
    skipped: Counter[str] = Counter()
    changed: Counter[str] = Counter()
    total: Counter[str] = Counter()
    places: dict[str, str] = {}
    spans: dict[str, list[float]] = defaultdict(list)
    for run, place, title, text, left_out, now_title, now_text, category, began, ended in steps[:MOST_STEPS]:
        places.setdefault(title, place)
        total[title] += 1
        if left_out:
            skipped[title] += 1
            continue
        skipped[title] += category == Category.DROPPED
        changed[title] += bool(changes(title, text, runs[run].values, now_title, now_text))
        if category == Category.DONE and began and ended:
            spans[title].append(_span(began, ended))
    use.steps, use.skipped, use.changed = total.total(), skipped.total(), changed.total()
    use.often_skipped, use.often_changed = _often(skipped, total, places), _often(changed, total, places)
    use.medians = {title: _median(found) for title, found in spans.items()}


def _often(counts: Counter[str], total: Counter[str], places: dict[str, str]) -> Often | None:
    if not counts.total():
        return None
    title, count = counts.most_common(1)[0]
    return Often(title=title, place=places[title], count=count, of=total[title])


def _span(start: dt.datetime, end: dt.datetime | None) -> float:
    return (end - start).total_seconds() if end else 0.0


def _median(seconds: list[float]) -> str:
    return duration(dt.timedelta(seconds=median(seconds))) if seconds else ""
