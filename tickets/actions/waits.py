"""Which tickets need not wait any more once others have ended."""

from collections.abc import Iterable, Mapping

from tickets.models import ENDED, Blocker, Ticket


class Waits:
    """Who waits for these tickets (by key), and for what else; one query. They count as they are in memory by then."""

    def __init__(self, tickets: Mapping[int, Ticket]) -> None:
        self._tickets = tickets
        self._numbers: dict[int, int] = {}
        self._ended: dict[int, bool] = {}
        self._by: dict[int, set[int]] = {}
        waiting = Blocker.objects.filter(by__in=list(tickets)).values("ticket")
        pairs = Blocker.objects.filter(ticket__in=waiting).order_by("pk")
        columns = ("ticket", "ticket__number", "ticket__category", "by", "by__category")
        for ticket, number, category, by, its in pairs.values_list(*columns):
            self._numbers[ticket] = number
            self._ended |= {ticket: category in ENDED, by: its in ENDED}
            self._by.setdefault(ticket, set()).add(by)

    def freed(self, ended: Iterable[int]) -> list[int]:
        """Numbers of the open tickets that waited for one of these (keys), and now for nothing."""
        those = set(ended)
        free = (
            pk for pk, by in self._by.items()
            if by & those and not self._is_ended(pk) and all(self._is_ended(one) for one in by)
        )  # fmt: skip
        return sorted(self._numbers[pk] for pk in free)

    def _is_ended(self, pk: int) -> bool:
        known = self._tickets.get(pk)
        return known.is_ended if known is not None else self._ended[pk]
