"""The steps of a runbook as a page shows them, and what a draft of any kind would look like."""

from collections.abc import Iterator
from dataclasses import dataclass

from core import markdown
from incidents.models import Role
from runbooks import links, tasklines
from runbooks.tasklines import Task

MOST_SHOWN = 500
_ROLES = {str(value): str(label) for value, label in Role.choices}


@dataclass(frozen=True)
class StepRow:
    """One line: its place (2.1), how deep it stands, and the ticket it becomes; a sub-playbook has only a slug."""

    place: str
    depth: int
    task: Task
    who: str
    words: str

    @property
    def is_group(self) -> bool:
        """Whether it stands for those below it."""
        return self.task.kind == "group" or bool(self.task.children)


def rows(document: tasklines.Document) -> list[StepRow]:
    """All of them, in order."""
    return list(_rows(document.tasks, "", 0))


def _rows(tasks: tuple[Task, ...], above: str, depth: int) -> Iterator[StepRow]:
    for number, task in enumerate(tasks, 1):
        place = f"{above}{number}"
        who = _ROLES.get(task.who.lower().replace("-", "_"), task.who)
        yield StepRow(place, depth, task, who, markdown.plain(links.worded(task.description), 140))
        yield from _rows(task.children, f"{place}.", depth + 1)
