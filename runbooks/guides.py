"""A document as something to read: its Markdown; of a runbook, its steps with all that is told about them."""

from collections.abc import Iterator

from core import markdown
from runbooks import links
from runbooks.models import DocumentKind
from runbooks.tasklines import Task

MOST_DEEP = 4  # levels of headings
_SIGNS = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]#<>!|~"})


def text_of(kind: str, body: str) -> str:
    """The Markdown of the guide."""
    if kind != DocumentKind.RUNBOOK:
        return body
    document = links.read(body)
    parts = [document.introduction, *_steps(document.tasks, "", 0)]
    return "\n\n".join(part for part in parts if part)


def is_too_long(kind: str, body: str) -> bool:
    """Whether it cannot be shown as one text."""
    return len(text_of(kind, body)) > markdown.LIMIT


def stored(kind: str, body: str) -> str:
    """What belongs into the `body_html` of a version; empty for what is too long to be shown as one text."""
    text = text_of(kind, body)
    return markdown.stored(text, wiki=links.BASE) if len(text) <= markdown.LIMIT else ""


def _steps(tasks: tuple[Task, ...], above: str, depth: int) -> Iterator[str]:
    for number, task in enumerate(tasks, 1):
        place = f"{above}{number}"
        if task.kind == "runbook":
            yield f"**{place}** [[{task.slug}]]"
            continue
        title = f"{place} {task.title.translate(_SIGNS)}"
        yield f"{'#' * (depth + 1)} {title}" if depth < MOST_DEEP and _is_big(task) else f"**{title}**"
        yield task.description
        yield from _steps(task.children, f"{place}.", depth + 1)


def _is_big(task: Task) -> bool:
    return task.kind == "group" or bool(task.children)
