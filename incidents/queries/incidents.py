"""What the list of incidents and the overview of one show: each with a fixed number of SQL queries."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    SmallIntegerField,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone

from core import journal
from core.access import Along, granted
from core.models import Stream
from incidents.models import Incident, IncidentLink, Role, RoleAssignment, Severity, Status
from incidents.models.guards import missing_for
from incidents.models.incidents import LinkKind, stream_name
from people.models import Customer, User

OPEN = ~Q(status=Status.CLOSED)
ROW = [  # what a row of the list shows; the long texts stay in the database
    "number", "title", "severity", "status", "restricted", "exercise", "detected_at", "updated_at", "closed_at",
    "tickets_total", "tickets_done", "leads_total", "leads_done", "next_due_at", "customer__name", "commander__name",
    "commander__username", "commander__customer",
]  # fmt: skip
RANK = Case(
    *[When(severity=severity, then=Value(at)) for at, severity in enumerate(Severity.values)],
    output_field=SmallIntegerField(),
)
STEP = Case(*[When(status=status, then=Value(status.position)) for status in Status], output_field=SmallIntegerField())
SORTS: dict[str, Any] = {  # what a column is sorted by, ascending
    "severity": RANK,
    "title": F("title"),
    "stage": STEP,
    "commander": F("commander__name"),
    "tickets": F("tickets_total") - F("tickets_done"),
    "leads": F("leads_total") - F("leads_done"),
    "clock": F("next_due_at"),
    "detected": F("detected_at"),
    "changed": F("updated_at"),
}
PEOPLE = ("customer", "commander", "reporter", "situation_by", "post_mortem_approved_by")
NEEDY = 5
SOON = dt.timedelta(hours=1)


def _mine(user: User) -> Q:
    return OPEN & Q(pk__in=RoleAssignment.objects.filter(user=user, until=None).values("incident"))


def _needs_me(user: User) -> Q:
    """Open incidents that the person commands, and those nobody commands if they could take them."""
    mine = Q(commander=user)
    if "respond" not in user.rights:
        return OPEN & mine
    reachable = Q(restricted=False) | Q(pk__in=granted(user, Incident, "work"))
    return OPEN & (mine | Q(commander=None) & reachable)


def _open(user: User) -> Q:
    return OPEN


def _closed(user: User) -> Q:
    return ~OPEN


SHOWN: dict[str, tuple[str, Callable[[User], Q]]] = {
    "open": ("Open", _open),
    "mine": ("Mine", _mine),
    "needs_me": ("Needs me", _needs_me),
    "closed": ("Closed", _closed),
}


def figures(user: User) -> dict[str, int]:
    """The figures above the list and the counts on its pills, of what the person may see, in one query."""
    nobody, now = OPEN & Q(commander=None), timezone.now()
    counts = {name: Count("pk", filter=rule(user)) for name, (_, rule) in SHOWN.items()}
    found = Incident.objects.visible_to(user).aggregate(
        **counts,
        critical=Count("pk", filter=OPEN & Q(severity=Severity.CRITICAL)),
        high=Count("pk", filter=OPEN & Q(severity=Severity.HIGH)),
        uncommanded=Count("pk", filter=nobody),
        over=Count("pk", filter=OPEN & Q(next_due_at__lt=now)),
        soon=Count("pk", filter=OPEN & Q(next_due_at__gte=now, next_due_at__lt=now + SOON)),
        unassessed=Count("pk", filter=OPEN & Q(severity_assessed_at=None)),
        tickets=Sum(F("tickets_total") - F("tickets_done"), filter=OPEN, default=0),
        tickets_total=Sum("tickets_total", filter=OPEN, default=0),
        leads=Sum(F("leads_total") - F("leads_done"), filter=OPEN, default=0),
        leads_total=Sum("leads_total", filter=OPEN, default=0),
    )
    return {name: int(value) for name, value in found.items()}


def shown(user: User, show: str) -> "QuerySet[Incident]":
    """What the person may see of this pill (a key of SHOWN)."""
    return Incident.objects.visible_to(user).filter(SHOWN[show][1](user))


def in_order(rows: "QuerySet[Incident]", sort: str) -> "QuerySet[Incident]":
    """Sorted by a key of SORTS, descending with a minus; newest first among equals. Only the columns of a row."""
    by = SORTS[sort.removeprefix("-")]
    order = by.desc(nulls_last=True) if sort.startswith("-") else by.asc(nulls_last=True)
    return rows.select_related("customer", "commander").only(*ROW).order_by(order, "-detected_at", "-pk")


def needy(user: User) -> list[Incident]:
    """The newest open incidents that nobody commands or whose severity nobody has assessed."""
    rows = Incident.objects.visible_to(user).filter(OPEN & (Q(commander=None) | Q(severity_assessed_at=None)))
    return list(
        rows.only("number", "title", "detected_at", "commander", "severity_assessed_at").order_by("-detected_at")[
            :NEEDY
        ]
    )


@dataclass(frozen=True)
class Choices:
    """What the list may be filtered by: (key, name), by name."""

    customers: list[tuple[str, str]]
    commanders: list[tuple[str, str]]


def choices() -> Choices:
    """Customers and our own people, in one query."""
    text = CharField()
    customers = Customer.objects.order_by().annotate(kind=Value("customer"), key=Cast("pk", text))
    people = User.objects.team().order_by().annotate(kind=Value("person"), key=Cast("pk", text))
    rows = list(customers.values_list("kind", "key", "name").union(people.values_list("kind", "key", "name"), all=True))
    named = sorted(rows, key=lambda row: (str(row[2]).casefold(), row[1]))
    return Choices(
        customers=[(key, name) for kind, key, name in named if kind == "customer"],
        commanders=[(key, name) for kind, key, name in named if kind == "person"],
    )


# -- One incident -----------------------------------------------------------------------------------------------------
def tag(seq: int) -> str:
    """What polling compares: the last entry of the incident, and the minute, since clocks run without entries."""
    return f"{seq}-{int(timezone.now().timestamp()) // 60}"


def tag_of(incident: Incident) -> str:
    """The tag now. Read it before what it stands for, never after: else a page could be older than its tag says."""
    return tag(journal.head(incident.journal_stream)[0])


def tagged(incident: str = "pk") -> Along:
    """For a guard: fetch the tag together with the incident, or with what names it in this column (`fetched_tag`).

    So a poll that finds nothing new asks nothing more, and what was fetched is as old as its tag.
    """
    name = stream_name(OuterRef(incident))
    seq = Coalesce(Subquery(Stream.objects.filter(name=name).values("seq")[:1]), 0)
    return lambda rows: rows.annotate(fetched_seq=seq)


def fetched_tag(found: Any) -> str:
    """The tag that came with what a guard fetched."""
    return tag(found.fetched_seq)


def head(incident: Incident, tab: str) -> dict[str, Any]:
    """What incidents/incident.html and incidents/_head.html need: three queries; the incident as it is after the tag.

    `team` has one assignment for each person, the weightiest of their roles first; `tag` is what polling compares.
    """
    seen = tag_of(incident)
    incident = Incident.objects.select_related(*PEOPLE).get(pk=incident.pk)
    return {"incident": incident, "tab": tab, "tag": seen, "team": team(incident)}


def team(incident: Incident) -> list[RoleAssignment]:
    """Each person of the team once, with the weightiest role, the commander first."""
    order = {role: at for at, role in enumerate(Role.values)}
    active = RoleAssignment.objects.filter(incident=incident, until=None).select_related("user")
    found: dict[int, RoleAssignment] = {}
    for one in sorted(active, key=lambda one: (order[one.role], one.since)):
        found.setdefault(one.user_id, one)
    return list(found.values())


@dataclass(frozen=True)
class Step:
    """One step of the life cycle as the stepper shows it: state is past, now or ahead; it lasted `at` to `until`.

    `before`: it was entered then, and left by a step back; the jump ahead after that did not enter it again.
    """

    status: Status
    state: str
    at: dt.datetime | None
    until: dt.datetime | None
    before: dt.datetime | None = None


def steps(incident: Incident) -> list[Step]:
    """The seven steps with their times; a step that was jumped over has none. A query only where one was."""
    here = incident.stage.position
    stamps = [getattr(incident, status.stamp) if status.position <= here else None for status in Status]
    earlier = _entered_before(incident, [one for one in list(Status)[: here - 1] if not stamps[one.position - 1]])
    found = []
    for status, at in zip(Status, stamps, strict=True):
        state = "now" if status.position == here else "past" if status.position < here else "ahead"
        until = next((later for later in stamps[status.position :] if later), None)
        found.append(Step(status, state, at, until, earlier.get(status)))
    return found


def _entered_before(incident: Incident, missed: list[Status]) -> dict[Status, dt.datetime]:
    """When steps that have no time now were entered before a step back took it, as history knows."""
    if not missed:
        return {}
    history: Any = getattr(Incident, "history")  # noqa: B009 (simple-history has no types)
    last = history.filter(id=incident.pk).aggregate(**{one.value: Max(one.stamp) for one in missed})
    return {one: last[one.value] for one in missed if last[one.value]}


BACKWARDS = {
    LinkKind.PARENT: "contains",
    LinkKind.DUPLICATE: "has the duplicate",
    LinkKind.RELATED: "is related to",
}


@dataclass(frozen=True)
class Tie:
    """How this incident belongs to `other`, in words; `link` is the row's key where this incident says so itself."""

    words: str
    other: Incident
    link: int | None


def ties(incident: Incident, user: User) -> list[Tie]:
    """Related incidents that the person may see, in one query; of others not even their number."""
    seen = Incident.objects.visible_to(user).values("pk")
    rows = (
        IncidentLink.objects.filter(Q(source=incident, target__in=seen) | Q(target=incident, source__in=seen))
        .select_related("source", "target")
        .only("kind", *[f"{side}__{name}" for side in ("source", "target") for name in ("number", "title", "status")])
        .order_by("created_at", "pk")
    )
    return [
        Tie(row.get_kind_display(), row.target, row.pk)
        if row.source_id == incident.pk
        else Tie(BACKWARDS[LinkKind(row.kind)], row.source, None)
        for row in rows
    ]


def overview(incident: Incident, user: User) -> dict[str, Any]:
    """All that the overview shows beside tickets, in five queries, whatever the size of the tree."""
    frame = head(incident, "overview")
    incident = frame["incident"]
    following = incident.stage.next
    return {
        **frame,
        "steps": steps(incident),
        "following": following,
        "missing": missing_for(incident, following) if following else [],
        "tags": [tag.name for tag in incident.tags.all()],
        "ties": ties(incident, user),
    }


def last_change(incident: Incident) -> tuple[str, dt.datetime | None]:
    """Who saved the incident's row last, and when."""
    history: Any = getattr(Incident, "history")  # noqa: B009 (simple-history has no types)
    row = history.filter(id=incident.pk).order_by("-history_id").values("history_user_id", "history_date").first()
    if row is None:
        return "", None
    user = User.objects.filter(pk=row["history_user_id"]).first()
    return str(user or ""), row["history_date"]
