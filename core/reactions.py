"""What rooms do about journal entries of rooms below them: once, after commit, in a Celery task."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from core.models import JournalEntry, Reaction
from core.work import wake

Handler = Callable[[JournalEntry], None]
HANDLERS: dict[str, Handler] = {}
_by_verb: dict[str, list[str]] = defaultdict(list)


def on(*verbs: str) -> Callable[[Handler], Handler]:
    """Run the function once for each entry with one of these verbs; it must be safe to run again."""

    def register(handler: Handler) -> Handler:
        name = f"{handler.__module__}.{handler.__qualname__}"
        HANDLERS[name] = handler
        for verb in verbs:
            _by_verb[verb].append(name)
        return handler

    return register


def schedule(entries: Iterable[JournalEntry]) -> None:
    """Make a row for each handler of each entry's verb, in the entries' own transaction."""
    due = [Reaction(entry=entry, handler=name) for entry in entries for name in _by_verb.get(entry.verb, ())]
    for reaction in Reaction.objects.bulk_create(due):
        wake(reaction)
