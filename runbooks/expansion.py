"""A runbook with all its sub-playbooks as one tree of steps: what a run of it will be."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.core.exceptions import ValidationError

from runbooks.filling import names_in
from runbooks.links import parts_in_force, reached
from runbooks.models import Document, DocumentKind, Version
from runbooks.tasklines import Document as Text
from runbooks.tasklines import Task, TaskLinesRefused, parse
from runbooks.tasklines.automation import strings_of

MOST_STEPS = 5_000
MOST_LEVELS = 50


@dataclass(frozen=True)
class Book:
    """A version of a runbook, read."""

    slug: str
    title: str
    version: Version
    text: Text

    @property
    def parts(self) -> set[str]:
        """Names of the sub-playbooks that it names."""
        return {task.slug for task in self.text.walk() if task.kind == "runbook"}


@dataclass(frozen=True, slots=True)
class Step:
    """One ticket of a run to be, as it is written.

    `depth` 1 is the top, which is titled as the runbook and has no place. `of` is the book that the line stands in,
    `part` the one that a line of a sub-playbook brings in: its title and introduction stand here.
    """

    place: str
    depth: int
    title: str
    text: str
    task: Task
    of: Book
    part: Book | None = None

    @property
    def texts(self) -> Iterator[str]:
        """All in it that may ask for a value."""
        yield self.title
        yield self.text
        if self.task.action is not None:
            yield from strings_of(self.task.action.parameters)


_parsed = lru_cache(maxsize=512)(parse)  # documents are frozen, and most are asked for again


def book(version: Version) -> Book:
    """Read it.

    Raises:
        ValidationError: its text is no task lines.
    """
    try:
        text = _parsed(version.body)
    except TaskLinesRefused as refused:
        said = f"“{version.document.title}” cannot be read: {refused.errors[0]}"
        raise ValidationError(said, code="unreadable") from refused
    return Book(slug=version.document.slug, title=version.document.title, version=version, text=text)


def library(*tops: Book, slugs: Iterable[str] = ()) -> dict[str, Book]:
    """The books and all the sub-playbooks in them, as they are in force, by name: two queries however deep they go.

    What is missing is left out; `expand` says so.
    """
    found = {top.slug: top for top in tops}
    asked: set[str] = set()
    others: dict[str, set[str]] | None = None
    while wanted := {*slugs, *(slug for one in found.values() for slug in one.parts)} - found.keys() - asked:
        others = parts_in_force() if others is None else others
        wanted = reached(wanted, others) - found.keys() - asked
        asked |= wanted
        rows = Document.objects.in_use().filter(kind=DocumentKind.RUNBOOK, slug__in=wanted).select_related("active")
        for document in rows:
            if document.active is not None:
                document.active.document = document
                found[document.slug] = book(document.active)
    return found


def expand(top: Book, books: Mapping[str, Book]) -> list[Step]:
    """All its steps, each before those below it; the top is the first.

    Raises:
        ValidationError: a runbook contains itself, a sub-playbook is not there, or it is too deep or too long.
    """
    steps = [Step(place="", depth=1, title=top.title, text=top.text.introduction, task=Task(title=top.title), of=top)]
    for step in _below(top, books, top.text.tasks, within=(top.slug,)):
        steps.append(step)
        if len(steps) > MOST_STEPS:
            raise ValidationError(
                f"“{top.title}” has more than {MOST_STEPS:,} steps with its sub-playbooks: divide it."
            )
    return steps


def _below(
    of: Book,
    books: Mapping[str, Book],
    tasks: Sequence[Task],
    *,
    within: tuple[str, ...],
    place: str = "",
    depth: int = 2,
) -> Iterator[Step]:
    if tasks and depth > MOST_LEVELS:
        raise ValidationError(
            f"With its sub-playbooks “{books[within[0]].title}” is more than {MOST_LEVELS} levels deep."
        )
    for number, task in enumerate(tasks, 1):
        at = f"{place}.{number}" if place else str(number)
        if task.kind != "runbook":
            yield Step(place=at, depth=depth, title=task.title, text=task.description, task=task, of=of)
            yield from _below(of, books, task.children, within=within, place=at, depth=depth + 1)
            continue
        part = _part(of, books, task.slug, within)
        yield Step(
            place=at, depth=depth, title=part.title, text=part.text.introduction, task=task, of=of, part=part
        )  # fmt: skip
        yield from _below(part, books, part.text.tasks, within=(*within, part.slug), place=at, depth=depth + 1)


def _part(of: Book, books: Mapping[str, Book], slug: str, within: tuple[str, ...]) -> Book:
    if slug in within:
        line = [books[one].title for one in within[within.index(slug) :]]
        named = " → ".join(f"“{title}”" for title in [*line, line[0]])
        raise ValidationError(f"A runbook cannot contain itself: {named}.", code="cycle")
    if slug not in books:
        raise ValidationError(
            f"“{of.title}” names the sub-playbook “{slug}”, which is not there or has no version in force.", code="part"
        )
    return books[slug]


def without(steps: Iterable[Step], skip: Collection[str]) -> list[Step]:
    """The steps but for these places and all below them."""
    kept, gone = [], set(skip)
    for step in steps:
        above = step.place.rpartition(".")[0]
        if step.place and (step.place in gone or above in gone):
            gone.add(step.place)
        else:
            kept.append(step)
    return kept


def asked(steps: Iterable[Step]) -> list[str]:
    """What has to be given before these steps are tickets."""
    return names_in(text for step in steps for text in step.texts)
