"""Text that becomes a branch: read, its people found, and all that is wrong with it said by line and column."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.text import clean_text
from incidents.models import Incident
from runbooks import blocks
from runbooks.actions.starts import Seed, Start, seeds_of
from runbooks.crew import Crew, crew
from runbooks.expansion import Book, Step, asked, expand, library
from runbooks.filling import MOST_VALUES, OWN_NAMES, filled, length, names_in
from runbooks.tasklines import Document, Task, TaskLineError, TaskLinesRefused, parse
from runbooks.tasklines.automation import strings_of
from runbooks.tasklines.characters import NEWLINES
from runbooks.tasklines.descriptions import MOST_TEXT
from runbooks.tasklines.document import MOST_BYTES, MOST_ERRORS, MOST_TASKS
from tickets.actions.quick import MOST_TITLE, Sprout
from tickets.forms.moves import NumberField


class RawText(forms.CharField):
    """Text as it was pasted: what is wrong with it is the reader's to say, with line and column."""

    widget = forms.Textarea

    def run_validators(self, value: Any) -> None:
        """The reader knows."""


class QuickForm(forms.Form):
    """Task lines and where their branch goes. After `is_valid`: `problems`, `seeds`, `values` (name, text, error).

    `filled`: the lines are written as in a document, and their values are in them already.
    """

    text = RawText(
        label="Tasks", strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "autofocus": True, "spellcheck": "false", "class": "mono"}),
        error_messages={"required": "Paste or write at least one line."},
    )  # fmt: skip
    parent = NumberField(
        label="Below", required=False, help_text="Empty: at the top of the tree.",
        widget=forms.TextInput(attrs={"list": "parents", "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, incident: Incident, filled: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident = incident
        self.filled = filled
        self.problems: list[TaskLineError] = []
        self.seeds: list[Seed] = []
        self.values: list[tuple[str, str, str]] = []

    @property
    def sprouts(self) -> list[Sprout]:
        """The tickets to be."""
        return [seed.sprout for seed in self.seeds]

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            document = parse(text, loose=not self.filled)
        except TaskLinesRefused as refused:
            document, self.problems = refused.document, list(refused.errors)
        runs = self._runs(document)
        values = self._values([*document.values, *(name for steps in runs.values() for name in asked(steps))])
        lines = NEWLINES.sub("\n", text.removeprefix("\ufeff")).split("\n")
        named = any(task.who for task in document.walk()) or runs
        people = crew(self.incident) if named else Crew({}, {})
        self.problems += [one for task in document.walk() for one in _problems(task, lines, people, values)]
        if sum(length(one.title, values) + length(one.description, values) for one in document.walk()) > MOST_BYTES:
            self.problems.append(TaskLineError(1, 1, "With its values this text is larger than 1 MB: split it."))
        self.seeds = list(self._seeds(document.tasks, runs, people, values))
        if len(self.seeds) > MOST_TASKS:
            self.problems.append(TaskLineError(1, 1, f"With its runbooks this is more than {MOST_TASKS:,} tickets."))
        self.problems = sorted(self.problems)[:MOST_ERRORS]
        if not self.seeds and not self.problems:
            raise ValidationError("There is no task in this text.")
        if self.problems:
            raise ValidationError(f"{len(self.problems)} line(s) need a change.")
        if any(error for _, _, error in self.values):
            raise ValidationError("Some values are still missing.")
        return text

    def _runs(self, document: Document) -> dict[int, list[Step]]:
        """The steps of each runbook that a line names, by the number of the line; what is wrong is a problem."""
        named = [task for task in document.walk() if task.kind == "runbook"]
        found: dict[int, list[Step]] = {}
        try:
            books: dict[str, Book] = library(slugs=[task.slug for task in named]) if named else {}
        except ValidationError as error:
            self._refuse(named[0], error.messages)
            return found
        for task in named:
            if task.slug not in books:
                self._refuse(task, [f"There is no runbook named “{task.slug}” with a version in force."])
                continue
            try:
                found[task.line] = expand(books[task.slug], books)
            except ValidationError as error:
                self._refuse(task, error.messages)
        return found

    def _refuse(self, task: Task, messages: list[str]) -> None:
        self.problems += [TaskLineError(task.line, 1, message) for message in messages]

    def _seeds(
        self, tasks: tuple[Task, ...], runs: dict[int, list[Step]], people: Crew, values: dict[str, str], depth: int = 1
    ) -> Iterator[Seed]:
        """The tickets to be, each before those below it; what cannot be one is left out (and is a problem)."""
        for task in tasks:
            if task.kind != "runbook":
                yield Seed(sprout=_sprout(task, people, values, depth), action=task.action)
                yield from self._seeds(task.children, runs, people, values, depth + 1)
            elif steps := runs.get(task.line):
                mine = {name: values[name] for name in asked(steps) if name in values}
                try:
                    seeds = seeds_of(Start(of=steps[0].of, steps=steps, values=mine), people, depth=depth)
                except ValidationError as error:
                    self._refuse(task, error.messages)
                    continue
                yield from (replace(seed, sprout=replace(seed.sprout, line=task.line)) for seed in seeds)

    def _values(self, wanted: list[str]) -> dict[str, str]:
        """What is asked for by {{ name }}; where something was given already, it is in the text."""
        names = [name for name in dict.fromkeys(wanted) if name not in OWN_NAMES and not self.filled]
        if len(names) > MOST_VALUES:
            self.problems.append(TaskLineError(1, 1, f"At most {MOST_VALUES} values can be asked for: {len(names)}."))
            return {}
        found = {}
        for name in names:
            given = str(self.data.get(f"value-{name}", ""))[:2000]
            try:
                found[name] = clean_text(given, max_length=MOST_TITLE, multiline=False)
                self.values.append((name, given, ""))
            except ValidationError as error:
                asked_before = f"value-{name}" in self.data and given
                self.values.append((name, given, " ".join(error.messages) if asked_before else "Give a value."))
        return found


def _sprout(task: Task, people: Crew, values: dict[str, str], depth: int) -> Sprout:
    return Sprout(
        depth=depth, title=filled(task.title, values, most=MOST_TEXT),
        description=filled(task.description, values, most=MOST_TEXT), done=task.done,
        assignee=people.named(task.who) if task.who else None, minutes=task.minutes, lead=task.lead, tags=task.tags,
        shared=task.shared, line=task.line,
    )  # fmt: skip


def _problems(task: Task, lines: list[str], people: Crew, values: dict[str, str]) -> Iterator[TaskLineError]:
    """What keeps a task that reads well from being a ticket of this incident."""
    if task.kind == "runbook":
        return
    text = lines[task.line - 1] if 0 < task.line <= len(lines) else ""
    start = len(text) - len(text.lstrip()) + 1
    if task.action is not None:
        try:
            blocks.columns(task.action)
        except ValidationError as error:
            at_line, column = task.action.line or task.line, task.action.column
            yield from (TaskLineError(at_line, column, message) for message in error.messages)
        if names := names_in(strings_of(task.action.parameters)):  # only a run keeps its values for later
            words = (
                f"Write the value itself in the place of {{{{ {names[0]} }}}}: an automation of pasted tasks has none."
            )
            yield TaskLineError(task.line, start, words)
    if task.who and people.named(task.who) is None:
        at = re.search(rf"(?<!\S)@{re.escape(task.who)}(?!\S)", text)
        yield TaskLineError(task.line, at.start() + 1 if at else start, people.unknown(task.who))
    if task.lead and task.done:
        words = "A lead is done with a result, which a line cannot say: write [ ] and finish it in the tree."
        yield TaskLineError(task.line, start, words)
    if (long := length(task.title, values)) > MOST_TITLE:
        words = f"With its values this title has {long} characters; use at most {MOST_TITLE}."
        yield TaskLineError(task.line, start, words)
    if (long := length(task.description, values)) > MOST_TEXT:
        words = f"With its values this description has {long:,} characters; use at most {MOST_TEXT:,}."
        yield TaskLineError(task.line, start, words)
