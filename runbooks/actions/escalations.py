"""Escalation: writing down that a condition has begun to hold in an incident, or has ceased to."""

from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident
from incidents.models.guards import require_open
from runbooks.models import Document, Escalation, EscalationRule


@action
def escalate(
    *,
    actor: Actor,
    incident: Incident,
    condition: str,
    what: str,
    role: str = "",
    rule: EscalationRule | None = None,
    document: Document | None = None,
) -> Escalation | None:
    """It began to hold: `what` is to be done, `role` is told. None where that is known already.

    Raises:
        ValidationError: the incident is closed.
    """
    incident = Incident.objects.lock(incident.pk)
    require_open(incident)
    known = Escalation.objects.filter(incident=incident, condition=condition, action=what, ended_at=None)
    if known.exists():
        return None
    found = Escalation.objects.create(
        incident=incident, condition=condition, action=what, role=role, rule=rule, document=document
    )
    journal.record("escalation.fired", actor=actor, subject=found, condition=condition, what=what, role=role)
    return found


@action
def end_escalation(*, actor: Actor, escalation: Escalation) -> bool:
    """It holds no more; False where that is known already."""
    Incident.objects.lock(escalation.incident_id)
    found = Escalation.objects.filter(pk=escalation.pk, ended_at=None).first()
    if found is None:
        return False
    found.ended_at = timezone.now()
    found.save(update_fields=["ended_at"])
    journal.record("escalation.ended", actor=actor, subject=found, condition=found.condition, what=found.action)
    return True
