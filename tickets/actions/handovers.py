"""Giving work to somebody else. Until they accept it, it stays with whom it was."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal, markdown
from core.actions import action
from core.actors import Actor
from incidents.models import Incident
from incidents.models.guards import require_open
from people.models import User
from tickets import tree
from tickets.models import Handover, HandoverState, Ticket

SHOWN = 5  # numbers that a sentence names


@dataclass(frozen=True)
class Taken:
    """What an acceptance gave to the receiver, and what it could not, as numbers."""

    taken: list[int]
    left: list[int]


def named(numbers: Iterable[int]) -> str:
    """ "#101, #102 and 7 more", for sentences."""
    found = sorted(numbers)
    words = ", ".join(f"#{number}" for number in found[:SHOWN])
    return f"{words} and {len(found) - SHOWN} more" if len(found) > SHOWN else words


def _owned(incident: Incident, numbers: Iterable[int], giver: User) -> list[Ticket]:
    """These tickets without the ended ones.

    Raises:
        ValidationError: one is gone, is somebody else's, or is offered to somebody already; or none is left.
    """
    wanted = set(numbers)
    rows = Ticket.objects.filter(incident=incident, number__in=wanted).without_root().order_by("number")
    if missing := wanted - {one.number for one in rows}:
        raise ValidationError(f"No longer in this incident: {named(missing)}.")
    found = [one for one in rows if not one.is_ended]
    if foreign := [one.number for one in found if one.assignee_id != giver.pk]:
        raise ValidationError(f"Not {giver}'s, and so not theirs to hand over: {named(foreign)}.")
    if not found:
        raise ValidationError("There is nothing to hand over: only tickets that are still open can be.")
    offered = Handover.objects.waiting().filter(incident=incident, giver=giver, tickets__in=found)
    for number, name in offered.order_by("tickets__number").values_list("tickets__number", "receiver__name"):
        raise ValidationError(f"#{number} is offered to {name} already: take that back first.")
    return found


def _require_receiver(incident: Incident, giver: User, receiver: User) -> None:
    if receiver.pk == giver.pk:
        raise ValidationError({"receiver": f"They are {giver}'s already: choose somebody else."})
    if "work" not in incident.permissions_for(receiver):
        raise ValidationError(
            {
                "receiver": f"{receiver} cannot work in {incident.number}: a lead of it adds them to the team first, "
                "under Members, in a role that works tickets."
            }
        )


@action
def hand_over(
    *, actor: Actor, incident: Incident, numbers: Iterable[int], receiver: User, note: str, giver: User | None = None
) -> Handover:
    """Offer tickets to somebody; ended ones are left out. `giver` is whose they are (None: the actor's own).

    Raises:
        ValidationError: the incident is closed, the receiver may not work in it or has them already, a ticket is not
            the giver's or is offered already, or none of them is open.
    """
    incident = tree.lock(incident.pk)
    owner = giver or User.objects.get(pk=actor.pk or 0)
    _require_receiver(incident, owner, receiver)
    tickets = _owned(incident, numbers, owner)
    found = Handover.objects.create(
        incident=incident, giver=owner, receiver=receiver, note=note, note_html=markdown.stored(note)
    )
    found.tickets.set(tickets)
    _record("handover.offered", actor, found, [one.number for one in tickets], text=journal.shown(note))
    return found


def _record(verb: str, actor: Actor, handover: Handover, numbers: list[int], **data: Any) -> None:
    """`user` is the one that the sentence names beside the actor."""
    other = handover.giver_id if verb in ("handover.accepted", "handover.declined") else handover.receiver_id
    journal.record(
        verb, actor=actor, subject=handover, giver=handover.giver_id, receiver=handover.receiver_id, user=other,
        tickets=numbers, named=named(numbers) or "nothing", **data,
    )  # fmt: skip


def _waiting(handover: Handover) -> Handover:
    """The offer as it is now, under the incident's lock, still without an answer."""
    found = Handover.objects.select_related("incident", "giver", "receiver").get(pk=handover.pk)
    if found.state != HandoverState.OFFERED:
        words = HandoverState(found.state).label.lower()
        raise ValidationError(f"This offer was answered before: {words}. Nothing was changed.")
    return found


def _settle(handover: Handover, state: HandoverState, answer: str) -> None:
    handover.state, handover.answer, handover.answered_at = state, answer, timezone.now()
    handover.save()


@action
def accept_handover(*, actor: Actor, handover: Handover) -> Taken:
    """Give the receiver what is still open and still the giver's; the rest is named and stays as it is.

    Raises:
        ValidationError: it was answered before, the incident is closed, or the receiver may not work in it any more.
    """
    incident = tree.lock(handover.incident_id)
    handover = _waiting(handover)
    _require_receiver(incident, handover.giver, handover.receiver)
    rows = list(handover.tickets.order_by("number"))
    mine = [one for one in rows if one.assignee_id == handover.giver_id and one.incident_id == incident.pk]
    taken = [one for one in mine if not one.is_ended]
    for ticket in taken:
        ticket.incident = incident
        ticket.apply({"assignee_id": handover.receiver_id})
        journal.record(
            "ticket.assigned", actor=actor, subject=ticket, assignee=handover.receiver_id, before=handover.giver_id,
            user=handover.giver_id, handover=handover.pk,
        )  # fmt: skip
    _settle(handover, HandoverState.ACCEPTED, "")
    result = Taken([one.number for one in taken], [one.number for one in rows if one not in taken])
    _record("handover.accepted", actor, handover, result.taken, left=result.left)
    return result


@action
def decline_handover(*, actor: Actor, handover: Handover, answer: str) -> Handover:
    """Say no, with a reason; the tickets stay where they are.

    Raises:
        ValidationError: no reason is given, it was answered before, or the incident is closed.
    """
    tree.lock(handover.incident_id)
    handover = _waiting(handover)
    if not answer.strip():
        raise ValidationError({"answer": "Say why, so that the tickets find somebody else."})
    _settle(handover, HandoverState.DECLINED, answer.strip())
    _record("handover.declined", actor, handover, _numbers(handover), reason=answer.strip())
    return handover


@action
def withdraw_handover(*, actor: Actor, handover: Handover, answer: str = "") -> Handover:
    """Take an offer back before it is answered. The house does so itself where nobody can answer it any more.

    Raises:
        ValidationError: it was answered before, or a person takes it back in a closed incident.
    """
    incident = Incident.objects.lock(handover.incident_id)
    if actor.actor_kind == "user":
        require_open(incident)
    handover = _waiting(handover)
    _settle(handover, HandoverState.WITHDRAWN, answer.strip())
    _record("handover.withdrawn", actor, handover, _numbers(handover), reason=answer.strip())
    return handover


def _numbers(handover: Handover) -> list[int]:
    return list(handover.tickets.order_by("number").values_list("number", flat=True))
