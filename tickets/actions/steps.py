"""What the actions of this room begin and end with: the locked ticket, the words it may be given, its clock."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from incidents.models import Incident
from people.models import User
from tickets import clocks, tree
from tickets.models import ENDED, Category, Disposition, Ticket, TicketPriority, TicketStatus

TIMES = ("started_at", "finished_at", "paused_at", "paused_seconds")


@dataclass(frozen=True)
class Found:
    """What an entry that is taken back had found: the columns of `TIMES`, and what an ended clock was held to."""

    times: Mapping[str, Any]
    target: clocks.Target | None = None

    def times_for(self, category: str) -> dict[str, Any]:
        """The times, as far as they go with what the status means by now: admins may have given it another category."""
        fits = (self.times["finished_at"] is not None) == (category in ENDED)
        fits &= (self.times["paused_at"] is not None) == (category == Category.BLOCKED)
        return dict(self.times) if fits else {"started_at": self.times["started_at"]}


def held(ticket: Ticket) -> dict[str, Any]:
    """What an entry says of the targets that an ended ticket was held to, in seconds; its clock is wound anew now."""
    target = clocks.kept(ticket)
    return {"held": [None if span is None else int(span.total_seconds()) for span in (target.start, target.finish)]}


def held_by(data: Mapping[str, Any]) -> clocks.Target | None:
    """The targets that the entry with these data says the ticket was held to."""
    if "held" not in data:
        return None
    start, finish = (None if seconds is None else dt.timedelta(seconds=seconds) for seconds in data["held"])
    return clocks.Target(start=start, finish=finish)


def locked(ticket: Ticket) -> Ticket:
    """The ticket as it is now, with its incident locked and open."""
    return tree.fresh(tree.lock(ticket.incident_id), ticket.number)


def status_of(code: str) -> TicketStatus:
    """The status with this code.

    Raises:
        ValidationError: there is none, or it is no longer given.
    """
    found = TicketStatus.objects.filter(code=code, active=True).first()
    if found is None:
        raise ValidationError({"status": "This is not a status."})
    return found


def priority_of(code: str) -> TicketPriority:
    """The priority with this code.

    Raises:
        ValidationError: there is none, or it is no longer given.
    """
    found = TicketPriority.objects.filter(code=code, active=True).first()
    if found is None:
        raise ValidationError({"priority": "This is not a priority."})
    return found


def change(ticket: Ticket, fields: Mapping[str, Any], target: clocks.Target | None = None) -> dict[str, Any]:
    """Set columns of a locked ticket, and wind its clock; gives what the entry says of the clock, if that turned.

    What has ended and stays ended is held to the targets that it ended with.
    """
    before = ticket.clock_state
    if ticket.is_ended and fields.get("category", ticket.category) in ENDED:
        target = clocks.kept(ticket)
    elif target is None:
        target = clocks.target_of(ticket.incident, fields.get("priority", ticket.priority))
    ticket.apply({**fields, **clocks.wound(ticket, target, **fields)})
    return {} if ticket.clock_state == before else {"clock": [before, ticket.clock_state]}


def change_all(changes: Iterable[tuple[Ticket, Mapping[str, Any], clocks.Target | None]]) -> dict[str, Any]:
    """Change several tickets, each as `change` does; gives what the entry says of the clocks that turned, by number."""
    said = {ticket.number: change(ticket, fields, target) for ticket, fields, target in changes}
    turned = {number: one["clock"] for number, one in said.items() if one}
    return {"clocks": turned} if turned else {}


def named(field: str, old: str, new: TicketStatus | TicketPriority) -> dict[str, Any]:
    """What an entry says of names as they are now: admins may give a code another one, or take it away."""
    before = type(new).objects.filter(code=old).values_list("name", flat=True).first() or old
    return {"words": {field: [before, new.name]}} if old != new.code else {}


def require_worker(incident: Incident, person: User | None) -> None:
    if person is not None and "work" not in incident.permissions_for(person):
        raise ValidationError(f"{person} has no role in this incident that works tickets: add them to the team first.")


def status_fields(
    ticket: Ticket, status: TicketStatus, *, outcome: str = "", reason: str = "", waiting_for: str = ""
) -> dict[str, Any]:
    """What a status brings with it: when work began, stood still and ended, and why."""
    now, category = timezone.now(), status.category
    fields: dict[str, Any] = {"status": status.code, "category": category, **clocks.paused(ticket, category, now)}
    fields["waiting_for"] = waiting_for if category == Category.BLOCKED else ""
    fields["finished_at"] = (ticket.finished_at or now) if category in ENDED else None
    if category not in (Category.TODO, Category.DROPPED) and ticket.started_at is None:
        fields["started_at"] = now
    fields["dropped_reason"] = reason if category == Category.DROPPED else ""
    if outcome:
        fields["outcome"] = outcome
    return fields


def disposed(ticket: Ticket, disposition: str, reason: str) -> dict[str, Any]:
    """The result of a lead (empty: none yet), with when it got one.

    Raises:
        ValidationError: there is no such result, or it is parked without a reason.
    """
    if disposition and disposition not in Disposition.values:
        raise ValidationError({"disposition": "This is not a result of a lead."})
    if disposition == Disposition.PARKED and not reason:
        raise ValidationError({"disposition_reason": "Say why it is parked, and what would take it up again."})
    at = (ticket.disposed_at or timezone.now()) if disposition else None
    return {"disposition": disposition, "disposition_reason": reason if disposition else "", "disposed_at": at}
