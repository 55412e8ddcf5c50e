"""What is wrong with the text of a document, by line and column: shown while one writes, refused when one submits."""

from core import markdown
from runbooks import blocks, placeholders, tasklines
from runbooks.models import DocumentKind
from runbooks.tasklines import TaskLineError
from runbooks.tasklines.document import MOST_BYTES, MOST_ERRORS


def longest(kind: str) -> int:
    """Characters that a text of this kind may have."""
    return MOST_BYTES if kind == DocumentKind.RUNBOOK else markdown.LIMIT


def problems(kind: str, body: str, subject: str = "") -> tuple[TaskLineError, ...]:
    """All that keeps the text from being submitted, in its order; a subject's problems come first, as line 0."""
    if not body.strip():
        return (TaskLineError(1, 1, "There is no text yet."),)
    if len(body) > longest(kind):
        return (TaskLineError(1, 1, f"The text has {len(body):,} characters; {longest(kind):,} are the most."),)
    if kind == DocumentKind.RUNBOOK:
        return _of_runbook(body)
    if kind == DocumentKind.TEMPLATE:
        return _of_template(subject, body)
    return ()


def said(problem: TaskLineError) -> str:
    """One of them in words, with its place."""
    return str(problem) if problem.line else f"Subject: {problem.message}"


def _of_runbook(body: str) -> tuple[TaskLineError, ...]:
    try:
        document = tasklines.parse(body)
    except tasklines.TaskLinesRefused as refused:
        return refused.errors
    if not document.tasks:
        return (TaskLineError(1, 1, "A runbook needs a step: write - [ ] before a line."),)
    found = []
    for task in document.walk():
        if task.action is not None:
            found += [TaskLineError(task.action.line, task.action.column, words) for words in blocks.wrong(task.action)]
    return tuple(found[:MOST_ERRORS])


def _of_template(subject: str, body: str) -> tuple[TaskLineError, ...]:
    found = []
    if not subject.strip():
        found.append(TaskLineError(0, 1, "A message needs a subject."))
    for first, text in ((-1, subject), (0, body)):
        for one in placeholders.unknown(text):
            words = f"“{one.text}” is no placeholder; the list beside the text has all there are."
            found.append(TaskLineError(one.line + first, one.column, words))
    return tuple(found[:MOST_ERRORS])
