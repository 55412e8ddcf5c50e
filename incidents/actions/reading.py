"""Who opens a restricted incident is written down."""

import datetime as dt

from core import journal
from core.actions import action
from core.actors import Actor
from core.models import JournalEntry
from incidents.models import Incident

VIEWED = "incident.viewed"


def has_viewed(actor: Actor, incident: Incident, *, since: dt.datetime) -> bool:
    """Whether it is written down that the actor opened the incident after `since`; one query."""
    entries = JournalEntry.objects.filter(stream=incident.views_stream, verb=VIEWED, at__gt=since)
    return entries.filter(actor_kind=actor.actor_kind, actor_id=actor.pk).exists()


@action
def note_view(*, actor: Actor, incident: Incident, since: dt.datetime) -> None:
    """Write down that somebody opened the incident, unless that stands there already, after `since`.

    Two pages opened at the same moment wait for each other here: the second finds the entry of the first.
    """
    journal.hold(incident.views_stream)
    if not has_viewed(actor, incident, since=since):
        journal.record(VIEWED, actor=actor, subject=incident, stream=incident.views_stream, changed=False)
