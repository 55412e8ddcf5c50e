"""How a ticket stands with its clocks: pure reckoning over its columns, no queries.

Four things can end a clock: the time it is due by, its own time limit (from its start), and the two targets of the
house (SLA), to start and to finish, which begin with the ticket. Whoever is blocked cannot keep a target: targets and
limit stand still meanwhile. A due time is a date in the world and does not. It is also what people agreed on for this
one ticket: where there is one, the target to finish is still shown, but no longer ends the clock. Otherwise the tree of
an incident that lasts for days would be red all over, and nobody could see what is late.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from incidents.models import Incident
from tickets.models import Category, ClockState, ClockTarget, Ticket, TicketPriority
from tickets.models.vocabulary import ENDED

RISK = 0.75  # of its time gone, a clock is at risk
FIELDS = ("start_by", "finish_by", "clock_at", "risk_at", "clock_state")
RUNNING: Sequence[str] = (ClockState.ON_TRACK, ClockState.AT_RISK, ClockState.BREACHED)  # as time goes on


@dataclass(frozen=True)
class Target:
    """How soon after its beginning a ticket must be started and finished; None where nothing is asked."""

    start: dt.timedelta | None = None
    finish: dt.timedelta | None = None


NO_TARGET = Target()


def held(severity: str) -> dict[str, tuple[TicketPriority, Target]]:
    """All priorities by code, each with what it asks for in incidents of this severity; one query."""
    asked = ClockTarget.objects.filter(severity=severity, priority=OuterRef("code"))
    rows = TicketPriority.objects.annotate(
        start=Subquery(asked.values("start_minutes")), finish=Subquery(asked.values("finish_minutes"))
    )
    return {row.code: (row, Target(start=_minutes(row.start), finish=_minutes(row.finish))) for row in rows}


def targets(severity: str) -> dict[str, Target]:
    """The targets of a severity by priority; one query."""
    return {code: target for code, (_, target) in held(severity).items()}


def target_of(incident: Incident, priority: str) -> Target:
    """The target of one ticket of the incident."""
    return targets(incident.severity).get(priority, NO_TARGET)


def _minutes(count: int | None) -> dt.timedelta | None:
    return None if count is None else dt.timedelta(minutes=count)


def paused(ticket: Ticket, category: str, now: dt.datetime) -> dict[str, Any]:
    """What entering or leaving Blocked changes: when it began, or how long it lasted."""
    if category == Category.BLOCKED:
        return {} if ticket.paused_at else {"paused_at": now}
    if ticket.paused_at is None:
        return {}
    length = max(0, int((now - ticket.paused_at).total_seconds()))
    return {"paused_at": None, "paused_seconds": ticket.paused_seconds + length}


def wound(ticket: Ticket, target: Target, now: dt.datetime | None = None, **to_be: Any) -> dict[str, Any]:
    """The five columns of the clock for the ticket as it is, but for the columns in `to_be`."""
    now = now or timezone.now()
    seen = _Seen(ticket, to_be)
    begin, pause = seen("created_at"), dt.timedelta(seconds=seen("paused_seconds"))
    start_by = begin + target.start + pause if target.start is not None else None
    finish_by = begin + target.finish + pause if target.finish is not None else None
    ends = [(seen("due_at"), begin)]  # each with when it began, less the time it stood still
    if seen("category") != Category.BLOCKED:
        if seen("due_at") is None:
            ends.append((finish_by, begin + pause))
        ends.append((_limit(seen, pause), (seen("started_at") or begin) + pause))
        if seen("started_at") is None and seen("category") not in ENDED:
            ends.append((start_by, begin + pause))
    running = [(end, since) for end, since in ends if end is not None]
    found: dict[str, Any] = {"start_by": start_by, "finish_by": finish_by, "clock_at": None, "risk_at": None}
    if running:
        end, since = min(running)
        found |= {"clock_at": end, "risk_at": end - (1 - RISK) * max(end - since, dt.timedelta(0))}
    standing = finish_by is not None or seen("time_limit") is not None
    return {**found, "clock_state": _state(seen, found, now, paused=standing)}


def kept(ticket: Ticket) -> Target:
    """The target that the clock of the ticket was last wound to, read from its columns.

    A ticket that has ended keeps it: whether it was in time is not asked again when targets or severity change.
    """
    begin = ticket.created_at + dt.timedelta(seconds=ticket.paused_seconds)
    return Target(
        start=ticket.start_by - begin if ticket.start_by else None,
        finish=ticket.finish_by - begin if ticket.finish_by else None,
    )


def turned(ticket: Ticket, now: dt.datetime) -> str:
    """The state of a running clock now, by its own columns; what does not run keeps its state."""
    if ticket.clock_at is None or ticket.clock_state not in RUNNING:
        return ticket.clock_state
    return _running(ticket.clock_at, ticket.risk_at or ticket.clock_at, now)


def broken(incident: Incident) -> Iterator[str]:
    """What is wrong with the clocks of one incident, in words: columns that do not follow from the ticket's others.

    A state may lag behind, since a sweep brings it up to date; it is never ahead of the time.
    """
    now = timezone.now()
    for ticket in Ticket.objects.filter(incident=incident).without_root().order_by("lft"):
        name = f"{incident.number} #{ticket.number}"
        right = wound(ticket, kept(ticket), now)
        if ticket.clock_at != right["clock_at"]:
            yield f"{name}: its clock ends at {ticket.clock_at}, should end at {right['clock_at']}"
        elif not _may_be(ticket.clock_state, right["clock_state"]):
            yield f"{name}: its clock is {ticket.clock_state or 'none'}, should be {right['clock_state'] or 'none'}"


def _may_be(state: str, right: str) -> bool:
    if state in RUNNING and right in RUNNING:
        return RUNNING.index(state) <= RUNNING.index(right)
    return state == right


class _Seen:
    """A ticket with some of its columns as they will be."""

    def __init__(self, ticket: Ticket, to_be: Mapping[str, Any]) -> None:
        self._ticket, self._to_be = ticket, to_be

    def __call__(self, name: str) -> Any:
        return self._to_be[name] if name in self._to_be else getattr(self._ticket, name)


def _limit(seen: _Seen, pause: dt.timedelta) -> dt.datetime | None:
    """The end of the ticket's own limit, once it has begun."""
    begin: dt.datetime | None = seen("started_at")
    return begin + dt.timedelta(minutes=seen("time_limit")) + pause if begin and seen("time_limit") else None


def _state(seen: _Seen, found: Mapping[str, Any], now: dt.datetime, *, paused: bool) -> str:
    end, ended = found["clock_at"], seen("category") in ENDED
    if end is None:
        return ClockState.PAUSED if paused and seen("category") == Category.BLOCKED else ClockState.NONE
    if ended:
        return ClockState.LATE if (seen("finished_at") or now) >= end else ClockState.MET
    return _running(end, found["risk_at"], now)


def _running(end: dt.datetime, risk: dt.datetime, now: dt.datetime) -> str:
    if now >= end:
        return ClockState.BREACHED
    return ClockState.AT_RISK if now >= risk else ClockState.ON_TRACK
