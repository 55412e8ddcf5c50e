"""What somebody did last in an incident, and what they could take back."""

from django.db.models import QuerySet

from core.models import JournalEntry
from incidents.models import Incident
from incidents.queries.journal import NO_WORK
from people.models import User


def last_change(incident: Incident, person: User, *, since: int) -> JournalEntry | None:
    """The newest change of this person after the entry numbered `since` that still stands; reading is no change.

    What was taken back does not stand, and taking it back is not a change to take back: so one goes back step by step.
    """
    mine = JournalEntry.objects.filter(
        stream=incident.journal_stream, seq__gt=since, actor_kind="user", actor_id=person.pk
    ).exclude(verb__in=NO_WORK)
    gone = _gone(mine)
    changes = mine.exclude(data__has_key="undoes").order_by("-seq").values_list("seq", flat=True)
    found = next((seq for seq in changes.iterator() if seq not in gone), None)
    return mine.get(seq=found) if found else None


def _gone(mine: "QuerySet[JournalEntry]") -> set[int]:
    """Numbers of the entries that were taken back and not done again; of a batch its parts as well.

    Not every part says so itself: where all was as before by then, nothing was written.
    """
    gone, again, batches = set[int](), set[int](), set[int]()
    undoing = mine.filter(data__has_key="undoes").order_by("-seq").values_list("seq", "verb", "data__undoes")
    for seq, verb, undone in undoing.iterator():
        if seq in gone:
            again.add(undone)
            continue
        gone.add(undone)
        if verb == "tickets.change_undone":
            batches.add(undone)
    for parts in mine.filter(seq__in=batches).values_list("data__entries", flat=True):
        gone.update(set(parts) - again)
    return gone
