"""What deleting a branch for good would take with it."""

from dataclasses import dataclass

from django.db.models import QuerySet

from tickets.models import Attachment, Comment, Ticket, TimeEntry


@dataclass(frozen=True)
class Contents:
    """What a branch holds, counted."""

    tickets: int
    comments: int
    files: int
    times: int


def whole_branch(ticket: Ticket) -> QuerySet[Ticket]:
    """The ticket and all below it, in tree order."""
    rows = Ticket.objects.filter(tree_id=ticket.tree_id, lft__gte=ticket.lft, rght__lte=ticket.rght)
    return rows.order_by("lft")


def contents(ticket: Ticket) -> Contents:
    """What the branch holds; four queries."""
    rows = whole_branch(ticket)
    return Contents(
        tickets=rows.count(),
        comments=Comment.objects.filter(ticket__in=rows).count(),
        files=Attachment.objects.filter(ticket__in=rows).count(),
        times=TimeEntry.objects.filter(ticket__in=rows).count(),
    )
