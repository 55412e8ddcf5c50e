"""Is every tree sound? Recomputed from parent links, never from the numbers it checks."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from incidents.models import Incident
from tickets import clocks
from tickets.models.tickets import Ticket
from tickets.models.vocabulary import ENDED, Category


@dataclass(frozen=True)
class Node:
    """The columns of a ticket that make the tree."""

    pk: int
    number: int
    parent_id: int | None
    incident_id: int
    tree_id: int
    lft: int
    rght: int
    level: int


def _nodes(incident_id: int) -> list[Node]:
    columns = ("pk", "number", "parent_id", "incident_id", "tree_id", "lft", "rght", "level")
    return [Node(*row) for row in Ticket.objects.filter(incident_id=incident_id).order_by("lft").values_list(*columns)]


def _walk(
    node: Node, children: dict[int | None, list[Node]], lft: int, level: int
) -> Iterator[tuple[Node, int, int, int]]:
    """Every node below, with the numbers it should have (depth first, without recursion)."""
    stack: list[tuple[Node, int, Iterator[Node], int]] = [(node, lft, iter(children[node.pk]), level)]
    at = lft
    while stack:
        one, left, rest, depth = stack[-1]
        child = next(rest, None)
        at += 1
        if child is not None:
            stack.append((child, at, iter(children[child.pk]), depth + 1))
        else:
            yield one, left, at, depth
            stack.pop()


def broken(incident: Incident) -> Iterator[str]:
    """What is wrong with the tree of one incident, in words; nothing if it is sound."""
    nodes = _nodes(incident.pk)
    if not nodes:
        return
    name, known = incident.number, {node.pk: node for node in nodes}
    roots = [node for node in nodes if node.parent_id is None]
    if len(roots) != 1:
        yield f"{name}: {len(roots)} roots"
        return
    yield from (
        f"{name} #{n.number}: in tree {n.tree_id} of another incident" for n in nodes if n.tree_id != incident.pk
    )
    yield from (
        f"{name} #{n.number}: its parent is not in this incident"
        for n in nodes
        if n.parent_id and n.parent_id not in known
    )
    children: dict[int | None, list[Node]] = defaultdict(list)
    for node in nodes:
        children[node.parent_id].append(node)
    reached = set()
    for node, lft, rght, level in _walk(roots[0], children, 1, 0):
        reached.add(node.pk)
        if (node.lft, node.rght, node.level) != (lft, rght, level):
            found = f"{node.lft}–{node.rght} level {node.level}"
            yield f"{name} #{node.number}: numbered {found}, should be {lft}–{rght} level {level}"
    yield from (f"{name} #{n.number}: cannot be reached from the root (a circle)" for n in nodes if n.pk not in reached)
    yield from _miscounted(incident)
    yield from clocks.broken(incident)


def _miscounted(incident: Incident) -> Iterator[str]:
    rows = Ticket.objects.filter(incident=incident, parent__isnull=False).values_list(
        "category", "lead", "disposition", "clock_at"
    )
    found = {
        "tickets_total": len(rows),
        "tickets_done": sum(category in ENDED for category, *_ in rows),
        "leads_total": sum(lead for _, lead, *_ in rows),
        "leads_done": sum(
            lead and (bool(result) or category == Category.DROPPED) for category, lead, result, _ in rows
        ),
        "next_due_at": min((at for category, *_, at in rows if at and category not in ENDED), default=None),
    }
    for field, value in found.items():
        if getattr(incident, field) != value:
            yield f"{incident.number}: {field} says {getattr(incident, field)}, there are {value}"
