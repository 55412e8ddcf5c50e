"""Steps of the life cycle: forward by one with a click; jumps and steps back with a reason."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident, Severity, Status
from incidents.models.guards import leads_guard, may_sign, missing_for, require_open
from incidents.models.lifecycle import Resolution


def _stamps(incident: Incident, target: Status) -> dict[str, Any]:
    """Entering a phase stamps its time once; stepping back clears the stamps after it (the journal keeps them)."""
    changed: dict[str, Any] = {}
    if target is not Status.DETECTED and getattr(incident, target.stamp) is None:
        changed[target.stamp] = timezone.now()
    for later in list(Status)[target.position :]:
        if getattr(incident, later.stamp) is not None:
            changed[later.stamp] = None
    return changed


def _signature(actor: Actor, incident: Incident, target: Status, leads_reason: str) -> dict[str, Any]:
    """What the entry says of leads that stay open; nothing where none does.

    Raises:
        ValidationError: somebody else than the commander wants to sign.
    """
    reason = leads_reason.strip()
    if not reason or not incident.leads_open or not leads_guard(incident.stage, target):
        return {}
    if not may_sign(incident, actor.actor_kind, actor.pk):
        raise ValidationError("Only the commander can sign that the incident goes on while leads have no result.")
    return {"leads": incident.leads_open, "leads_reason": reason}


@action
def set_status(
    *,
    actor: Actor,
    incident: Incident,
    status: str,
    reason: str = "",
    resolution: str = "",
    seen: str = "",
    leads_reason: str = "",
) -> Incident:
    """Take a step. `seen` is the status the person saw; if somebody was faster, nothing happens twice.

    `leads_reason` is the commander's signature where leads without a result would be left behind.

    Raises:
        ValidationError: a guard is unmet (each message names what is missing), a jump or a step back has no reason,
            the status is not what the person saw, or who signs is not the commander.
    """
    incident = Incident.objects.lock(incident.pk)
    target, before = Status(status), incident.stage
    if seen and seen != before:
        raise ValidationError(f"Somebody else set it to {before.label} meanwhile. Look again before you change it.")
    if target is before:
        raise ValidationError(f"The incident is {before.label} already.")
    if incident.merged_into_id is not None:
        raise ValidationError("A merged incident stays closed: its work goes on in the other one.")
    if target is not before.next and not reason.strip():
        raise ValidationError("A step that is not the next one needs a written reason.")
    how = (resolution or Resolution.RESOLVED) if target is Status.CLOSED else ""
    signed = _signature(actor, incident, target, leads_reason)
    if missing := missing_for(incident, target, resolution=how, leads_reason=signed.get("leads_reason", "")):
        raise ValidationError(missing)
    incident.apply({"status": target.value, "resolution": how, **_stamps(incident, target)})
    verb = "incident.closed" if target is Status.CLOSED else "incident.status_changed"
    if before is Status.CLOSED:
        verb = "incident.reopened"
    journal.record(verb, actor=actor, subject=incident, reason=reason.strip(), to=target.value, **signed)
    return incident


@action
def assess_severity(*, actor: Actor, incident: Incident, severity: str, reason: str = "") -> Incident:
    """A person says how bad it is; leaving Detected asks for this."""
    incident = Incident.objects.lock(incident.pk)
    require_open(incident)
    if severity not in Severity.values:
        raise ValidationError("This is not a severity.")
    changed: dict[str, Any] = {"severity": severity, "severity_assessed_at": timezone.now()}
    if severity != incident.severity:
        changed |= {"post_mortem_approved_at": None, "post_mortem_approved_by": None}
    incident.apply(changed)
    journal.record(
        "incident.severity_assessed", actor=actor, subject=incident, severity=severity, reason=reason.strip()
    )
    return incident


@action
def approve_post_mortem(*, actor: Actor, incident: Incident, comment: str = "", seen: str = "") -> Incident:
    """Sign the post-mortem as it stands; changing its texts later takes the approval away.

    `seen` is the `post_mortem_digest` of what the approver read.

    Raises:
        ValidationError: root cause or lessons learned are missing, or are not what was read.
    """
    incident = Incident.objects.lock(incident.pk)
    require_open(incident)
    if seen and seen != incident.post_mortem_digest:
        raise ValidationError("The text was changed since you read it. Read it again before you approve it.")
    if not incident.root_cause.strip() or not incident.lessons_learned.strip():
        raise ValidationError("There is nothing to approve yet: write the root cause and the lessons learned first.")
    incident.apply({"post_mortem_approved_at": timezone.now(), "post_mortem_approved_by_id": actor.pk})
    journal.record("incident.post_mortem_approved", actor=actor, subject=incident, comment=comment.strip())
    return incident
