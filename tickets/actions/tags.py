"""Tags of a ticket: words that it is found by, the same ones that incidents have."""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.actions.incidents import clean_tags
from incidents.models import Tag
from tickets.actions.steps import locked
from tickets.models import Ticket

MOST_TAGS = 20  # on one ticket


@action
def set_tags(
    *, actor: Actor, ticket: Ticket, tags: Iterable[str], seen: Iterable[str] | None = None, undoes: int | None = None
) -> Ticket:
    """Make the ticket's tags exactly these; with `seen` only what differs from that, so tags of others stay as well.

    Raises:
        ValidationError: the incident is closed, or there would be more than 20.
    """
    ticket = locked(ticket)
    before = tags_of(ticket)
    wanted = set(clean_tags(tags))
    known = set(before if seen is None else clean_tags(seen))
    names = sorted(set(before) - (known - wanted) | (wanted - known))
    if names == before:
        return ticket
    if len(names) > MOST_TAGS:
        raise ValidationError({"tags": f"At most {MOST_TAGS} tags (#{ticket.number} would have {len(names)})."})
    ready(names)
    ticket.tags.set(Tag.objects.filter(name__in=names))
    Ticket.objects.filter(pk=ticket.pk).update(updated_at=timezone.now())
    back: dict[str, Any] = {"undoes": undoes} if undoes else {}
    journal.record("ticket.tagged", actor=actor, subject=ticket, changed=False, old=before, new=names, **back)
    return ticket


def ready(names: Iterable[str]) -> None:
    """Add the tags among these that there are not yet (inside an action that journals what it does with them).

    All at once and in order, before any of them is used: two transactions that add the same names in different orders,
    ticket by ticket, would wait for each other.
    """
    wanted = clean_tags(names)
    known = set(Tag.objects.filter(name__in=wanted).values_list("name", flat=True))
    if missing := [name for name in wanted if name not in known]:
        Tag.objects.bulk_create([Tag(name=name) for name in missing], ignore_conflicts=True)


def tags_of(ticket: Ticket) -> list[str]:
    """Their names, in order."""
    return sorted(ticket.tags.values_list("name", flat=True))
