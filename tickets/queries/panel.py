"""One ticket with all that its page and its panel show."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from core.models import JournalEntry
from incidents.models import Incident
from incidents.queries.journal import Line, lines
from people.models import User
from tickets import clocks
from tickets.models import ENDED, Attachment, Comment, Ticket, TimeEntry, Watch
from tickets.queries.clock import End, ends

MOST_CHILDREN = 200
MOST_COMMENTS = 200
MOST_FILES = 200
MOST_ENTRIES = 50
MOST_TIMES = 50
MOST_WATCHERS = 200
MOST_TIES = 200


@dataclass(frozen=True)
class Talk:
    """What is said on a ticket or on the incident, and attached to it. Where something is cut, the newest stays."""

    comments: list[Comment]
    files: list[Attachment]
    said: int  # how many of the comments are the reader's own
    reworded: set[int]  # keys of comments whose words were changed after they were said


@dataclass(frozen=True)
class Panel:
    """What belongs to a ticket: the branches above it, the tickets just below, talk, files, and what was done."""

    ticket: Ticket
    above: list[Ticket]
    children: list[Ticket]
    talk: Talk
    entries: list[Line]
    ends: list[End]
    watchers: list[User]
    is_watching: bool
    tags: list[str]
    waits_for: list[Ticket]  # each with `tie`, the key of the Blocker
    holds_up: list[Ticket]  # as above
    times: list[TimeEntry]
    minutes: int  # spent in all


def full(ticket: Ticket) -> Ticket:
    """The ticket with its people, so that showing it asks no more questions; its clock stands as it does now."""
    found: Ticket = Ticket.objects.worded().select_related("assignee", "created_by", "origin").get(pk=ticket.pk)
    found.clock_state = clocks.turned(found, timezone.now())
    return found


def panel(ticket: Ticket, reader: User) -> Panel:
    """Read it all, in 15 queries however much there is."""
    line = Ticket.objects.filter(tree_id=ticket.tree_id, lft__lt=ticket.lft, rght__gt=ticket.rght, parent__isnull=False)
    below = Ticket.objects.filter(parent_id=ticket.pk).worded().select_related("assignee").order_by("lft")
    watches = Watch.objects.filter(ticket=ticket).select_related("user")[:MOST_WATCHERS]
    watchers = [watch.user for watch in watches]
    counted = TimeEntry.objects.filter(ticket=ticket, taken_back_at=None)
    return Panel(
        ticket=ticket,
        above=list(line.order_by("lft").only("number", "title")),
        children=list(below[:MOST_CHILDREN]),
        talk=talk(ticket, reader),
        entries=lines(list(entries_of(ticket)[:MOST_ENTRIES]), reader),
        ends=ends(ticket),
        watchers=watchers,
        is_watching=reader in watchers,
        tags=list(ticket.tags.values_list("name", flat=True)),
        waits_for=list(_tied(Q(blocks__ticket=ticket), "blocks__pk")),
        holds_up=list(_tied(Q(blockers__by=ticket), "blockers__pk")),
        times=list(counted.select_related("user").order_by("-day", "-pk")[:MOST_TIMES]),
        minutes=counted.aggregate(all=Sum("minutes"))["all"] or 0,
    )


def talk(ticket: Ticket, reader: User) -> Talk:
    """Comments and files, in three queries."""
    newest = ticket.comments.select_related("author").order_by("-created_at", "-pk")[:MOST_COMMENTS]
    files = ticket.attachments.select_related("uploaded_by").order_by("-created_at", "-pk")[:MOST_FILES]
    comments = list(newest)[::-1]
    return Talk(
        comments=comments,
        files=list(files),
        said=sum(comment.author_id == reader.pk for comment in comments),
        reworded=_reworded(comments),
    )


def talk_of(incident: Incident, reader: User) -> Talk | None:
    """What is said on the incident as a whole, in four queries; None before anything was."""
    root = Ticket.objects.filter(incident=incident, parent=None).first()
    return talk(root, reader) if root else None


def _tied(tie: Q, key: str) -> QuerySet[Ticket]:
    return Ticket.objects.filter(tie).worded().annotate(tie=F(key)).order_by("lft")[:MOST_TIES]


def still_waits_for(ticket: Ticket) -> list[int]:
    """Numbers of the tickets that must end before this one should go on."""
    found = Ticket.objects.filter(blocks__ticket=ticket).exclude(category__in=ENDED)
    return list(found.order_by("number").values_list("number", flat=True))


def _reworded(comments: list[Comment]) -> set[int]:
    history: Any = Comment.history
    rows = history.filter(id__in=[comment.pk for comment in comments]).order_by().values("id")
    return set(rows.annotate(texts=Count("body", distinct=True)).filter(texts__gt=1).values_list("id", flat=True))


def said_before(comment: Comment) -> list[Any]:
    """Rows of history of the comment, one for each text it had, the newest first; one query."""
    history: Any = Comment.history
    kept: list[Any] = []
    for row in history.filter(id=comment.pk).order_by("history_id"):
        if not kept or kept[-1].body != row.body:
            kept.append(row)
    return kept[::-1]


def open_below(ticket: Ticket) -> int:
    """How many tickets of its branch, without itself, are neither done nor dropped."""
    below = Ticket.objects.filter(tree_id=ticket.tree_id, lft__gt=ticket.lft, rght__lt=ticket.rght)
    return below.unfinished().count()


def entries_of(ticket: Ticket) -> QuerySet[JournalEntry]:
    """What was done to the ticket itself, newest first."""
    return JournalEntry.objects.filter(target_type=Ticket._meta.label, target_id=str(ticket.pk)).order_by("-id")
