"""Starting runbooks: their steps become a branch of tickets, in one transaction, and the run knows which is which."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from core import journal
from core.actions import action, keep_together
from core.actors import Actor
from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from runbooks import blocks, tasklines
from runbooks.crew import Crew, crew
from runbooks.expansion import Book, Step, asked, book, expand, library, without
from runbooks.filling import MOST_VALUES, filled, length, names_in
from runbooks.models import Automation, Document, DocumentKind, Run, RunStep
from runbooks.tasklines.descriptions import MOST_TEXT
from tickets.actions.quick import MOST_TITLE, Sprout, branch
from tickets.models import Ticket

MOST_BY_THEMSELVES, WITHIN = 50, timedelta(hours=1)
"""Runs that start without a person in one incident: each may hold automations that start several others."""
MOST_REASON = 400


@dataclass(frozen=True)
class Start:
    """One runbook that is about to run: its steps, the top first, what was given for its values, and the places that
    are left out with all below them.
    """

    of: Book
    steps: Sequence[Step]
    values: Mapping[str, str]
    skip: Collection[str] = frozenset()


@dataclass(frozen=True)
class Seed:
    """One ticket to be; `step` where it is one of the run `start`, `action` where it does something by itself."""

    sprout: Sprout
    action: tasklines.Automation | None = None
    start: Start | None = None
    step: Step | None = None


@dataclass
class Grown:
    """What became of seeds: tickets in their order, and the runs in theirs."""

    tickets: list[Ticket]
    runs: list[Run] = field(default_factory=list)


@action
def run_runbook(
    *,
    actor: Actor,
    incident: Incident,
    document: Document,
    under: int | None,
    values: Mapping[str, str],
    skip: Collection[str] = frozenset(),
    complete: bool = True,
) -> Run:
    """Insert the version in force below the ticket numbered `under` (None: at the top) and track it.

    `skip` are places ("2.1") that are left out with all below them. Unless `complete`, what nobody gave a value for
    stays as it is written: for what starts by itself.

    Raises:
        ValidationError: it is not in force, contains itself, a sub-playbook is missing, a value is missing, nothing is
            left of it, no person starts it and too many were started so, or as for `plant_branch`.
    """
    start = prepared(document, values, skip, complete=complete)
    if actor.actor_kind != "user":
        _require_few(Incident.objects.lock(incident.pk))
    people = crew(incident)
    return _sow(actor, incident, under, seeds_of(start, people)).runs[0]


def _require_few(incident: Incident) -> None:
    since = timezone.now() - WITHIN
    if Run.objects.filter(incident=incident, started_by=None, started_at__gt=since).count() >= MOST_BY_THEMSELVES:
        raise ValidationError(
            f"Automations have started {MOST_BY_THEMSELVES} runbooks in this incident within an hour: no more start by "
            "themselves before that hour is over. Start it by hand where it is needed."
        )


@action
def tell_of_no_start(*, actor: Actor, incident: Incident, document: Document, reason: str) -> bool:
    """Write down that it should have started by itself and could not, and why; False where that is known already."""
    incident = Incident.objects.lock(incident.pk)
    known = JournalEntry.objects.filter(stream=incident.journal_stream, verb="run.prevented", data__slug=document.slug)
    if known.exists():
        return False
    journal.record(
        "run.prevented", actor=actor, subject=incident, changed=False, runbook=document.title, slug=document.slug,
        reason=reason[:MOST_REASON],
    )  # fmt: skip
    return True


@action
def run_runbooks(
    *,
    actor: Actor,
    incident: Incident,
    documents: Sequence[Document],
    under: int | None,
    values: Mapping[str, str],
    skip: Mapping[str, Collection[str]],
) -> list[Run]:
    """Insert several, one after the other; values are asked for once, `skip` is by the name of the runbook."""
    starts = [prepared(one, values, skip.get(one.slug, ())) for one in documents]
    people = crew(incident)
    seeds = [seed for start in starts for seed in seeds_of(start, people)]
    return _sow(actor, incident, under, seeds).runs


@action
def sow(*, actor: Actor, incident: Incident, parent: int | None, seeds: Sequence[Seed]) -> Grown:
    """Make tickets of the seeds, with their automations and the runs they belong to.

    Raises:
        ValidationError: as for `plant_branch`, or an automation says something that it cannot say.
    """
    return _sow(actor, incident, parent, seeds)


def _sow(actor: Actor, incident: Incident, parent: int | None, seeds: Sequence[Seed]) -> Grown:
    automations = [blocks.columns(seed.action) if seed.action else None for seed in seeds]
    sprouts = [replace(seed.sprout, automated=True) if seed.action else seed.sprout for seed in seeds]
    made, planted = branch(actor, incident, parent, sprouts)
    runs = _runs(actor, incident, made, seeds)
    kept = _insert(Run, list(runs.values()))
    steps = RunStep.objects.bulk_create(_steps(made, seeds, runs))
    rows = [
        Automation(ticket=ticket, run=runs.get(id(seed.start)), **columns)
        for ticket, seed, columns in zip(made, seeds, automations, strict=True)
        if columns is not None
    ]
    of_run: dict[int | None, list[Any]] = {run.pk: [past] for run, past in zip(runs.values(), kept, strict=True)}
    for past in _insert(Automation, rows):
        of_run.setdefault(past.run_id, []).append(past)
    left_out = Counter(step.run for step in steps if step.left_out)
    drafts = [planted, *(_started(run, of_run[run.pk], left_out[run]) for run in runs.values())]
    if loose := [row.ticket.number for row in rows if row.run_id is None]:
        said = {"tickets": loose}
        drafts.append(journal.Draft("automations.planted", incident, said, changed=False, written=of_run[None]))
    journal.record_many(drafts, actor=actor, stream=incident.journal_stream)
    return Grown(tickets=made, runs=list(runs.values()))


def _started(run: Run, written: Collection[Any], left_out: int) -> journal.Draft:
    number = run.ticket.number if run.ticket else None
    said = {"runbook": run.of.document.title, "number": run.of.number, "ticket": number, "left_out": left_out}
    return journal.Draft("run.started", run, said, changed=False, written=written)


def prepared(
    document: Document, values: Mapping[str, str], skip: Collection[str] = (), *, complete: bool = True
) -> Start:
    """The version in force with its sub-playbooks and values, checked as far as it can be before anything is locked."""
    if document.active is None or document.archived_at or document.kind != DocumentKind.RUNBOOK:
        raise ValidationError(f"“{document.title}” is no runbook with a version in force.")
    document.active.document = document
    top = book(document.active)
    every = expand(top, library(top))
    steps = without(every, skip)
    if len(steps) < 2:
        raise ValidationError(f"Nothing is left of “{document.title}”: choose at least one step.")
    names = asked(steps)
    if complete and (missing := [name for name in names if not values.get(name)]):
        raise ValidationError(f"Give a value for {', '.join(missing)}.")
    if len(names) > MOST_VALUES:
        raise ValidationError(f"At most {MOST_VALUES} values can be asked for: “{document.title}” has {len(names)}.")
    given = {name: values[name] for name in names if values.get(name)}
    return Start(of=top, steps=every, values=given if complete else _fitting(steps, given), skip=skip)


def _fitting(steps: Iterable[Step], values: Mapping[str, str]) -> dict[str, str]:
    """The values but for those with which a title would be too long: for what starts where nobody could shorten it."""
    long = names_in(step.title for step in steps if length(step.title, values) > MOST_TITLE)
    return {name: text for name, text in values.items() if name not in long}


def seeds_of(start: Start, people: Crew, *, depth: int = 1) -> list[Seed]:
    """The tickets of a run, its top at this depth; who is named and does not work here is nobody yet.

    Raises:
        ValidationError: with its values a title or a description is too long.
    """
    return [
        Seed(sprout=_sprout(step, start.values, people, depth), action=step.task.action, start=start, step=step)
        for step in without(start.steps, start.skip)
    ]


def _sprout(step: Step, values: Mapping[str, str], people: Crew, depth: int) -> Sprout:
    if (long := length(step.title, values)) > MOST_TITLE and step.place and not step.part:
        raise ValidationError(
            f"With its values the title of step {step.place} has {long} characters: {MOST_TITLE} fit."
        )
    title = filled(step.title, values, most=MOST_TITLE)
    if (long := length(step.text, values)) > MOST_TEXT:
        raise ValidationError(
            f"With its values the text of step {step.place} has {long:,} characters: {MOST_TEXT:,} fit."
        )
    task = step.task
    return Sprout(
        depth=depth + step.depth - 1, title=title, description=filled(step.text, values), minutes=task.minutes,
        assignee=_person(task.who, people), lead=task.lead, tags=task.tags, shared=task.shared,
    )  # fmt: skip


def _person(who: str, people: Crew) -> User | None:
    return people.named(who) if who else None


def _runs(actor: Actor, incident: Incident, made: Sequence[Ticket], seeds: Sequence[Seed]) -> dict[int, Run]:
    """A run for each start, by the identity of the start; its top is the first of its tickets."""
    by = actor.pk if actor.actor_kind == "user" else None
    runs: dict[int, Run] = {}
    now = timezone.now()
    for ticket, seed in zip(made, seeds, strict=True):
        if seed.start is not None and id(seed.start) not in runs:
            runs[id(seed.start)] = Run(
                incident=incident, of=seed.start.of.version, ticket=ticket, values=dict(seed.start.values),
                started_by_id=by, started_at=now,
            )  # fmt: skip
    return runs


def _steps(made: Sequence[Ticket], seeds: Sequence[Seed], runs: Mapping[int, Run]) -> Iterable[RunStep]:
    """All of each run, those that are left out among them, but for its top."""
    starts = {id(seed.start): seed.start for seed in seeds if seed.start is not None}
    became = {(id(seed.start), seed.step.place): one for one, seed in zip(made, seeds, strict=True) if seed.step}
    for key, start in starts.items():
        for position, step in enumerate((one for one in start.steps if one.place), 1):
            ticket = became.get((key, step.place))
            yield RunStep(
                run=runs[key], of=step.of.version, part=step.part.version if step.part else None, position=position,
                place=step.place, title=step.title, text=step.text, who=step.task.who[:120], ticket=ticket,
                left_out=ticket is None,
            )  # fmt: skip


def _insert(model: type[Any], rows: list[Any]) -> list[Any]:
    """New rows at once; gives the history of each."""
    queryset: QuerySet[Any] = QuerySet(model)
    queryset.bulk_create(rows)
    return keep_together(rows)
