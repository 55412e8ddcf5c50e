"""A branch with all that its text will say: tags, roles of assignees, automations, the steps its tickets came from."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from incidents.models import Incident, Role, RoleAssignment
from runbooks.branches import Node, introduction, task_of, text_of, unsaid, written_out
from runbooks.expansion import book, expand, library
from runbooks.models import Automation, Run, RunStep, Version, VersionState
from runbooks.tasklines import Document, Task, TaskLinesRefused, render
from tickets.models import Category, Ticket


def node_of(top: Ticket, *, dropped: bool = True) -> Node:
    """The ticket with everything below it; without `dropped`, dropped tickets and all below them are left out."""
    top = Ticket.objects.select_related("incident").get(pk=top.pk)  # where it stands now
    tickets = list(Ticket.objects.branch(top).select_related("assignee").prefetch_related("tags"))
    roles = _roles(top.incident)
    automations = {one.ticket_id: one for one in Automation.objects.filter(ticket__in=tickets)}
    inserted = {one.ticket_id: one for one in Run.objects.filter(ticket__in=tickets).select_related("of__document")}
    steps: dict[int | None, RunStep] = {}
    for one in RunStep.objects.filter(ticket__in=tickets).select_related("part__document").order_by("pk"):
        steps[one.ticket_id] = one
    texts = _texts([*(one.of for one in inserted.values()), *(one.part for one in steps.values() if one.part)])
    began = _began_with(steps.keys())
    nodes: dict[int, Node] = {}
    for ticket in tickets:
        step, run = steps.get(ticket.pk), inserted.get(ticket.pk)
        node = Node(
            ticket=ticket, tags=_tags_of(ticket), roles=roles.get(ticket.assignee_id or 0, []), step=step,
            automation=automations.get(ticket.pk), values=step.run.values if step else run.values if run else {},
            inserted=run, began_with=began.get(ticket.pk),
        )  # fmt: skip
        node.text = texts.get(node.runbook.pk) if node.runbook else None
        above = nodes.get(ticket.parent_id or 0)
        if ticket.pk != top.pk and (above is None or (ticket.category == Category.DROPPED and not dropped)):
            continue
        nodes[ticket.pk] = node
        if above is not None and ticket.pk != top.pk:
            above.children.append(node)
    return nodes[top.pk]


def _texts(versions: Iterable[Version]) -> dict[int, Document]:
    """What is written in each; nothing where it cannot be read any more."""
    found: dict[int, Document] = {}
    for version in versions:
        try:
            found[version.pk] = book(version).text
        except ValidationError:
            continue
    return found


def _began_with(tickets: Iterable[int | None]) -> dict[int, int | None]:
    """The key of who had each of these tickets when it was made."""
    first = Ticket.history.filter(history_type="+", id__in=tickets)
    return dict(first.values_list("id", "assignee_id"))


def _tags_of(ticket: Ticket) -> list[str]:
    return [tag.name for tag in ticket.tags.all()]


def _roles(incident: Incident) -> dict[int, list[str]]:
    """The roles of each person that can be named in a line, the weightiest first."""
    held = RoleAssignment.objects.filter(incident=incident, until=None).exclude(role__in=[Role.MEMBER, Role.OBSERVER])
    found: dict[int, list[str]] = defaultdict(list)
    for role, user in held.values_list("role", "user_id"):
        found[user].append(role)
    return {user: sorted(roles, key=Role.values.index) for user, roles in found.items()}


@dataclass(frozen=True)
class Draft:
    """A text to look over, and what its reader should know of it that does not stand there."""

    text: str
    notes: list[str]


def draft_of_branch(top: Ticket, *, dropped: bool = True) -> Draft:
    """The branch as the text of a runbook: the top gives its introduction, what is below it the steps."""
    return _draft(node_of(top, dropped=dropped), {})


def draft_of_run(run: Run, *, dropped: bool) -> Draft:
    """What the next version would be, from how the branch of the run stands now."""
    if run.ticket is None:
        return Draft(run.of.body, [])
    return _draft(node_of(run.ticket, dropped=dropped), _lines(run))


def _draft(top: Node, lines: dict[str, Task]) -> Draft:
    text = text_of(introduction(top), [task_of(child, lines) for child in top.children])
    return Draft(text, list(filter(None, [*written_out(top), unsaid(top)])))


def _lines(run: Run) -> dict[str, Task]:
    """The lines of the version by their place, those of sub-playbooks left out."""
    top = book(run.of)
    steps = expand(top, library(top))
    return {step.place: step.task for step in steps if step.of is top and step.part is None}


def next_base(run: Run) -> Version:
    """What the next version is compared with: its draft, where somebody began one, else what is in force."""
    document = run.of.document
    draft = document.versions.filter(state=VersionState.DRAFT).first()
    return draft or document.active or run.of


def compared(base: Version) -> str:
    """Its text with markers where a branch is written with them, so that nothing differs but what was changed."""
    try:
        return render(book(base).text)
    except (ValidationError, TaskLinesRefused):
        return base.body
