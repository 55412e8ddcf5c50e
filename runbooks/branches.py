"""From tickets back to task lines: a branch as a runbook, and a run as the next version of its runbook.

What stands in the tree is turned into tasks; `fitting` brings them into an order that a text can have (a heading below
a ticket cannot be written), so that reading the text gives the same branch.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.core.exceptions import ValidationError

from runbooks import blocks
from runbooks.filling import filled
from runbooks.models import Automation, Run, RunStep
from runbooks.tasklines import Document, Kind, Task, TaskLinesRefused, render
from tickets.models import Category, Ticket

TAG = re.compile(r"[^\W\d_](?:[^\W_]|-)*")
MOST_TAGS = 20
DEEPEST_HEADING = 6


@dataclass
class Node:
    """A ticket of the branch, with all that a line says of it, and what it was written as if it came from a run."""

    ticket: Ticket
    tags: Sequence[str] = ()
    role: str = ""  # of its assignee in this incident
    automation: Automation | None = None
    step: RunStep | None = None
    values: Mapping[str, str] = field(default_factory=dict)  # of that run
    inserted: Run | None = None  # the run that it is the top of
    size: int | None = None  # how many steps the runbook has that it is the top of, by a sub-playbook or a run
    children: list["Node"] = field(default_factory=list)


def task_of(node: Node, written: Mapping[str, Task] | None = None) -> Task:
    """The ticket as a task, nothing done. `written` are the lines of the version it came from, by place."""
    ticket, step = node.ticket, node.step
    line = written.get(step.place) if written and step else None
    if part := part_of(node):
        return Task(kind="runbook", slug=part)
    return Task(
        title=_restored(step.title, node, ticket.title) if step else ticket.title,
        description=(_restored(step.text, node, ticket.description) if step else ticket.description).strip(),
        who=_who(node), minutes=ticket.time_limit, lead=ticket.lead, tags=_tags(node.tags), shared=ticket.shared,
        action=blocks.block(node.automation) if node.automation else None,
        kind=line.kind if line is not None and line.kind == "group" else "task",
        children=tuple(task_of(child, written) for child in node.children),
    )  # fmt: skip


def part_of(node: Node) -> str:
    """The name of the runbook that stands here just as it was inserted; empty where none does, or it was changed."""
    if node.step is not None and node.step.part is not None:
        slug, run, place = node.step.part.document.slug, node.step.run_id, node.step.place
        same = _is_same(node)
    elif node.inserted is not None:
        document = node.inserted.of.document
        slug, run, place = document.slug, node.inserted.pk, ""
        same = node.ticket.title == document.title and node.ticket.category != Category.DROPPED
    else:
        return ""
    return slug if same and node.size == _count(node) and _are_in_place(node.children, run, place) else ""


def _are_in_place(nodes: Sequence[Node], run: int, above: str) -> bool:
    """Whether these are the steps 1, 2, 3 … of the run at this place, none changed or dropped, all below them too."""
    for number, node in enumerate(nodes, 1):
        place = f"{above}.{number}" if above else str(number)
        if node.step is None or (node.step.run_id, node.step.place) != (run, place) or not _is_same(node):
            return False
        if not _are_in_place(node.children, run, place):
            return False
    return True


def _is_same(node: Node) -> bool:
    ticket, step = node.ticket, node.step
    if step is None or ticket.category == Category.DROPPED:
        return False
    title, text = filled(step.title, node.values, most=200), filled(step.text, node.values)
    return (title, text) == (ticket.title, ticket.description)


def _count(node: Node) -> int:
    return sum(1 + _count(child) for child in node.children)


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


def _restored(written: str, node: Node, now: str) -> str:
    """As it was written, where the ticket still says what that was filled with."""
    return written if filled(written, node.values) == now else now


def _who(node: Node) -> str:
    """The role that the assignee holds; what the step named, where the ticket has nobody else."""
    named, person = node.step.who if node.step else "", node.ticket.assignee
    if named and (
        person is None or named.casefold() in (person.username.casefold(), person.email.casefold(), node.role)
    ):
        return named
    return node.role


def _tags(names: Sequence[str]) -> tuple[str, ...]:
    """Those that a line can say."""
    fit = [name for name in names if TAG.fullmatch(name) and name.lower() != "lead"]
    return tuple(fit[:MOST_TAGS])
