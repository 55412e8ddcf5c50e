"""What task lines say: a document of tickets, or what is wrong with the text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from runbooks.tasklines.automation import Automation, strings_of

MOST_TASKS = 5_000
MOST_LEVELS = 50
MOST_TITLE = 200
"""Characters (code points)."""
MOST_BYTES = 1024 * 1024
"""Of a text, as UTF-8."""
MOST_LINES = 100_000
MOST_ERRORS = 20
"""Reported for one text; reading stops there."""

Kind = Literal["task", "group", "runbook"]
"""A line with a box; a heading, which holds what follows; a reference to a sub-playbook."""

_VALUE = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*\}\}")


@dataclass(frozen=True, slots=True)
class Task:
    """One ticket to be. Of a runbook reference only `slug` and `line` mean something."""

    title: str = ""
    done: bool = False
    who: str = ""
    """User name, e-mail address or role, without the `@`; nobody has looked whether it exists."""
    minutes: int | None = None
    lead: bool = False
    tags: tuple[str, ...] = ()
    """As written, each once, without the `#`; never "lead"."""
    shared: bool = False
    description: str = ""
    """Markdown, without empty lines around it."""
    action: Automation | None = None
    children: tuple["Task", ...] = ()
    kind: Kind = "task"
    slug: str = ""
    line: int = field(default=0, compare=False)
    """Where it was read, from 1; two tickets are equal wherever they stand."""


@dataclass(frozen=True, slots=True)
class Document:
    """Tickets in order, and the text before the first of them."""

    tasks: tuple[Task, ...] = ()
    introduction: str = ""

    def walk(self) -> Iterator[Task]:
        """All tickets, each before those below it."""
        waiting = list(reversed(self.tasks))
        while waiting:
            task = waiting.pop()
            yield task
            waiting.extend(reversed(task.children))

    @property
    def values(self) -> tuple[str, ...]:
        """Names asked for when a run starts (`{{ name }}`), each once, in order of appearance."""
        texts = [self.introduction]
        for task in self.walk():
            texts += [task.title, task.description, *(strings_of(task.action.parameters) if task.action else ())]
        return tuple(dict.fromkeys(name for text in texts for name in _VALUE.findall(text)))


@dataclass(frozen=True, slots=True, order=True)
class TaskLineError:
    """One thing that is wrong, in words for the person who wrote it; line and column (code points) from 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"Line {self.line}, column {self.column}: {self.message}"


class TaskLinesRefused(ValueError):
    """The text is not taken.

    Attributes:
        errors: what is wrong, in the order of the text, at most MOST_ERRORS.
        document: what could be read nevertheless; for a preview, never to be stored.
    """

    def __init__(self, errors: tuple[TaskLineError, ...], document: Document) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.errors = errors
        self.document = document


class EnoughErrors(Exception):
    """As many errors as are reported: nobody reads on."""


class Problems:
    """What is wrong, collected while a text is read."""

    def __init__(self) -> None:
        self.found: list[TaskLineError] = []

    def add(self, line: int, column: int, message: str) -> None:
        """Note one; where there are enough, stop.

        Raises:
            EnoughErrors: this was the last that is reported.
        """
        self.found.append(TaskLineError(line=line, column=column, message=message))
        if len(self.found) >= MOST_ERRORS:
            raise EnoughErrors
