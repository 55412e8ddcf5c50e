"""Who may be given work in an incident, and who and what is named in texts about it."""

from django.contrib.auth.models import Permission
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from incidents.models import Incident, RoleAssignment
from incidents.models.team import holders
from people.models import User
from people.models.rights import TEAM_RIGHTS
from tickets.models import Ticket

MOST = 8  # offered while somebody types


def workers(incident: Incident) -> QuerySet[User]:
    """Active people who hold the permission to work on this incident, by name."""
    return holders(incident, "work").order_by("name", "pk")


def seers(incident: Incident) -> QuerySet[User]:
    """Active people who may see the incident: the same rule as Incident.permissions_for, for all of them at once."""
    rights = {"audit"} if incident.restricted else TEAM_RIGHTS
    having = Permission.objects.filter(
        codename__in=rights, content_type__app_label="people", content_type__model="user", group__isnull=False
    )
    by_right = Q(customer=None, groups__in=having.values("group"))
    return User.objects.active().filter(Q(pk__in=holders(incident, "view").values("pk")) | by_right).distinct()


def people_named(incident: Incident, text: str) -> list[User]:
    """At most eight people who may see the incident and whose name or user name begins so; the team first."""
    team = RoleAssignment.objects.filter(incident=incident, until=None).values("user_id")
    begins = Q(username__istartswith=text) | Q(name__istartswith=text) | Q(name__icontains=f" {text}")
    weight = Case(When(pk__in=team, then=Value(0)), default=Value(1), output_field=IntegerField())
    found = seers(incident).filter(begins) if text else seers(incident)
    return list(found.annotate(weight=weight).order_by("weight", "name", "pk")[:MOST])


def tickets_named(incident: Incident, text: str) -> list[Ticket]:
    """At most eight tickets whose number begins so or whose title has these words; one query."""
    rows = Ticket.objects.filter(incident=incident).without_root()
    if text.isascii() and text.isdigit() and len(text) < 10:
        low, ranges = int(text), Q(number=int(text))
        for length in range(1, 7):
            ranges |= Q(number__gte=low * 10**length, number__lt=(low + 1) * 10**length)
        rows = rows.filter(ranges)
    elif text:
        rows = rows.filter(title__icontains=text)
    return list(rows.only("number", "title").order_by("number")[:MOST])
