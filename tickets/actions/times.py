"""Time that people spent on tickets."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import action
from people.models import User
from tickets import tree
from tickets.actions.steps import locked
from tickets.models import Ticket, TimeEntry
from tickets.models.times import MOST_MINUTES

AHEAD = dt.timedelta(days=1)  # where it is tomorrow already, today is a day to write down


@action
def log_time(*, actor: User, ticket: Ticket, minutes: int, day: dt.date, note: str = "") -> TimeEntry:
    """Write down that one spent this time on the ticket on that day.

    Raises:
        ValidationError: it is no time, more than a day has, of a day to come, or the incident is closed.
    """
    ticket = locked(ticket)
    if not 1 <= minutes <= MOST_MINUTES:
        raise ValidationError({"minutes": "Give a time between one minute and a day."})
    if day > timezone.now().date() + AHEAD:
        raise ValidationError({"day": "This day has not come yet."})
    entry = TimeEntry.objects.create(ticket=ticket, user=actor, minutes=minutes, day=day, note=note)
    journal.record("time.logged", actor=actor, subject=entry, ticket=ticket.number, minutes=minutes, day=day)
    return entry


@action
def take_back_time(*, actor: User, entry: TimeEntry) -> TimeEntry:
    """Let an entry count no more; it stays in history.

    Raises:
        ValidationError: the incident is closed.
    """
    tree.lock(entry.ticket.incident_id)
    entry = TimeEntry.objects.select_related("ticket__incident").get(pk=entry.pk)
    if entry.taken_back_at is None:
        entry.taken_back_at = timezone.now()
        entry.save(update_fields=["taken_back_at"])
        journal.record("time.taken_back", actor=actor, subject=entry, ticket=entry.ticket.number, minutes=entry.minutes)
    return entry
