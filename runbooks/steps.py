"""The steps of a runbook as a page shows them, and what a draft of any kind would look like."""

from collections.abc import Iterator, Mapping
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
    median: str = ""  # how long it took, where that is known
    part: str = ""  # of a sub-playbook: its title, or its slug where there is none of that name

    @property
    def is_group(self) -> bool:
        """Whether it stands for those below it."""
        return self.task.kind == "group" or bool(self.task.children)


def rows(document: tasklines.Document, medians: Mapping[str, str]) -> list[StepRow]:
    """All of them, in order; `medians` are times by the written title."""
    return list(_rows(document.tasks, "", 0, medians))


def role_or_name(who: str) -> str:
    """Whom a line names, in words: a role by its name, a person by what they are called."""
    return _ROLES.get(who.lower().replace("-", "_"), who)


def _rows(tasks: tuple[Task, ...], above: str, depth: int, medians: Mapping[str, str]) -> Iterator[StepRow]:
    for number, task in enumerate(tasks, 1):
        place = f"{above}{number}"
        words = markdown.plain(links.worded(task.description), 140)
        yield StepRow(place, depth, task, role_or_name(task.who), words, medians.get(task.title, ""))
        yield from _rows(task.children, f"{place}.", depth + 1, medians)
