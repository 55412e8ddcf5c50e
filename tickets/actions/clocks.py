"""Clocks that turn by themselves, and clocks that are wound anew because what they are held to has changed."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident
from tickets import clocks, tree
from tickets.models import Ticket

MOST_TURNS = 200  # tickets in one transaction


@action
def turn_clocks(*, actor: Actor, incident: Incident) -> int:
    """Write down which clocks of the incident are at risk or have run out since; gives how many (at most 200).

    Doing it twice says nothing twice: whoever comes second, by another worker or after a crash, finds nothing behind.
    """
    incident = Incident.objects.lock(incident.pk)
    if not incident.is_open:
        return 0
    now = timezone.now()
    rows = list(Ticket.objects.all().behind(now).filter(incident=incident).order_by("clock_at", "pk")[:MOST_TURNS])
    for ticket in rows:
        ticket.incident = incident
        before, state = ticket.clock_state, clocks.turned(ticket, now)
        Ticket.objects.filter(pk=ticket.pk).update(clock_state=state)
        ticket.clock_state = state
        journal.record(
            "ticket.clock_changed", actor=actor, subject=ticket, changed=False, clock=[before, state],
            assignee=ticket.assignee_id,
        )  # fmt: skip
    return len(rows)


@action
def wind_clocks(*, actor: Actor, incident: Incident, priority: str = "", reason: str = "") -> list[int]:
    """Hold the open tickets of the incident (of one priority, or all) to the targets of now; their numbers.

    A closed incident is left alone. Where nothing is different, nothing is written.
    """
    incident = Incident.objects.lock(incident.pk)
    if not incident.is_open:
        return []
    rows = Ticket.objects.filter(incident=incident).without_root().unfinished()
    found = wind(incident, rows.filter(priority=priority) if priority else rows)
    if not found:
        return []
    tree.recount(incident)
    journal.record(
        "ticket.clocks_wound", actor=actor, subject=incident, changed=False, tickets=sorted(found), reason=reason,
        clocks={number: states for number, states in found.items() if states[0] != states[1]},
    )  # fmt: skip
    return sorted(found)


def wind(incident: Incident, rows: QuerySet[Ticket], now: dt.datetime | None = None) -> dict[int, list[str]]:
    """Wind the clocks of these tickets of a locked incident; gives number → state before and after, where it differs.

    They are derived columns: the tickets' versions stay, so nobody's open form becomes stale.
    """
    now = now or timezone.now()
    found, known = {}, clocks.targets(incident.severity)
    for ticket in rows:
        target = clocks.kept(ticket) if ticket.is_ended else known.get(ticket.priority, clocks.NO_TARGET)
        columns: dict[str, Any] = clocks.wound(ticket, target, now)
        if any(getattr(ticket, name) != value for name, value in columns.items()):
            Ticket.objects.filter(pk=ticket.pk).update(**columns)
            found[ticket.number] = [ticket.clock_state, str(columns["clock_state"])]
    return found
