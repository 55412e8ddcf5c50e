"""Remembering how somebody looks at an incident. It is their own, so no journal tells of it."""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import timezone

from incidents.models import Incident, Look
from people.models import User

MOST_FLIPPED = 2000


def look(
    *,
    user: User,
    incident: Incident,
    levels: int | None = None,
    flipped: Mapping[int, bool] | None = None,
    visit: bool = False,
    seen: bool = False,
) -> Look:
    """Keep what is given of it.

    `levels`: other than before, it also forgets what stood the other way. `flipped`: number of a ticket → whether it
    stands otherwise than the levels say; said twice it is the same. `visit`: the person is looking now; what changed
    while they were away stays new until they are away again, or until `seen` says that they know all of it.
    """
    now = timezone.now()
    with transaction.atomic():
        found, _ = Look.objects.select_for_update().get_or_create(user=user, incident=incident)
        if levels is not None and levels != found.levels:
            found.levels, found.flipped = levels, []
        if flipped:
            found.flipped = _flipped(found.flipped, flipped)
        if visit:
            found.since = found.new_after(now) or now
        if seen:
            found.since = now
        if visit or seen:
            found.seen_at = now
        found.save()
    return found


def _flipped(known: Iterable[int], news: Mapping[int, bool]) -> list[int]:
    """The numbers that stand the other way, oldest first; of too many the oldest are forgotten."""
    kept = [number for number in known if number not in news]
    return [*kept, *(number for number, is_flipped in news.items() if is_flipped)][-MOST_FLIPPED:]
