"""What somebody did last in an incident, and what they could take back."""

from core.models import JournalEntry
from incidents.models import Incident
from incidents.queries.journal import NO_WORK
from people.models import User

DEEPEST = 200  # entries looked through: who presses U that often has found the journal


def last_change(incident: Incident, person: User, *, since: int) -> JournalEntry | None:
    """The newest change of this person after the entry numbered `since` that still stands; reading is no change.

    What was taken back does not stand, and taking it back is not a change to take back: so one goes back step by step.
    """
    mine = JournalEntry.objects.filter(
        stream=incident.journal_stream, seq__gt=since, actor_kind="user", actor_id=person.pk
    ).exclude(verb__in=NO_WORK)
    gone: set[int] = set()
    for entry in mine.order_by("-seq")[:DEEPEST]:
        if entry.seq in gone:
            continue
        if "undoes" not in entry.data:
            return entry
        gone.add(entry.data["undoes"])
    return None
