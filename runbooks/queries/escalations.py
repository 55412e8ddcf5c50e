"""What escalates an incident: the rules of admins, and those of the runbooks that are used in it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from incidents.models import Incident
from runbooks.expressions import holds
from runbooks.models import Document, Escalation, EscalationRule, Run, RunState
from runbooks.queries.automations import incident_values
from runbooks.values import ExpressionError

MOST_SHOWN = 50


@dataclass(frozen=True)
class Criterion:
    """A condition, what is to be done then, and who is told; from a rule or from a runbook."""

    condition: str
    what: str
    role: str = ""
    rule: EscalationRule | None = None
    document: Document | None = None


def criteria(incident: Incident) -> Iterator[Criterion]:
    """Those that count for this incident; two queries. A runbook that nobody inserted has no say in it."""
    for rule in EscalationRule.objects.filter(active=True):
        yield Criterion(rule.condition, rule.action, rule.role, rule=rule)
    used = Run.objects.filter(incident=incident).exclude(state=RunState.STOPPED)
    for book in Document.objects.filter(pk__in=used.values("of__document")).exclude(escalations=[]):
        for one in book.escalations:
            if isinstance(one, dict) and one.get("condition") and one.get("action"):
                what, role = str(one["action"])[:300], str(one.get("role", ""))[:24]
                yield Criterion(str(one["condition"])[:500], what, role, document=book)


def met(incident: Incident) -> tuple[list[Criterion], set[tuple[str, str]]]:
    """The criteria that hold now, and their (condition, what)."""
    values = incident_values(incident)
    context = {**values, "incident": values}
    now: list[Criterion] = []
    for one in criteria(incident):
        try:
            if holds(one.condition, context):
                now.append(one)
        except ExpressionError:
            continue  # its page and the admin's form say what is wrong with it
    return now, {(one.condition, one.what) for one in now}


def not_ended(incident: Incident) -> QuerySet[Escalation]:
    """All that has escalated and still holds, newest first."""
    return Escalation.objects.filter(incident=incident, ended_at=None)


def open_of(incident: Incident) -> list[Escalation]:
    """The newest of them, for a page."""
    return list(not_ended(incident).select_related("rule", "document")[:MOST_SHOWN])
