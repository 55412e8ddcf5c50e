"""Task lines as the parameter of an automation: a template, whose values may come from anywhere.

What it makes is settled by what its author wrote: the lines are read with every value taken out, and the values go
into the titles and descriptions where they stood. So an answer from outside, a comment or the text of an alert adds no
ticket, names nobody and shares nothing. Written down again, by the writer that puts backslashes before what would be
more than text, they are what people agree to and what is planted: both read the same.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from runbooks.expressions import MOST_FILLED, pieces
from runbooks.filling import filled
from runbooks.tasklines import Document, Task, TaskLinesRefused, parse
from runbooks.tasklines.writer import render
from runbooks.values import Data, ExpressionError


def filled_lines(template: Data, context: Mapping[str, Any]) -> str:
    """The lines with their values, each on one line and as text; to be read strictly.

    Raises:
        ExpressionError: the template is not allowed or cannot be worked out, the lines do not read well, they hold an
            automation or a runbook, or a title would not be one.
    """
    if not isinstance(template, str):
        raise ExpressionError("Tasks are one text.")
    text, values = _taken_out(template, context)
    try:
        document = parse(text, loose=True)
        if any(task.action or task.kind == "runbook" for task in document.walk()):
            raise ExpressionError("Automations and runbooks cannot be in these tasks.")
        return render(_filled(document, values)).rstrip("\n")
    except TaskLinesRefused as refused:
        first = refused.errors[0]
        raise ExpressionError(f"Line {first.line}: {first.message}") from refused


def _taken_out(template: str, context: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """The lines with a name, which is no marker and nothing else, for each value; and the values by these names."""
    values: dict[str, str] = {}
    text, length = "", 0
    for piece, is_value in pieces(template, context):
        length += len(piece)
        if length > MOST_FILLED:
            raise ExpressionError(f"This would become longer than {MOST_FILLED:,} characters.")
        name = f"value{len(values)}"
        if is_value:
            values[name] = " ".join(piece.split())  # at every kind of line break too
        text += f"{{{{{name}}}}}" if is_value else piece
    return text, values


def _filled(document: Document, values: Mapping[str, str]) -> Document:
    return replace(document, tasks=tuple(_task(task, values) for task in document.tasks))


def _task(task: Task, values: Mapping[str, str]) -> Task:
    return replace(
        task, title=filled(task.title, values).strip(), description=filled(task.description, values).strip(),
        children=tuple(_task(child, values) for child in task.children),
    )  # fmt: skip
