"""Text that becomes a branch: read, its people found, and all that is wrong with it said by line and column."""

import re
from collections.abc import Iterator
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.text import clean_text
from incidents.models import Incident
from people.models import User
from runbooks.queries.quick import Crew, crew
from runbooks.tasklines import Document, Task, TaskLineError, TaskLinesRefused, parse
from runbooks.tasklines.characters import NEWLINES
from runbooks.tasklines.descriptions import MOST_TEXT
from runbooks.tasklines.document import MOST_BYTES, MOST_ERRORS
from tickets.actions.quick import MOST_TITLE, Sprout
from tickets.forms.moves import NumberField

MOST_VALUES = 50
VALUE = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")


class RawText(forms.CharField):
    """Text as it was pasted: what is wrong with it is the reader's to say, with line and column."""

    widget = forms.Textarea

    def run_validators(self, value: Any) -> None:
        """The reader knows."""


class QuickForm(forms.Form):
    """Task lines and where their branch goes. After `is_valid`: `problems`, `sprouts`, `values` (name, text, error)."""

    text = RawText(
        label="Tasks", strip=False,
        widget=forms.Textarea(attrs={"rows": 10, "autofocus": True, "spellcheck": "false", "class": "mono"}),
        error_messages={"required": "Paste or write at least one line."},
    )  # fmt: skip
    parent = NumberField(
        label="Below", required=False, help_text="Empty: at the top of the tree.",
        widget=forms.TextInput(attrs={"list": "parents", "autocomplete": "off"}),
    )  # fmt: skip

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident = incident
        self.problems: list[TaskLineError] = []
        self.sprouts: list[Sprout] = []
        self.values: list[tuple[str, str, str]] = []

    def clean_text(self) -> str:
        text: str = self.cleaned_data["text"]
        try:
            document = parse(text, loose=True)
        except TaskLinesRefused as refused:
            document, self.problems = refused.document, list(refused.errors)
        values = self._values(document)
        lines = NEWLINES.sub("\n", text.removeprefix("\ufeff")).split("\n")
        people = crew(self.incident) if any(task.who for task in document.walk()) else Crew({}, {})
        self.sprouts = list(_sprouts(document.tasks, people, values))
        if sum(_length(one.title, values) + _length(one.description, values) for one in document.walk()) > MOST_BYTES:
            self.problems.append(TaskLineError(1, 1, "With its values this text is larger than 1 MB: split it."))
        self.problems += [one for task in document.walk() for one in _problems(task, lines, people, values)]
        self.problems = sorted(self.problems)[:MOST_ERRORS]
        if not self.sprouts and not self.problems:
            raise ValidationError("There is no task in this text.")
        if self.problems:
            raise ValidationError(f"{len(self.problems)} line(s) need a change.")
        if any(error for _, _, error in self.values):
            raise ValidationError("Some values are still missing.")
        return text

    def _values(self, document: Document) -> dict[str, str]:
        """What is asked for by {{ name }}; where something was given already, it is in the text."""
        names = document.values
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
                asked = f"value-{name}" in self.data and given
                self.values.append((name, given, " ".join(error.messages) if asked else "Give a value."))
        return found


def _length(text: str, values: dict[str, str]) -> int:
    """How many characters the text has with its values."""
    return len(text) + sum(len(values.get(found[1], found[0])) - len(found[0]) for found in VALUE.finditer(text))


def _filled(text: str, values: dict[str, str]) -> str:
    """The text with its values; as it is where that would be too long to be anything (and is a problem)."""
    if _length(text, values) > MOST_TEXT:
        return text
    return VALUE.sub(lambda found: values.get(found[1], found[0]), text)


def _sprouts(tasks: tuple[Task, ...], people: Crew, values: dict[str, str], depth: int = 1) -> Iterator[Sprout]:
    """The tickets to be, each before those below it; what cannot be one is left out (and is a problem)."""
    for task in tasks:
        if task.kind != "runbook":
            yield Sprout(
                depth=depth, title=_filled(task.title, values), description=_filled(task.description, values),
                done=task.done, assignee=_person(task, people), minutes=task.minutes, lead=task.lead, tags=task.tags,
                shared=task.shared, line=task.line,
            )  # fmt: skip
            yield from _sprouts(task.children, people, values, depth + 1)


def _person(task: Task, people: Crew) -> User | None:
    return people.named(task.who) if task.who else None


def _problems(task: Task, lines: list[str], people: Crew, values: dict[str, str]) -> Iterator[TaskLineError]:
    """What keeps a task that reads well from being a ticket of this incident."""
    text = lines[task.line - 1] if 0 < task.line <= len(lines) else ""
    start = len(text) - len(text.lstrip()) + 1
    if task.kind == "runbook":
        yield TaskLineError(task.line, start, "Sub-playbooks come with runbooks: leave this line out.")
        return
    if task.action is not None:
        yield TaskLineError(
            task.line, start, "Automations come with runbooks: leave the action block of this task out."
        )
    if task.who and people.named(task.who) is None:
        at = re.search(rf"(?<!\S)@{re.escape(task.who)}(?!\S)", text)
        yield TaskLineError(task.line, at.start() + 1 if at else start, people.unknown(task.who))
    if task.lead and task.done:
        words = "A lead is done with a result, which a line cannot say: write [ ] and finish it in the tree."
        yield TaskLineError(task.line, start, words)
    if (length := _length(task.title, values)) > MOST_TITLE:
        words = f"With its values this title has {length} characters; use at most {MOST_TITLE}."
        yield TaskLineError(task.line, start, words)
    if (length := _length(task.description, values)) > MOST_TEXT:
        words = f"With its values this description has {length:,} characters; use at most {MOST_TEXT:,}."
        yield TaskLineError(task.line, start, words)
