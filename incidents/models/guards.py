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


def leads_guard(before: Status, target: Status) -> bool:
    """Whether the step goes where open leads must not be left behind: beyond Eradicated, or into Closed."""
    beyond = Status.ERADICATED.position
    return target.position > before.position and (
        target is Status.CLOSED or before.position <= beyond < target.position
    )


def may_sign(incident: Incident, kind: str, pk: int | None) -> bool:
    """Whether this actor can answer for open leads: the commander in person, nobody in their place."""
    return kind == "user" and pk is not None and pk == incident.commander_id


def _open_leads(incident: Incident) -> list[str]:
    count = incident.leads_open
    if not count:
        return []
    words = f"{_counted(count, 'lead has', 'leads have')} no result"
    return [f"{words}: say what became of each, or let the commander sign why the incident goes on without."]


def _unfinished(incident: Incident, *, signed: bool) -> list[str]:
    """What closing leaves open; a signature for the leads answers for their tickets too, and for no other ticket."""
    count = incident.tickets_open - (incident.leads_open if signed else 0)
    missing = []
    if count > 0:
        missing.append(f"{_counted(count, 'ticket is', 'tickets are')} open: finish or drop each with a reason.")
    return missing if signed else missing + _open_leads(incident)


def missing_for(
    incident: Incident, target: Status, *, resolution: str = Resolution.RESOLVED, leads_reason: str = ""
) -> list[str]:
    """What stands between the incident and `target`; empty if the step may be taken. Stepping back needs nothing.

    `leads_reason` is the commander's signature: why it goes on although leads have no result.
    """
    if target.position <= incident.stage.position:
        return []
    signed = bool(leads_reason.strip())
    if resolution == Resolution.FALSE_POSITIVE:
        return _unfinished(incident, signed=signed)
    missing = []
    if not incident.severity_assessed_at:
        missing.append("The severity has not been assessed by a person.")
    if incident.commander_id is None:
        missing.append("The incident has no commander.")
    if target.position >= Status.REVIEW.position and not incident.root_cause.strip():
        missing.append("The root cause is not written down.")
    if target is Status.CLOSED:
        missing += _unfinished(incident, signed=signed)
        if not incident.lessons_learned.strip():
            missing.append("The lessons learned are not written down.")
        if incident.severity == Severity.CRITICAL and incident.post_mortem_approved_at is None:
            missing.append("The post-mortem of a Critical incident must be approved.")
    elif leads_guard(incident.stage, target) and not signed:
        missing += _open_leads(incident)
    return missing
