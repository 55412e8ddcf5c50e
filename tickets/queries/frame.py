"""What the frame of an incident's page shows besides the incident: team, customer and change counter, in one query."""

from dataclasses import dataclass

from django.db.models import Subquery

from core import journal
from core.models import Stream
from incidents.models import Incident, Role, RoleAssignment


@dataclass(frozen=True)
class Frame:
    """Each person of the team once, by their weightiest role, the commander first; and the tag that polls compare."""

    team: list[RoleAssignment]
    tag: str


def frame(incident: Incident) -> Frame:
    """Read it, and hang the customer on the incident. Read the tag before what it stands for, never after."""
    seq = Stream.objects.filter(name=incident.journal_stream).values("seq")[:1]
    team = list(
        RoleAssignment.objects.filter(incident=incident, until=None)
        .select_related("user", "incident__customer")
        .only("role", "incident__number", "incident__customer__name", *_USER)
        .annotate(seq=Subquery(seq))
    )
    if not team:  # nobody works a merged incident any more
        return Frame(team=[], tag=tag_of(incident))
    incident.customer = team[0].incident.customer
    weight = {role: at for at, role in enumerate(Role.values)}
    once: dict[int, RoleAssignment] = {}
    for member in sorted(team, key=lambda member: weight[member.role]):
        once.setdefault(member.user_id, member)
    return Frame(team=list(once.values()), tag=str(team[0].seq))


def tag_of(incident: Incident) -> str:
    """The change counter of the incident alone."""
    return str(journal.head(incident.journal_stream)[0])


_USER = ("user__name", "user__username", "user__customer")
