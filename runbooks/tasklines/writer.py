"""From tickets to text."""

from collections.abc import Sequence

from runbooks.tasklines import automation, descriptions, markers
from runbooks.tasklines.document import MOST_LEVELS, Document, Task, TaskLineError, TaskLinesRefused
from runbooks.tasklines.reader import STEP, parse

_LEVELS = 6
"""Of headings."""
_USUAL = 2
"""Level of the first headings, as long as those below them find room: a page has its own title."""


def render(document: Document) -> str:
    """The text that `parse` reads as this document.

    Raises:
        TaskLinesRefused: no text says that: a title is too long, a group stands below a ticket, … Lines are those
            of the text that it would have been.
    """
    lines = [*descriptions.written(document.introduction, indent=0, flat=True), ""] if document.introduction else []
    first = _USUAL if _headings(document.tasks) <= _LEVELS - _USUAL + 1 else 1
    for task in document.tasks:
        _write(task, lines, indent=0, level=first, depth=1)
    text = "\n".join(lines).rstrip("\n") + "\n" if lines else ""
    again = parse(text)
    if again != document:
        raise TaskLinesRefused((_difference(document, again),), again)
    return text


def _headings(tasks: Sequence[Task], depth: int = 0) -> int:
    """How deep headings go; deeper than MOST_LEVELS nobody looks."""
    groups = [task.children for task in tasks if task.kind == "group"]
    if not groups or depth > MOST_LEVELS:
        return depth
    return max(_headings(children, depth + 1) for children in groups)


def _write(task: Task, lines: list[str], *, indent: int, level: int, depth: int) -> None:
    if depth > MOST_LEVELS + 1:  # one more than may be: reading it back says what is wrong
        return
    if lines and lines[-1] and task.kind == "group":
        lines.append("")
    if task.kind == "runbook":
        lines.append(f"{' ' * indent}![[runbook:{task.slug}]]")
        return
    is_group = task.kind == "group"
    start = "#" * level if is_group else f"- [{'x' if task.done else ' '}]"
    lines.append(f"{' ' * indent}{start} {markers.written(task)}")
    below = indent if is_group else indent + STEP
    if task.description:
        lines += descriptions.written(task.description, indent=below, flat=is_group)
    if task.action:
        lines += [" " * below + line for line in ("```action", automation.written(task.action), "```")]
    if is_group and lines[-1]:
        lines.append("")
    for child in task.children:
        _write(child, lines, indent=below, level=level + 1, depth=depth + 1)


def _difference(document: Document, again: Document) -> TaskLineError:
    """What is not read back as it is: the first ticket that differs by more than what stands below it."""
    line = 1
    for task, other in zip(document.walk(), again.walk(), strict=False):
        line = other.line
        same = (task.title, task.description, task.kind, task.slug, task.action, task.tags, task.minutes, task.who)
        if same != (
            other.title, other.description, other.kind, other.slug, other.action, other.tags, other.minutes, other.who
        ):  # fmt: skip
            break
    return TaskLineError(
        line=line,
        column=1,
        message="This ticket cannot be written as a task line: its title or text has space around it, a marker has "
        "signs that markers may not have, or it stands where none can: a heading below a ticket, a ticket after a "
        "heading.",
    )
