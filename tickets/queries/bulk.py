"""Which tickets a batch is about, and what this request did with one."""

from collections.abc import Collection, Iterable

from core import requests
from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tickets.models import Ticket
from tickets.queries.places import MOST_PLACES


def named(incident: Incident, numbers: Iterable[int]) -> list[Ticket]:
    """The tickets of this incident with these numbers, in tree order; numbers of others mean nothing."""
    rows = Ticket.objects.filter(incident=incident, number__in=set(numbers)).without_root()
    return list(rows.only("number", "title", "lead", "disposition", "version").order_by("lft"))


def places(incident: Incident, numbers: Collection[int]) -> list[Ticket]:
    """Tickets that they could stand below (some of these may be refused: what is inside of their branches)."""
    rows = Ticket.objects.filter(incident=incident).without_root().exclude(number__in=set(numbers))
    return list(rows.only("number", "title").order_by("lft")[:MOST_PLACES])


def just_made(incident: Incident, reader: User, verbs: Collection[str]) -> JournalEntry | None:
    """The entry of such a verb that this very request wrote."""
    this = requests.current.get().id
    mine = JournalEntry.objects.filter(stream=incident.journal_stream, verb__in=verbs, actor_id=reader.pk)
    return mine.filter(request_id=this).order_by("-seq").first() if this else None
