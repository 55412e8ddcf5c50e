"""Whose clock has turned since it was last looked at; found by index, however many tickets there are."""

import datetime as dt

from django.db.models import Q

from incidents.models import Incident, Status
from tickets.models import ClockState, Ticket
from tickets.models.tickets import TicketQuerySet


def turned(now: dt.datetime) -> TicketQuerySet:
    """Tickets of open incidents whose state is behind the time."""
    behind = Q(clock_state=ClockState.ON_TRACK, risk_at__lte=now) | Q(clock_state=ClockState.AT_RISK, clock_at__lte=now)
    rows: TicketQuerySet = Ticket.objects.filter(behind).exclude(incident__status=Status.CLOSED)
    return rows


def incidents_with_turned(now: dt.datetime, *, most: int) -> list[Incident]:
    """The incidents of such tickets, in ascending order of their keys; two queries."""
    keys = turned(now).order_by("incident").values_list("incident", flat=True).distinct()[:most]
    return list(Incident.objects.filter(pk__in=list(keys)).order_by("pk"))
