"""What deleting a branch for good would take with it."""

from dataclasses import dataclass

from tickets.models import Attachment, Comment, Ticket, TimeEntry


@dataclass(frozen=True)
class Contents:
    """What a branch holds, counted."""

    tickets: int
    comments: int
    files: int
    times: int


def contents(ticket: Ticket) -> Contents:
    """What the branch holds; four queries."""
    rows = Ticket.objects.all().branch(ticket)
    return Contents(
        tickets=rows.count(),
        comments=Comment.objects.filter(ticket__in=rows).count(),
        files=Attachment.objects.filter(ticket__in=rows).count(),
        times=TimeEntry.objects.filter(ticket__in=rows).count(),
    )
