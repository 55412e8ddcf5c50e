"""What the frame of an incident's page shows besides the incident: team, customer and change counter, in one query."""

from dataclasses import dataclass

from django.db.models import Subquery

from core.models import Stream
from incidents.models import Incident, Role, RoleAssignment
from incidents.queries.incidents import tag, tag_of


@dataclass(frozen=True)
class Frame:
    """Each person of the team once, by their weightiest role, the commander first; and the tag that polls compare."""

    team: list[RoleAssignment]
    tag: str


def frame(incident: Incident) -> Frame:
    """Read it, and bring what the header shows of the incident up to the tag, which is read in the same moment.

    Read it before what it stands for, never after.
    """
    seq = Stream.objects.filter(name=incident.journal_stream).values("seq")[:1]
    team = list(
        RoleAssignment.objects.filter(incident=incident, until=None)
        .select_related("user", "incident__customer")
        .only("role", "incident__customer__name", *_USER, *[f"incident__{name}" for name in SHOWN])
        .annotate(seq=Subquery(seq))
    )
    if not team:  # nobody works a merged incident any more
        return Frame(team=[], tag=tag_of(incident))
    now = team[0].incident
    incident.customer = now.customer
    for name in SHOWN:
        setattr(incident, name, getattr(now, name))
    weight = {role: at for at, role in enumerate(Role.values)}
    once: dict[int, RoleAssignment] = {}
    for member in sorted(team, key=lambda member: weight[member.role]):
        once.setdefault(member.user_id, member)
    return Frame(team=list(once.values()), tag=tag(team[0].seq))


def reread(incident: Incident) -> None:
    """Bring what is shown of the incident up to date, after its tag was read."""
    incident.refresh_from_db(fields=SHOWN)


SHOWN = [  # of the incident, in the header of its pages and above its tickets
    "number", "title", "severity", "status", "tlp", "restricted", "exercise", "detected_at", "closed_at",
    "tickets_total", "tickets_done", "leads_total", "leads_done",
]  # fmt: skip
_USER = ("user__name", "user__username", "user__customer")
