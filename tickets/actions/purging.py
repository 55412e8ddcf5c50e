"""Deleting for good: what must not be kept any more. The journal keeps the last state of every row that goes."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from core.work import wake
from incidents.models import Incident
from people.actions.drafts import forget_below
from tickets import tree
from tickets.actions.handovers import named
from tickets.models import (
    ENDED,
    Attachment,
    Blocker,
    Chore,
    ChoreKind,
    Comment,
    Handover,
    HandoverState,
    Ticket,
    TimeEntry,
)


@action
def delete_branch(*, actor: Actor, ticket: Ticket, reason: str, closed: bool = False) -> list[int]:
    """Delete a ticket and everything below it for good: what is said and being written on them, files, time,
    watchers. Gives the numbers.

    Rows of history stay (PostgreSQL refuses to delete them), sealed by this one entry. `closed` says that whoever asks
    knows that the incident is closed: an order to delete does not wait for it to be opened again.

    Raises:
        ValidationError: no reason is given, the incident is closed (and that was not said), or the ticket is gone.
    """
    incident = Incident.objects.lock(ticket.incident_id)
    if not incident.is_open and not closed:
        raise ValidationError({"closed": f"{incident.number} is closed: say that its tickets go all the same."})
    if not reason.strip():
        raise ValidationError({"reason": "Say on whose order, and why: the journal will be all that is left."})
    top = tree.fresh(incident, ticket.number)
    if top.parent_id is None:
        raise ValidationError("The incident itself cannot be deleted.")
    data, branch = _last_state(top), Ticket.objects.all().branch(top)
    keys = list(Attachment.objects.filter(ticket__in=branch).values_list("key", flat=True))
    data |= {"freed": free} if (free := _free(branch)) else {}
    _let_go(actor, incident, branch)
    for model in (Comment, Attachment, TimeEntry):
        model._default_manager.filter(ticket__in=branch).delete()
    forget_below(f"{incident.get_absolute_url()}tickets/", [f"{number}/" for number in data["tickets"]])
    tree.remove(incident, top.number)
    journal.record("ticket.deleted", actor=actor, subject=top, changed=False, reason=reason.strip(), **data)
    if keys:
        person = actor.pk if actor.actor_kind == "user" else None
        wake(Chore.objects.create(kind=ChoreKind.FILES, data={"keys": keys}, asked_by_id=person))
    numbers: list[int] = data["tickets"]
    return numbers


def _last_state(top: Ticket) -> dict[str, Any]:
    """What the entry says of the rows that go, by the tickets' numbers; texts stand in the history rows it seals."""
    branch = Ticket.objects.all().branch(top)
    rows = list(branch.prefetch_related("tags"))
    inside = Q(ticket__in=branch)
    files = Attachment.objects.filter(inside).values_list("ticket__number", "name", "size", "sha256")
    comments = Comment.objects.filter(inside).values_list("ticket__number", "pk", "author")
    times = TimeEntry.objects.filter(inside).values_list("ticket__number", "user", "minutes", "day")
    waits = Blocker.objects.filter(inside | Q(by__in=branch)).values_list("ticket__number", "by__number")
    number = {row.pk: row.number for row in rows}
    return {
        "tickets": [row.number for row in rows],
        "last": {
            row.number: {
                "title": row.title, "status": row.status, "assignee": row.assignee_id,
                "below": number.get(row.parent_id or 0), "tags": sorted(tag.name for tag in row.tags.all()),
            }
            for row in rows
        },
        "comments": [*map(list, comments)], "files": [*map(list, files)], "times": [*map(list, times)],
        "waits": [*map(list, waits)],
    }  # fmt: skip


def _free(branch: QuerySet[Ticket]) -> list[int]:
    """Numbers of the open tickets outside that wait for nothing but what is in the branch and what has ended."""
    waiting = Ticket.objects.filter(blockers__by__in=branch).exclude(pk__in=branch).exclude(category__in=ENDED)
    still = Blocker.objects.exclude(by__in=branch).exclude(by__category__in=ENDED).values("ticket")
    return sorted(waiting.exclude(pk__in=still).values_list("number", flat=True).distinct())


def _let_go(actor: Actor, incident: Incident, branch: QuerySet[Ticket]) -> None:
    """Offers of nothing but its tickets end, each with its own entry; leads that grew from the branch forget it.

    The offers come first: an entry answers for all history written before it, and the leads belong to the deletion.
    """
    elsewhere = Ticket.objects.filter(incident=incident).exclude(pk__in=branch)
    offers = Handover.objects.waiting().filter(tickets__in=branch).exclude(tickets__in=elsewhere).distinct()
    for offer in offers.prefetch_related("tickets"):
        offer.incident = incident
        _withdraw(actor, offer, "Its tickets were deleted.")
    for one in Ticket.objects.filter(origin__in=branch).exclude(pk__in=branch):
        one.incident = incident
        one.apply({"origin": None})


def _withdraw(actor: Actor, offer: Handover, answer: str) -> None:
    """End the offer with the entry that taking it back has; the incident is locked already, and may be closed."""
    offer.state, offer.answer, offer.answered_at = HandoverState.WITHDRAWN, answer, timezone.now()
    offer.save(update_fields=["state", "answer", "answered_at"])
    numbers = sorted(ticket.number for ticket in offer.tickets.all())
    journal.record(
        "handover.withdrawn", actor=actor, subject=offer, giver=offer.giver_id, receiver=offer.receiver_id,
        user=offer.receiver_id, tickets=numbers, named=named(numbers), reason=answer,
    )  # fmt: skip
