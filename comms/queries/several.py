"""Which entries tell of one thing that was done to several tickets at once, so that people hear of it once."""

from core.models import JournalEntry

BATCHES = ("tickets.changed", "tickets.moved", "tickets.dropped")
UNDONE = "tickets.change_undone"
MOST_PARTS = 1000  # entries of one batch: 200 tickets, each with at most four


def told_of(entry: JournalEntry) -> list[JournalEntry]:
    """What is to be told because of this entry: of a batch its parts, of a part nothing, else the entry itself.

    All of a batch is written in one transaction, in a row, and the entry that ties it together is the last of it.
    """
    if entry.verb in (*BATCHES, UNDONE):
        return _parts(entry)
    later = JournalEntry.objects.filter(
        stream=entry.stream, seq__gt=entry.seq, seq__lte=entry.seq + MOST_PARTS, verb__in=(*BATCHES, UNDONE)
    )
    closing = later.order_by("seq").first()
    is_part = closing is not None and entry.pk in {part.pk for part in _parts(closing)}
    return [] if is_part else [entry]


def _parts(closing: JournalEntry) -> list[JournalEntry]:
    entries = JournalEntry.objects.filter(stream=closing.stream)
    if closing.verb != UNDONE:
        return list(entries.filter(seq__in=closing.data["entries"]).order_by("seq"))
    batch = entries.filter(seq=closing.data["undoes"]).first()
    undone = set(batch.data["entries"]) if batch else set()
    row = entries.filter(seq__lt=closing.seq, seq__gte=closing.seq - len(undone)).order_by("seq")
    return [part for part in row if part.data.get("undoes") in undone]
