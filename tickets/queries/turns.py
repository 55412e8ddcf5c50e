"""Where clocks have turned since they were last looked at."""

import datetime as dt

from incidents.models import Incident
from tickets.models import Ticket


def incidents_with_turned(now: dt.datetime, *, most: int) -> list[Incident]:
    """The incidents of such tickets, in ascending order of their keys; two queries."""
    keys = Ticket.objects.all().behind(now).order_by("incident").values_list("incident", flat=True).distinct()[:most]
    return list(Incident.objects.filter(pk__in=list(keys)).order_by("pk"))
