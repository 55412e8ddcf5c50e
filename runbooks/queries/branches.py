"""A branch with all that its text will say: tags, roles of assignees, automations, the steps its tickets came from."""

from collections import defaultdict
from collections.abc import Iterable

from django.core.exceptions import ValidationError

from incidents.models import Incident, Role, RoleAssignment
from runbooks.branches import Node, task_of, text_of
from runbooks.expansion import book, expand, library
from runbooks.models import Automation, Run, RunStep, Version, VersionState
from runbooks.tasklines import Task
from tickets.models import Category, Ticket


def node_of(top: Ticket, *, dropped: bool = True) -> Node:
    """The ticket with everything below it; without `dropped`, dropped tickets and all below them are left out."""
    top = Ticket.objects.select_related("incident").get(pk=top.pk)  # where it stands now
    tickets = list(Ticket.objects.branch(top).select_related("assignee").prefetch_related("tags"))
    roles = _roles(top.incident)
    automations = {one.ticket_id: one for one in Automation.objects.filter(ticket__in=tickets)}
    inserted = {one.ticket_id: one for one in Run.objects.filter(ticket__in=tickets).select_related("of__document")}
    sizes = _sizes([one.of for one in inserted.values()])
    steps: dict[int | None, RunStep] = {}
    for one in RunStep.objects.filter(ticket__in=tickets).select_related("part__document").order_by("pk"):
        steps[one.ticket_id] = one
    sizes |= _sizes([one.part for one in steps.values() if one.part])
    nodes: dict[int, Node] = {}
    for ticket in tickets:
        step, run = steps.get(ticket.pk), inserted.get(ticket.pk)
        part = step.part if step and step.part else run.of if run else None
        node = Node(
            ticket=ticket, tags=_tags_of(ticket), role=roles.get(ticket.assignee_id or 0, ""), step=step,
            automation=automations.get(ticket.pk), values=step.run.values if step else {},
            inserted=run if ticket.pk != top.pk else None, size=sizes.get(part.pk) if part else None,
        )  # fmt: skip
        above = nodes.get(ticket.parent_id or 0)
        if ticket.pk != top.pk and (above is None or (ticket.category == Category.DROPPED and not dropped)):
            continue
        nodes[ticket.pk] = node
        if above is not None and ticket.pk != top.pk:
            above.children.append(node)
    return nodes[top.pk]


def _sizes(versions: Iterable[Version]) -> dict[int, int]:
    """How many steps each of these versions has below its top; none where it cannot be read any more."""
    found: dict[int, int] = {}
    for version in versions:
        if version.pk in found:
            continue
        try:
            one = book(version)
            found[version.pk] = len(expand(one, library(one))) - 1
        except ValidationError:
            continue
    return found


def _tags_of(ticket: Ticket) -> list[str]:
    return [tag.name for tag in ticket.tags.all()]


def _roles(incident: Incident) -> dict[int, str]:
    """The weightiest role of each person that can be named in a line."""
    held = RoleAssignment.objects.filter(incident=incident, until=None).exclude(role__in=[Role.MEMBER, Role.OBSERVER])
    found: dict[int, list[str]] = defaultdict(list)
    for role, user in held.values_list("role", "user_id"):
        found[user].append(role)
    weight = {role: at for at, role in enumerate(Role.values)}
    return {user: min(roles, key=lambda role: weight[role]) for user, roles in found.items()}


def text_of_branch(top: Ticket, *, dropped: bool = True) -> str:
    """The branch as the text of a runbook: the top gives its introduction, what is below it the steps."""
    node = node_of(top, dropped=dropped)
    return text_of(top.description, [task_of(child) for child in node.children])


def text_of_run(run: Run, *, dropped: bool) -> str:
    """What the next version would be, from how the branch of the run stands now."""
    if run.ticket is None:
        return run.of.body
    node = node_of(run.ticket, dropped=dropped)
    top = book(run.of)
    introduction = top.text.introduction
    return text_of(introduction, [task_of(child, _lines(run)) for child in node.children])


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
