"""From tickets back to task lines: a branch as a runbook, and a run as the next version of its runbook.

What stands in the tree is turned into tasks; `fitting` brings them into an order that a text can have (a heading below
a ticket cannot be written), so that reading the text gives the same branch.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.core.exceptions import ValidationError

from incidents.actions.incidents import clean_tags
from runbooks import blocks, tasklines
from runbooks.filling import filled
from runbooks.models import Automation, Run, RunStep, Version
from runbooks.tasklines import Document, Kind, Task, TaskLinesRefused, render
from tickets.actions.quick import MOST_TITLE
from tickets.models import Category, Ticket

TAG = re.compile(r"[^\W\d_](?:[^\W_]|-)*")
MOST_TAGS = 20
MOST_REASONS = 5
DEEPEST_HEADING = 6
SAID = {
    "title": "title", "description": "text", "who": "person or role", "minutes": "time limit", "lead": "lead mark",
    "tags": "tags", "shared": "sharing with the customer", "action": "automation",
}  # fmt: skip
"""What a line says of its ticket, in the words of whoever looks at what was changed."""


@dataclass
class Node:
    """A ticket of the branch, with all that a line says of it, and what it was written as if it came from a run."""

    ticket: Ticket
    tags: Sequence[str] = ()
    roles: Sequence[str] = ()  # of its assignee in this incident, the weightiest first
    began_with: int | None = None  # the key of who had it when it was inserted
    automation: Automation | None = None
    step: RunStep | None = None
    values: Mapping[str, str] = field(default_factory=dict)  # of that run
    inserted: Run | None = None  # the run that it is the top of
    text: Document | None = None  # of the runbook that it is the top of, by a sub-playbook or a run, as it was inserted
    children: list["Node"] = field(default_factory=list)

    @property
    def runbook(self) -> Version | None:
        """The version that it is the top of."""
        if self.step is not None and self.step.part is not None:
            return self.step.part
        return self.inserted.of if self.inserted is not None else None


def task_of(node: Node, written: Mapping[str, Task] | None = None) -> Task:
    """The ticket as a task, nothing done. `written` are the lines of the version it came from, by place."""
    line = written.get(node.step.place) if written and node.step else None
    if node.runbook is not None:
        if next(changes(node), None) is None:
            return Task(kind="runbook", slug=node.runbook.document.slug)
        line = _top_of(node)
    return replace(
        _alone(node, line), kind=line.kind if line is not None and line.kind == "group" else "task",
        children=tuple(task_of(child, written) for child in node.children),
    )  # fmt: skip


def _alone(node: Node, line: Task | None) -> Task:
    """What a line can say of this ticket; as its `line` says it, where that means the same."""
    ticket, tags = node.ticket, _tags(node.tags)
    written = (node.step.title, node.step.text) if node.step else (line.title, line.description) if line else ("", "")
    return Task(
        title=_restored(written[0], node, ticket.title, most=MOST_TITLE),
        description=_restored(written[1], node, ticket.description).strip(), who=_who(node),
        minutes=ticket.time_limit, lead=ticket.lead, shared=ticket.shared,
        tags=line.tags if line is not None and clean_tags(line.tags) == clean_tags(tags) else tags,
        action=_action(node.automation, line.action if line is not None else None),
    )  # fmt: skip


def _top_of(node: Node) -> Task:
    """The line that the top of a runbook would have; it has none, and so it says a title and a text alone."""
    title = node.step.title if node.step else node.runbook.document.title if node.runbook else node.ticket.title
    return Task(title=title, description=node.text.introduction if node.text else "")


def introduction(top: Node) -> str:
    """The text of a runbook that is made of what is below this ticket."""
    return _alone(top, _top_of(top)).description


def _action(automation: Automation | None, written: tasklines.Automation | None) -> tasklines.Automation | None:
    if automation is None:
        return None
    if written is not None:
        columns = blocks.columns(written)
        if columns == {name: getattr(automation, name) for name in columns}:
            return written
    return blocks.block(automation)


# -- What was changed in a runbook that stands in the branch ----------------------------------------------------------
def written_out(node: Node) -> Iterator[str]:
    """Of each runbook below that is written out because it is not as it was inserted: why, in words."""
    for child in node.children:
        if child.runbook is not None and (why := list(changes(child))):
            more = f" and {len(why) - MOST_REASONS} more" if len(why) > MOST_REASONS else ""
            yield (
                f"“{child.runbook.document.title}” is written out, since it is not as it was inserted: "
                f"{'; '.join(why[:MOST_REASONS])}{more}. To leave it as it is, write "
                f"![[runbook:{child.runbook.document.slug}]] in the place of its steps."
            )
        yield from written_out(child)


def unsaid(top: Node) -> str:
    """What a runbook made of the tickets below this one cannot say of it, in words: only its text stands in one."""
    names = [name for name in _differing(top, _top_of(top)) if name not in ("title", "description")]
    said = f"#{top.ticket.number} stands for the runbook itself, which has no {_listed(names)}: that is left out."
    return said if names else ""


def changes(node: Node) -> Iterator[str]:
    """How the runbook that stands here differs from what was inserted, in words; nothing where it is the same."""
    run = node.step.run_id if node.step is not None else node.inserted.pk if node.inserted is not None else 0
    if node.text is None:
        yield f"#{node.ticket.number} cannot be compared any more"
        return
    yield from _changed(node, _top_of(node))
    yield from _changed_below(node, node.text.tasks, run, node.step.place if node.step is not None else "")


def _changed_below(node: Node, lines: Sequence[Task], run: int, above: str) -> Iterator[str]:
    """Whether the steps 1, 2, 3 … of the run at this place stand below, and no others; all below them too."""
    places = [f"{above}.{number}" if above else str(number) for number, _ in enumerate(lines, 1)]
    found = {child.step.place: child for child in node.children if child.step is not None and child.step.run_id == run}
    here = [child.step.place for child in found.values() if child.step is not None and child.step.place in places]
    if here != [place for place in places if place in found]:
        yield f"the steps below #{node.ticket.number} have another order"
    for place, line in zip(places, lines, strict=True):
        child = found.get(place)
        if child is None:
            yield f"step {place} is not there"
        elif line.kind == "runbook":
            yield from changes(child)
        else:
            yield from _changed(child, line)
            yield from _changed_below(child, line.children, run, place)
    for child in node.children:
        if child.step is None or found.get(child.step.place) is not child or child.step.place not in places:
            yield f"#{child.ticket.number} is new there"


def _changed(node: Node, line: Task) -> Iterator[str]:
    if node.ticket.category == Category.DROPPED:
        yield f"#{node.ticket.number} was dropped"
    elif names := _differing(node, line):
        yield f"#{node.ticket.number} has another {_listed(names)}"


def _differing(node: Node, line: Task) -> list[str]:
    alone = _alone(node, line)
    return [name for name in SAID if getattr(alone, name) != getattr(line, name)]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(SAID[name] for name in names)


# -- Text -------------------------------------------------------------------------------------------------------------
def fitting(tasks: Sequence[Task], *, may_head: bool = True, level: int = 1) -> tuple[Task, ...]:
    """The tasks in an order that can be written: headings only at the top or in headings, and last beside tickets."""
    first = next((at for at, task in enumerate(tasks) if task.kind == "group"), len(tasks))
    heads = may_head and level < DEEPEST_HEADING and all(task.kind != "runbook" for task in tasks[first:])
    found = []
    for at, task in enumerate(tasks):
        kind: Kind = "group" if heads and at >= first else "task"
        if task.kind == "runbook":
            found.append(task)
            continue
        below = fitting(task.children, may_head=kind == "group", level=level + 1)
        found.append(replace(task, kind=kind, children=below))
    return tuple(found)


def text_of(introduction: str, tasks: Sequence[Task]) -> str:
    """The text that reads as these tasks.

    Raises:
        ValidationError: a title cannot be written as a line.
    """
    try:
        return render(Document(tasks=fitting(tasks), introduction=introduction.strip()))
    except TaskLinesRefused:
        plain = fitting(tasks, may_head=False)  # without headings more can be said
    try:
        return render(Document(tasks=plain, introduction=introduction.strip()))
    except TaskLinesRefused as refused:
        raise ValidationError(f"This branch cannot be written as text. {refused.errors[0].message}") from refused


def _restored(written: str, node: Node, now: str, *, most: int | None = None) -> str:
    """As it was written, where the ticket still says what that was filled with."""
    return written if filled(written, node.values, most=most) == now else now


def _who(node: Node) -> str:
    """The role that the assignee holds; what the step named, where the ticket is still whose it was, or nobody's.

    Roles pass from one to another while tickets stay: whoever got it as technical lead need not be that any more.
    """
    named, person = node.step.who if node.step else "", node.ticket.assignee
    if named and (
        person is None
        or person.pk == node.began_with
        or named.casefold() in (person.username.casefold(), person.email.casefold())
        or named.casefold().replace("-", "_") in node.roles
    ):
        return named
    return node.roles[0] if node.roles else ""


def _tags(names: Sequence[str]) -> tuple[str, ...]:
    """Those that a line can say."""
    fit = [name for name in names if TAG.fullmatch(name) and name.lower() != "lead"]
    return tuple(fit[:MOST_TAGS])
