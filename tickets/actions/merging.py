"""Two incidents turn out to be one: the tree of one becomes a branch of the other."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident, IncidentLink, Status
from incidents.models.guards import require_open
from incidents.models.incidents import LinkKind
from incidents.models.lifecycle import Resolution
from tickets import tree
from tickets.actions.clocks import wind


@action
def merge_incidents(*, actor: Actor, source: Incident, target: Incident, reason: str) -> Incident:
    """Close `source` as merged; its tickets, with comments and files, become a branch of `target`.

    Raises:
        ValidationError: the same incident, one is closed, or a restricted one would become readable to more people.
    """
    if source.pk == target.pk:
        raise ValidationError("An incident cannot be merged into itself.")
    locked = {incident.pk: incident for incident in Incident.objects.lock_all(source.pk, target.pk)}
    source, target = locked[source.pk], locked[target.pk]
    require_open(source)
    require_open(target)
    if source.restricted and not target.restricted:
        raise ValidationError(
            f"{source.number} is restricted and {target.number} is not: restrict {target.number} first."
        )
    if source.customer_id != target.customer_id:
        raise ValidationError("They belong to different customers: nobody may read another customer's tickets.")
    branch = tree.add(target, parent=None, title=f"{source.number} {source.title}"[:200], description=reason)
    numbers = tree.hand_over(source, target, below=branch)
    branch = tree.fresh(target, branch.number)
    wound = wind(target, branch.get_descendants(include_self=True))  # this incident may be held to other targets
    tree.recount(target)
    IncidentLink.objects.get_or_create(source=source, target=target, kind=LinkKind.DUPLICATE)
    source.apply(
        {
            "status": Status.CLOSED.value,
            "resolution": Resolution.MERGED.value,
            "merged_into": target,
            "closed_at": timezone.now(),
        }
    )
    turned = {number: states for number, states in wound.items() if states[0] != states[1]}
    entries: list[tuple[Incident, str, dict[str, Any]]] = [
        (source, "incident.merged", {"into": target.pk, "number": target.number, "tickets": numbers}),
        (
            target,
            "incident.absorbed",
            {"from": source.pk, "number": source.number, "tickets": numbers, **({"clocks": turned} if turned else {})},
        ),
    ]
    for incident, verb, data in sorted(entries, key=lambda entry: entry[0].pk):
        journal.record(verb, actor=actor, subject=incident, changed=incident is source, reason=reason, **data)
    return target
