"""The tree of an incident: the only module that writes where a ticket stands.

Discipline: lock the incident's row, load node and target fresh after that, move with `move_to`, and let the transaction
end. A lock with objects loaded before it still corrupts the numbers (measured); so does a second writer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Case, Count, F, Max, Min, Q, When
from django.utils import timezone

from core import keys
from core.actions import keep_together
from incidents.models import Incident
from incidents.models.guards import require_open
from tickets.models.tickets import ROOT_NUMBER, Ticket
from tickets.models.vocabulary import ENDED, Category

DEEPEST = 50


def lock(incident_id: int) -> Incident:
    """The incident, locked, fresh and open; every change of its tree begins here."""
    incident = Incident.objects.lock(incident_id)
    require_open(incident)
    return incident


def fresh(incident: Incident, number: int) -> Ticket:
    """A ticket of this incident as it is now, under the lock.

    Raises:
        ValidationError: it is gone, or belongs to another incident.
    """
    found = Ticket.objects.filter(incident=incident, number=number).first()
    if found is None:
        raise ValidationError(f"#{number} is no longer in this incident.", code="gone")
    found.incident = incident
    return found


def root(incident: Incident) -> Ticket:
    """The row that stands for the incident, made with its first ticket; its tree_id is the incident's key."""
    found = Ticket.objects.filter(incident=incident, parent=None).first()
    if found is None:
        found = Ticket(
            incident=incident, number=ROOT_NUMBER, title=incident.title, lft=1, rght=2, level=0, tree_id=incident.pk
        )
        found.save(force_insert=True)
    return found


def add(
    incident: Incident, *, parent: int | None, before: int | None = None, after: int | None = None, **fields: Any
) -> Ticket:
    """A new ticket, last below `parent` (a ticket's number; None is the top) or just before or after a sibling.

    Raises:
        ValidationError: the parent is gone, or the tree would be deeper than 50 levels.
    """
    above = fresh(incident, parent) if parent else root(incident)
    require_depth(above.level + 1)
    number = incident.last_ticket + 1
    Incident.objects.filter(pk=incident.pk).update(last_ticket=number)
    incident.last_ticket = number
    ticket = Ticket(incident=incident, number=number, parent=above, **fields)
    ticket.save(force_insert=True)
    if before or after:
        ticket = move(incident, number=number, parent=above.number, before=before, after=after)
    recount(incident)
    return ticket


def plant(
    incident: Incident, *, parent: int | None, nodes: Sequence[tuple[int, Mapping[str, Any]]]
) -> tuple[list[Ticket], list[models.Model]]:
    """A whole branch at once, last below `parent` (None: at the top), and its history: room is made for it once.

    `nodes` are depth (1 is right below the parent) and fields of each ticket, every one before those below it. The
    number of queries grows with the size only as far as one statement takes so many values.

    Raises:
        ValidationError: the parent is gone, or the tree would be deeper than 50 levels.
    """
    above = fresh(incident, parent) if parent else root(incident)
    if not nodes:
        return [], []
    require_depth(above.level + max(depth for depth, _ in nodes))
    rows: models.QuerySet[Ticket] = models.QuerySet(Ticket)  # Ticket.objects adds nothing in bulk
    places = rows.filter(tree_id=above.tree_id)
    width = 2 * len(nodes)
    later = Case(
        When(lft__gt=above.rght, then=F("lft") + width), default=F("lft"), output_field=models.PositiveIntegerField()
    )
    places.filter(rght__gte=above.rght).update(rght=F("rght") + width, lft=later)
    made = _rows_of(incident, above, nodes)
    rows.bulk_create(made)
    kept = keep_together(made)
    recount(incident, last_ticket=incident.last_ticket + len(made))
    return made, kept


def _rows_of(incident: Incident, above: Ticket, nodes: Sequence[tuple[int, Mapping[str, Any]]]) -> list[Ticket]:
    """The tickets of a branch as they will stand, from the right edge of what they stand below on."""
    edge, number = above.rght, incident.last_ticket
    line, made = [above], []
    for key, (depth, fields) in zip(keys.taken(Ticket, len(nodes)), nodes, strict=True):
        while len(line) > depth:
            line.pop().rght = edge
            edge += 1
        number += 1
        row = Ticket(
            pk=key, incident=incident, number=number, parent=line[-1], level=above.level + depth,
            tree_id=above.tree_id, lft=edge, **fields,
        )  # fmt: skip
        edge += 1
        line.append(row)
        made.append(row)
    while len(line) > 1:
        line.pop().rght = edge
        edge += 1
    return made


def require_depth(level: int) -> None:
    """Refuse trees nobody can read."""
    if level > DEEPEST:
        raise ValidationError(f"A tree has at most {DEEPEST} levels: put this ticket higher up.", code="too_deep")


def following(ticket: Ticket) -> int | None:
    """The number of the next sibling, or None for the last one."""
    later = Ticket.objects.filter(parent_id=ticket.parent_id, lft__gt=ticket.lft).order_by("lft")
    return later.values_list("number", flat=True).first()


def move(
    incident: Incident,
    *,
    number: int,
    parent: int | None,
    before: int | None = None,
    after: int | None = None,
    first: bool = False,
) -> Ticket:
    """Put a branch below `parent`: last, first, or just before or after a sibling; the incident is locked already.

    Raises:
        ValidationError: under itself or its own branch, too deep, or the sibling stands elsewhere.
    """
    node = fresh(incident, number)
    above = fresh(incident, parent) if parent else root(incident)
    if node.parent_id is None:
        raise ValidationError("The incident itself cannot be moved.", code="root")
    if above.pk == node.pk or (node.lft <= above.lft and above.rght <= node.rght):
        raise ValidationError(f"#{node.number} cannot go below itself.", code="cycle")
    deepest = Ticket.objects.filter(tree_id=node.tree_id, lft__gte=node.lft, rght__lte=node.rght).aggregate(
        Max("level")
    )
    require_depth(above.level + 1 + deepest["level__max"] - node.level)
    neighbour = before or after
    sibling = fresh(incident, neighbour) if neighbour else None
    if sibling and sibling.parent_id != above.pk:
        raise ValidationError(f"#{sibling.number} is not below {place(above)} any more.", code="moved")
    goal, side = (
        (sibling, "left" if before else "right") if sibling else (above, f"{'first' if first else 'last'}-child")
    )
    if _stands(node, goal, side):
        return node
    node.version += 1  # saved by move_to with the place, as one row of history
    node.move_to(goal, side)
    return fresh(incident, number)


def _stands(node: Ticket, goal: Ticket, side: str) -> bool:
    """Whether the node is where it should go: a move to its own place is no change."""
    at = {
        "left": goal.lft == node.rght + 1,
        "right": goal.rght == node.lft - 1,
        "first-child": goal.lft == node.lft - 1,
        "last-child": goal.rght == node.rght + 1,
    }
    return goal.pk == node.pk or at[side]


def place(above: Ticket) -> str:
    """What a parent is called: the root is the top of the tree."""
    return f"#{above.number}" if above.parent_id else "the top"


def hand_over(source: Incident, target: Incident, *, below: Ticket) -> dict[int, int]:
    """Move the whole tree of `source` below a ticket of `target`, both locked; gives old number → new number."""
    numbers: dict[int, int] = {}
    top = root(source)
    for pk in list(Ticket.objects.filter(parent=top).order_by("lft").values_list("pk", flat=True)):
        node = Ticket.objects.get(pk=pk)
        branch = list(node.get_descendants(include_self=True).values_list("pk", flat=True))
        require_depth(below.level + 1 + max(Ticket.objects.filter(pk__in=branch).values_list("level", flat=True)) - 1)
        node.move_to(Ticket.objects.get(pk=below.pk), "last-child")
        for moved in Ticket.objects.filter(pk__in=branch).order_by("lft"):
            target.last_ticket += 1
            numbers[moved.number] = target.last_ticket
            moved.incident, moved.number = target, target.last_ticket
            moved.save(update_fields=["incident", "number"])
    Incident.objects.filter(pk=target.pk).update(last_ticket=target.last_ticket)
    recount(source)
    recount(target)
    return numbers


def remove(incident: Incident, number: int) -> None:
    """Delete a branch whose tickets nothing rests on any more, and close the gap; the incident is locked already.

    From the leaves upwards, level by level, so that nobody stands below a parent that is gone.
    """
    top = fresh(incident, number)
    rows: models.QuerySet[Ticket] = models.QuerySet(Ticket)  # Ticket.objects deletes nothing
    below = rows.filter(tree_id=top.tree_id, lft__gt=top.lft, rght__lt=top.rght)
    deepest = below.aggregate(Max("level"))["level__max"] or top.level
    for level in range(deepest, top.level, -1):
        below.filter(level=level).delete()
    top.delete()  # its place is still as wide as the branch was: this closes all of it
    recount(incident)


def recount(incident: Incident, **more: int) -> None:
    """Bring the counts that lists show up to date, from the rows themselves; `more` are columns to set with them."""
    ended, lead = Q(category__in=ENDED), Q(lead=True)
    counts = Ticket.objects.filter(incident=incident, parent__isnull=False).aggregate(
        tickets_total=Count("pk"),
        tickets_done=Count("pk", filter=ended),
        leads_total=Count("pk", filter=lead),
        leads_done=Count("pk", filter=lead & (~Q(disposition="") | Q(category=Category.DROPPED))),
        next_due_at=Min("clock_at", filter=~ended),
    )
    counts |= {"updated_at": timezone.now(), **more}
    Incident.objects.filter(pk=incident.pk).update(**counts)
    for name, value in counts.items():
        setattr(incident, name, value)
