"""What the life cycle asks for before an incident may take a step; each line names what is missing."""

from django.core.exceptions import ValidationError

from incidents.models.incidents import Incident
from incidents.models.lifecycle import Resolution, Severity, Status


def require_open(incident: Incident) -> None:
    """Refuse work on what is closed."""
    if not incident.is_open:
        raise ValidationError(f"{incident.number} is closed. Reopen it with a reason to work on it.", code="closed")


def _counted(number: int, one: str, many: str) -> str:
    return f"1 {one}" if number == 1 else f"{number} {many}"


def _unfinished(incident: Incident) -> list[str]:
    missing = []
    if incident.tickets_open:
        missing.append(
            f"{_counted(incident.tickets_open, 'ticket is', 'tickets are')} open: finish or drop each with a reason."
        )
    if incident.leads_open:
        missing.append(
            f"{_counted(incident.leads_open, 'lead has', 'leads have')} no result: confirm or rule out each."
        )
    return missing


def missing_for(incident: Incident, target: Status, *, resolution: str = Resolution.RESOLVED) -> list[str]:
    """What stands between the incident and `target`; empty if the step may be taken. Stepping back needs nothing."""
    if target.position <= incident.stage.position:
        return []
    if resolution == Resolution.FALSE_POSITIVE:
        return _unfinished(incident)
    missing = []
    if not incident.severity_assessed_at:
        missing.append("The severity has not been assessed by a person.")
    if incident.commander_id is None:
        missing.append("The incident has no commander.")
    if target.position >= Status.REVIEW.position and not incident.root_cause.strip():
        missing.append("The root cause is not written down.")
    if target is Status.CLOSED:
        missing += _unfinished(incident)
        if not incident.lessons_learned.strip():
            missing.append("The lessons learned are not written down.")
        if incident.severity == Severity.CRITICAL and incident.post_mortem_approved_at is None:
            missing.append("The post-mortem of a Critical incident must be approved.")
    return missing
