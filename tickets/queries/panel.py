"""One ticket with all that its page and its panel show."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet

from core.models import JournalEntry
from incidents.queries.journal import Line, lines
from people.models import User
from tickets.models import Attachment, Comment, Ticket

MOST_CHILDREN = 200
MOST_COMMENTS = 200
MOST_FILES = 200
MOST_ENTRIES = 50


@dataclass(frozen=True)
class Panel:
    """What belongs to a ticket: the branches above it, the tickets just below, talk, files, and what was done."""

    ticket: Ticket
    above: list[Ticket]
    children: list[Ticket]
    comments: list[Comment]
    files: list[Attachment]
    entries: list[Line]
    said: int  # how many of the comments are the reader's own
    reworded: set[int]  # keys of comments whose words were changed after they were said


def full(ticket: Ticket) -> Ticket:
    """The ticket with its people, so that showing it asks no more questions."""
    return Ticket.objects.worded().select_related("assignee", "created_by", "origin").get(pk=ticket.pk)


def panel(ticket: Ticket, reader: User) -> Panel:
    """Read it all, in nine queries however much there is. Where something is cut, the newest stays."""
    line = Ticket.objects.filter(tree_id=ticket.tree_id, lft__lt=ticket.lft, rght__gt=ticket.rght, parent__isnull=False)
    below = Ticket.objects.filter(parent_id=ticket.pk).worded().select_related("assignee").order_by("lft")
    newest = ticket.comments.select_related("author").order_by("-created_at", "-pk")[:MOST_COMMENTS]
    files = ticket.attachments.select_related("uploaded_by").order_by("-created_at", "-pk")[:MOST_FILES]
    comments = list(newest)[::-1]
    return Panel(
        ticket=ticket,
        above=list(line.order_by("lft").only("number", "title")),
        children=list(below[:MOST_CHILDREN]),
        comments=comments,
        files=list(files),
        entries=lines(list(entries_of(ticket)[:MOST_ENTRIES]), reader),
        reworded=_reworded(comments),
        said=sum(comment.author_id == reader.pk for comment in comments),
    )


def _reworded(comments: list[Comment]) -> set[int]:
    history: Any = Comment.history
    rows = history.filter(id__in=[comment.pk for comment in comments]).order_by().values("id")
    return set(rows.annotate(texts=Count("body", distinct=True)).filter(texts__gt=1).values_list("id", flat=True))


def open_below(ticket: Ticket) -> int:
    """How many tickets of its branch, without itself, are neither done nor dropped."""
    below = Ticket.objects.filter(tree_id=ticket.tree_id, lft__gt=ticket.lft, rght__lt=ticket.rght)
    return below.unfinished().count()


def entries_of(ticket: Ticket) -> QuerySet[JournalEntry]:
    """What was done to the ticket itself, newest first."""
    return JournalEntry.objects.filter(target_type=Ticket._meta.label, target_id=str(ticket.pk)).order_by("-id")
