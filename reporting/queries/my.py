"""What one person has to do, over all incidents they may see; each part costs the same however much there is."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    Func,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
    When,
    Window,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from comms.models import Kind, Notification
from core.access import granted
from core.models import JournalEntry, Stream
from incidents.models import Incident, IncidentGrant, Look, RoleAssignment, Severity
from incidents.models.incidents import stream_name
from incidents.queries.journal import NEWEST, NO_WORK, TIES, Line, lines
from people.models import User
from runbooks.models import Execution, Run, Version, Waiting
from runbooks.models.documents import STREAM as DOCUMENTS
from runbooks.queries import automations, documents, runs
from tickets.models import Category, Ticket, Watch
from tickets.queries.handovers import Offer, offers

MOST_TICKETS, MOST_OTHERS, MOST_NEWS, MOST_FREE = 300, 50, 50, 5
SOON = dt.timedelta(hours=1)
FIRST_LOOK = dt.timedelta(hours=24)  # what is new to who has never looked at the incident
RECENT = dt.timedelta(days=7)  # a closed incident is news for so long
GROUPS = {"over": "Over", "soon": "Soon or at risk", "today": "Today", "later": "Later", "blocked": "Blocked"}


@dataclass(frozen=True)
class My:
    """The page. `groups` are those that hold tickets, in order: key, words, tickets."""

    groups: list[tuple[str, str, list[Ticket]]]
    total: int
    to_answer: list[Offer]
    offered: list[Offer]
    approvals: list[Incident]
    documents: list[Version]
    to_agree: list[Execution]
    asked: list[Execution]
    runs: list[Run]
    mentions: list[Notification]
    watching: list[Ticket]
    free: list[Ticket] = field(default_factory=list)
    free_total: int = 0

    @property
    def waiting_total(self) -> int:
        """How much waits for the person's approval."""
        return len(self.approvals) + len(self.documents) + len(self.to_agree)


def _streams(user: User) -> Any:
    """Names of the chains of open incidents that the person works in, has tickets of, or watches tickets of."""
    mine = (
        Q(pk__in=RoleAssignment.objects.filter(user=user, until=None).values("incident"))
        | Q(pk__in=Ticket.objects.filter(assignee=user).order_by().values("incident"))
        | Q(pk__in=Watch.objects.filter(user=user).order_by().values("ticket__incident"))
    )
    return Incident.objects.visible_to(user).open().filter(mine).order_by().values_list(stream_name("pk"))


def _one(rows: QuerySet[Any], function: str, column: str) -> Coalesce:
    """One figure over some rows, to stand in another query."""
    figure = Func(F(column), function=function, output_field=BigIntegerField())
    return Coalesce(Subquery(rows.order_by().annotate(figure=figure).values("figure")), 0)


def tag(user: User) -> str:
    """Changes whenever something that the page may show does: the heads of the chains only grow. One query.

    Of documents, any change counts; runs are counted besides, since one may be rated after its incident was closed.
    """
    chains = Stream.objects.filter(Q(name__in=_streams(user)) | Q(name=DOCUMENTS))
    told = Notification.objects.visible_to(user).unread()
    figures = [_one(chains, "SUM", "seq"), _one(chains, "COUNT", "pk")]
    figures += [_one(told, "COUNT", "pk"), _one(told, "MAX", "pk"), _one(runs.unrated(user), "COUNT", "pk")]
    found = User.objects.filter(pk=user.pk).values_list(*figures)[0]
    return "-".join(str(figure) for figure in (*found, int("oversee" in user.rights)))


def my(user: User) -> My:
    """Nine queries; one more for somebody who has no ticket."""
    mine, watching = _tickets(user)
    waiting, automated = offers(user), list(automations.waiting_for(user)[:MOST_OTHERS])
    now = timezone.now()
    by_group: dict[str, list[Ticket]] = {key: [] for key in GROUPS}
    for ticket in mine:
        by_group[_group(ticket, now)].append(ticket)
    free = [] if mine else _free(user)
    return My(
        groups=[(key, words, by_group[key]) for key, words in GROUPS.items() if by_group[key]],
        total=len(mine),
        to_answer=[one for one in waiting if one.handover.receiver_id == user.pk],
        offered=[one for one in waiting if one.handover.giver_id == user.pk],
        approvals=_approvals(user),
        documents=list(documents.waiting_for(user)[:MOST_OTHERS]),
        to_agree=[one for one in automated if one.waiting == Waiting.APPROVAL],
        asked=[one for one in automated if one.waiting == Waiting.ANSWER],
        runs=list(runs.unrated(user).order_by("finished_at", "pk")[:MOST_OTHERS]),
        mentions=list(_mentions(user)),
        watching=watching,
        free=free,
        free_total=free[0].free_total if free else 0,
    )


def _open_tickets(user: User) -> QuerySet[Ticket]:
    """Open tickets of open incidents the person may see, most urgent first, with what a line shows."""
    works = IncidentGrant.objects.filter(content_object=OuterRef("incident_id"), user=user, permission__codename="work")
    found = Ticket.objects.visible_to(user).unfinished().worded().filter(incident__in=Incident.objects.open())
    return (
        found.select_related("incident", "assignee")
        .annotate(can_work=Exists(works))
        .order_by(F("clock_at").asc(nulls_last=True), "-urgency", "incident_id", "lft")
    )


def _tickets(user: User) -> tuple[list[Ticket], list[Ticket]]:
    """The person's own, and those they only watch."""
    watched = Watch.objects.filter(user=user).order_by().values("ticket")
    rank = Case(When(assignee=user, then=0), default=1)
    rows = _open_tickets(user).filter(Q(assignee=user) | Q(pk__in=watched))
    order = (rank, F("clock_at").asc(nulls_last=True), "-urgency", "incident_id", "lft")
    found = list(rows.order_by(*order)[:MOST_TICKETS])
    mine = [ticket for ticket in found if ticket.assignee_id == user.pk]
    return mine, found[len(mine) :]


def _group(ticket: Ticket, now: dt.datetime) -> str:
    end = ticket.clock_at
    if end is not None and end < now:
        return "over"
    if ticket.category == Category.BLOCKED:
        return "blocked"
    if end is None:
        return "later"
    if end - now <= SOON or (ticket.risk_at is not None and ticket.risk_at <= now):
        return "soon"
    return "today" if end.astimezone(dt.UTC).date() == now.astimezone(dt.UTC).date() else "later"


def _free(user: User) -> list[Ticket]:
    """A few of the tickets that nobody has where the person works, each saying how many there are."""
    rows = _open_tickets(user).filter(assignee=None, incident__in=granted(user, Incident, "work"))
    return list(rows.annotate(free_total=Window(Count("pk")))[:MOST_FREE])


def _approvals(user: User) -> list[Incident]:
    """Critical incidents whose post-mortem is written and waits for this person's signature."""
    rows = Incident.objects.visible_to(user).open().filter(pk__in=granted(user, Incident, "approve"))
    unsigned = rows.filter(severity=Severity.CRITICAL, post_mortem_approved_at=None)
    return list(unsigned.exclude(root_cause="").exclude(lessons_learned="").order_by("-detected_at")[:MOST_OTHERS])


def _mentions(user: User) -> QuerySet[Notification]:
    rows = Notification.objects.visible_to(user).unread().filter(kind=Kind.MENTIONED)
    return rows.select_related("incident", "ticket__incident")[:MOST_OTHERS]


# -- What changed -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class News:
    """One entry of one of the person's incidents, in words."""

    incident: Incident
    line: Line


def my_incidents(user: User) -> QuerySet[Incident]:
    """Where the person has a role and may look: open, or closed of late; each with the person's own `looks`."""
    roles = RoleAssignment.objects.filter(user=user, until=None).values("incident")
    late = Q(closed_at=None) | Q(closed_at__gte=timezone.now() - RECENT)
    mine = Incident.objects.visible_to(user).filter(late, pk__in=roles)
    return mine.prefetch_related(Prefetch("looks", queryset=Look.objects.filter(user=user))).order_by("pk")


def news(user: User) -> list[News]:
    """What others did since the person last looked at each incident; newest first.

    Ties to other incidents are left out: that there is one may be more than the reader may know.
    """
    incidents = {incident.journal_stream: incident for incident in my_incidents(user)}
    if not incidents:
        return []
    now = timezone.now()
    since: dict[dt.datetime, list[str]] = {}
    for stream, incident in incidents.items():
        look = next(iter(incident.looks.all()), None)
        after = look.new_after(now) if look else None
        since.setdefault(after or now - FIRST_LOOK, []).append(stream)
    which = Q()
    for moment, streams in since.items():
        which |= Q(stream__in=streams, at__gt=moment)
    entries = JournalEntry.objects.filter(which).exclude(verb__in=[*NO_WORK, *TIES])
    found = entries.exclude(actor_kind="user", actor_id=user.pk).order_by(NEWEST)[:MOST_NEWS]
    return [News(incidents[line.entry.stream], line) for line in lines(list(found), user)]
