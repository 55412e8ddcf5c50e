"""What the frame of an incident's page shows besides the incident: team, customer and change counter, in one query."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Subquery

from core.models import Stream
from incidents.models import Incident, Look, Role, RoleAssignment
from incidents.queries.incidents import tag, tag_of
from people.models import User

LOOK = ("since", "seen_at", "levels", "flipped")


@dataclass(frozen=True)
class Frame:
    """Each person of the team once, by their weightiest role, the commander first; and the tag that polls compare."""

    team: list[RoleAssignment]
    tag: str
    look: Look = field(default_factory=Look)  # the reader's; a fresh one unless `frame` was told who reads


def frame(incident: Incident, reader: User | None = None) -> Frame:
    """Read it, and bring what the header shows of the incident up to the tag, which is read in the same moment.

    Read it before what it stands for, never after.
    """
    seq = Stream.objects.filter(name=incident.journal_stream).values("seq")[:1]
    looked = _look_of(incident, reader) if reader else {}
    team = list(
        RoleAssignment.objects.filter(incident=incident, until=None)
        .select_related("user", "incident__customer")
        .only("role", "incident__customer__name", *_USER, *[f"incident__{name}" for name in SHOWN])
        .annotate(seq=Subquery(seq), **looked)
    )
    if not team:  # nobody works a merged incident any more
        return Frame(team=[], tag=tag_of(incident), look=pulse(incident, reader)[1] if reader else Look())
    now = team[0].incident
    incident.customer = now.customer
    for name in SHOWN:
        setattr(incident, name, getattr(now, name))
    weight = {role: at for at, role in enumerate(Role.values)}
    once: dict[int, RoleAssignment] = {}
    for member in sorted(team, key=lambda member: weight[member.role]):
        once.setdefault(member.user_id, member)
    look = _look([getattr(team[0], f"look_{name}") for name in LOOK]) if reader else Look()
    return Frame(team=list(once.values()), tag=tag(team[0].seq), look=look)


def pulse(incident: Incident, reader: User) -> tuple[str, Look]:
    """The tag that polls compare, and how the reader looks at the incident: one query, read before the rows."""
    streams = Stream.objects.filter(name=incident.journal_stream).annotate(**_look_of(incident, reader))
    found: Any = streams.values_list("seq", *(f"look_{name}" for name in LOOK)).first()
    return (tag(found[0]), _look(list(found[1:]))) if found else (tag(0), Look())


def _look_of(incident: Incident, reader: User) -> dict[str, Subquery]:
    mine = Look.objects.filter(incident=incident, user=reader)
    return {f"look_{name}": Subquery(mine.values(name)[:1]) for name in LOOK}


def _look(values: list[Any]) -> Look:
    since, seen_at, levels, flipped = values
    return Look(since=since, seen_at=seen_at, levels=levels or 0, flipped=flipped or [])


SHOWN = [  # of the incident, in the header of its pages and above its tickets
    "number", "title", "severity", "status", "tlp", "restricted", "exercise", "detected_at", "closed_at",
    "tickets_total", "tickets_done", "leads_total", "leads_done",
]  # fmt: skip
_USER = ("user__name", "user__username", "user__customer")
