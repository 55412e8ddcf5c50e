"""A branch made from text: all its tickets in one transaction, with one entry that names them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal, markdown
from core.actions import action
from core.actors import Actor
from incidents.actions.incidents import clean_tags
from incidents.models import Incident
from people.models import User
from tickets import clocks, tree
from tickets.actions.batches import Batch, ready
from tickets.actions.steps import MOST_TAGS
from tickets.models import Category, Ticket
from tickets.models.vocabulary import FIRST, NORMAL

MOST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Sprout:
    """One ticket to be; `depth` 1 is right below the parent. `minutes` is its time limit, `line` where it was read.

    `automated`: it will have an automation, which the room above gives it in the same transaction.
    """

    depth: int
    title: str
    description: str = ""
    done: bool = False
    assignee: User | None = None
    minutes: int | None = None
    lead: bool = False
    tags: tuple[str, ...] = field(default=())
    shared: bool = False
    automated: bool = False
    line: int = 0


@action
def plant_branch(*, actor: Actor, incident: Incident, parent: int | None, sprouts: Sequence[Sprout]) -> list[Ticket]:
    """Add all these tickets below the one numbered `parent` (None: at the top), each before those below it.

    Raises:
        ValidationError: the incident is closed, the parent is gone, the tree would be too deep, a lead is done without
            a result, a title, a description or the tags are too long, or somebody named does not work in this incident.
    """
    made, entry = branch(actor, incident, parent, sprouts)
    journal.record_many([entry], actor=actor, stream=incident.journal_stream)
    return made


def branch(
    actor: Actor, incident: Incident, parent: int | None, sprouts: Sequence[Sprout]
) -> tuple[list[Ticket], journal.Draft]:
    """As `plant_branch`, and the entry to be: for actions that write it together with their own."""
    if not sprouts:
        raise ValidationError("There is no ticket in this text.")
    for one in sprouts:
        _require_sound(one)
    # It takes its time: before others wait for the lock.
    rendered = [markdown.stored(one.description, wiki=Ticket.wiki) for one in sprouts]
    incident = tree.lock(incident.pk)
    known = Batch(actor, incident)
    known.require_workers(one.assignee for one in sprouts)
    made, kept = tree.plant(incident, parent=parent, nodes=_nodes(known, sprouts, rendered))
    _tag(made, sprouts)
    said = {
        "parent": parent, "tickets": [row.number for row in made],
        "assigned": [[row.number, row.assignee_id] for row in made if row.assignee_id],
        "tags": sorted({tag for one in sprouts for tag in clean_tags(one.tags)}),
    }  # fmt: skip
    return made, journal.Draft("tickets.planted", incident, said, changed=False, written=kept)


def _require_sound(one: Sprout) -> None:
    if not one.title.strip() or len(one.title) > MOST_TITLE:
        raise ValidationError(f"A title has at least one and at most {MOST_TITLE} characters: {one.title[:40]}…")
    if len(one.description) > markdown.LIMIT:
        raise ValidationError(f"A description has at most {markdown.LIMIT:,} characters: {one.title}")
    if one.lead and one.done:
        raise ValidationError(f"A lead is done with a result, which a line cannot say: {one.title}")
    if len(clean_tags(one.tags)) > MOST_TAGS:
        raise ValidationError(f"At most {MOST_TAGS} tags: {one.title}")


def _nodes(known: Batch, sprouts: Sequence[Sprout], rendered: Sequence[str]) -> list[tuple[int, dict[str, Any]]]:
    """Depth and columns of each, clocks wound; `rendered` are their descriptions as `markdown.stored` gives them."""
    now = timezone.now()
    priority, target = known.priority(NORMAL), known.target(NORMAL)
    by = known.actor.pk if known.actor.actor_kind == "user" else None
    found = []
    for one, html in zip(sprouts, rendered, strict=True):
        fields: dict[str, Any] = {
            "title": one.title, "description": one.description, "description_html": html,
            "assignee": one.assignee, "priority": priority.code, "urgency": priority.urgency, "lead": one.lead,
            "lead_at": now if one.lead else None, "shared": one.shared, "time_limit": one.minutes, "created_at": now,
            "created_by_id": by, "automated": one.automated,
        }  # fmt: skip
        if one.done:
            done = known.status(FIRST[Category.DONE])
            fields |= {"status": done.code, "category": done.category, "started_at": now, "finished_at": now}
        found.append((one.depth, fields | clocks.wound(Ticket(), target, now, **fields)))
    return found


def _tag(made: Sequence[Ticket], sprouts: Sequence[Sprout]) -> None:
    wanted = [(row.pk, clean_tags(one.tags)) for row, one in zip(made, sprouts, strict=True) if one.tags]
    names = {name for _, tags in wanted for name in tags}
    if not names:
        return
    keys = ready(names)
    ties = Ticket.tags.through
    ties.objects.bulk_create([ties(ticket_id=pk, tag_id=keys[name]) for pk, tags in wanted for name in tags])
