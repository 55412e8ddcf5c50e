"""What can end a ticket's clock, and when: read from its columns, no queries."""

import datetime as dt
from dataclasses import dataclass

from tickets.durations import in_words
from tickets.models import Category, Ticket


@dataclass(frozen=True)
class End:
    """One thing that the ticket is held to; `at` is None while it cannot be told (`words` say why)."""

    name: str
    at: dt.datetime | None
    is_next: bool
    words: str = ""


def ends(ticket: Ticket) -> list[End]:
    """Targets, limit and due time of the ticket, as far as it has them; the one that runs out first is marked."""
    still = ticket.category == Category.BLOCKED
    found: list[tuple[str, dt.datetime | None, str]] = []
    if ticket.start_by and ticket.started_at is None:
        found.append(("Start target", ticket.start_by, _still(still)))
    if ticket.finish_by:
        found.append(("Finish target", ticket.finish_by, _still(still)))
    if ticket.time_limit:
        found.append((f"Time limit {in_words(ticket.time_limit)}", limit_end(ticket), _limit_words(ticket, still)))
    if ticket.due_at:
        found.append(("Due", ticket.due_at, ""))
    return [End(name, at, at is not None and at == ticket.clock_at, words) for name, at, words in found]


def limit_end(ticket: Ticket) -> dt.datetime | None:
    """When the ticket's own limit ends; None before it has begun."""
    if ticket.started_at is None or ticket.time_limit is None:
        return None
    return ticket.started_at + dt.timedelta(minutes=ticket.time_limit, seconds=ticket.paused_seconds)


def _still(is_blocked: bool) -> str:
    return "stands still while it is blocked" if is_blocked else ""


def _limit_words(ticket: Ticket, is_blocked: bool) -> str:
    return "from its start" if ticket.started_at is None else _still(is_blocked)
