"""Lists of alerts."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, Count, IntegerField, Max, QuerySet, Value, When

from incidents.models import Severity
from intake.models import Alert, AlertState
from people.models import User

WORST_FIRST = Case(
    *(When(severity=value, then=Value(at)) for at, value in enumerate(reversed(Severity.values))),
    default=Value(len(Severity.values)),
    output_field=IntegerField(),
)


def alerts_for(user: User, *, state: str = "", severity: str = "", q: str = "") -> QuerySet[Alert]:
    """Alerts the person may see, worst and newest first; by default those to triage, of equal ones the newest."""
    rows = Alert.objects.visible_to(user).defer("record").select_related("incident")
    if state != "all":
        rows = rows.filter(state=state or AlertState.NEW)
    if severity:
        rows = rows.filter(severity=severity)
    for word in q.split()[:10]:
        rows = rows.filter(title__icontains=word)
    if not state:
        newest = rows.order_by().values("group_key").annotate(newest=Max("pk")).values("newest")
        rows = rows.filter(pk__in=newest)
    return rows.order_by(WORST_FIRST, "-pk")


def alike(user: User, alerts: Iterable[Alert]) -> dict[str, int]:
    """How many alerts to triage say the same as each of these, by group key."""
    keys = {alert.group_key for alert in alerts}
    rows = Alert.objects.visible_to(user).filter(state=AlertState.NEW, group_key__in=keys)
    return dict(rows.order_by().values_list("group_key").annotate(Count("pk")))


def tally(user: User) -> dict[str, int]:
    """How many alerts are in each state."""
    rows = Alert.objects.visible_to(user).order_by().values_list("state").annotate(Count("pk"))
    return dict(rows)


def facts(alert: Alert) -> dict[str, Any]:
    """The parts of the record that a page shows as lists; anything of another shape is left out."""
    record = alert.record if isinstance(alert.record, dict) else {}
    lists = {name: [row for row in record.get(name) or [] if isinstance(row, dict)]
             for name in ("indicators", "assets", "techniques", "warnings")}  # fmt: skip
    return {**lists, "tags": record.get("tags") or [], "url": record.get("external_url") or ""}
