"""The statuses and priorities there are to choose from."""

from django.db.models import Q

from tickets.models import TicketPriority, TicketStatus


def statuses(keep: str = "") -> list[TicketStatus]:
    """Those that tickets can be given, in order, and the one that this ticket has; one query."""
    return list(TicketStatus.objects.filter(Q(active=True) | Q(code=keep)))


def priorities(keep: str = "") -> list[TicketPriority]:
    """Those that tickets can be given, most urgent first, and the one that this ticket has; one query."""
    return list(TicketPriority.objects.filter(Q(active=True) | Q(code=keep)))


def status_choices() -> list[tuple[str, str]]:
    """For a form: code and name."""
    return [(one.code, one.name) for one in statuses()]


def priority_choices() -> list[tuple[str, str]]:
    """For a form: code and name."""
    return [(one.code, one.name) for one in priorities()]
