"""How incidents belong together."""

from django.core.exceptions import ValidationError

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident, IncidentLink
from incidents.models.incidents import LinkKind


@action
def link_incidents(*, actor: Actor, source: Incident, target: Incident, kind: str) -> IncidentLink:
    """Say how `source` belongs to `target`.

    Raises:
        ValidationError: it would be tied to itself, the tie exists, or parents would form a circle.
    """
    Incident.objects.lock_all(source.pk, target.pk)
    if source.pk == target.pk:
        raise ValidationError("An incident cannot be tied to itself.")
    if IncidentLink.objects.filter(source=source, target=target, kind=kind).exists():
        raise ValidationError("They are tied like this already.")
    if kind == LinkKind.PARENT and source.pk in _ancestors(target):
        raise ValidationError(f"{target.number} is part of {source.number} already: that would be a circle.")
    link = IncidentLink.objects.create(source=source, target=target, kind=kind)
    journal.record("incident.linked", actor=actor, subject=source, changed=False, kind=kind, target=target.pk)
    return link


def _ancestors(incident: Incident) -> set[int]:
    found: set[int] = {incident.pk}
    level = found
    while level:
        rows = IncidentLink.objects.filter(source__in=level, kind=LinkKind.PARENT).values_list("target_id", flat=True)
        level = set(rows) - found
        found = found | level
    return found


@action
def unlink_incidents(*, actor: Actor, link: IncidentLink) -> None:
    """Take a tie away; if somebody else has done so meanwhile, there is nothing to say twice."""
    Incident.objects.lock_all(link.source_id, link.target_id)
    if not IncidentLink.objects.filter(pk=link.pk).exists():
        return
    journal.record(
        "incident.unlinked", actor=actor, subject=link.source, changed=False, kind=link.kind, target=link.target_id
    )
    link.delete()
