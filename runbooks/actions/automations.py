"""What a ticket does by itself: setting it, changing it, taking it away."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from core import journal
from core.actions import action
from core.actors import Actor
from core.models.work import WorkState
from runbooks.models import Automation, Run
from runbooks.registry import label_of
from tickets.actions.steps import locked
from tickets.models import Ticket

FIELDS = frozenset({"action", "parameters", "name", "trigger", "condition", "needs_approval", "retries"})


@action
def set_automation(*, actor: Actor, ticket: Ticket, version: int | None, fields: Mapping[str, Any]) -> Automation:
    """Give the ticket an automation (`version` None), or change the one it has, as the editor saw it in `version`.

    What has been set off by itself once is ready to be so again after a change. On a step of a run it has the values of
    that run.

    Raises:
        Conflict: somebody else changed the same meanwhile.
        ValidationError: the incident is closed, one has been given meanwhile, or it is waiting or running right now.
    """
    if unknown := set(fields) - FIELDS:
        raise ValidationError(f"These fields cannot be set: {', '.join(sorted(unknown))}.")
    ticket = locked(ticket)
    found = Automation.objects.filter(ticket=ticket).first()
    if found is None:
        run = Run.objects.filter(steps__ticket=ticket).order_by("pk").last()
        found = Automation(ticket=ticket, run=run, **fields)
        found.save(force_insert=True)
        Ticket.objects.filter(pk=ticket.pk).update(automated=True)
    elif version is None:
        raise ValidationError("Somebody gave this ticket an automation meanwhile: look at it first.")
    else:
        _require_idle(found)
        changed = found.merged(version=version, submitted=fields)
        if not changed:
            return found
        found.apply({**changed, "fired_at": None})
    journal.record(
        "automation.set", actor=actor, subject=found, changed=False, ticket=ticket.number, action=found.action,
        label=label_of(found.action), trigger=found.trigger,
    )  # fmt: skip
    return found


@action
def remove_automation(*, actor: Actor, automation: Automation) -> None:
    """Take it away. What has run once stays, so that what it did can be read.

    Raises:
        ValidationError: the incident is closed, or it has run.
    """
    ticket = locked(automation.ticket)
    found = Automation.objects.get(pk=automation.pk)
    if found.executions.exists():
        raise ValidationError("It has been carried out: it stays, for what it did to be read. Let it run on a click.")
    number = found.pk
    found.delete()
    found.pk = number
    Ticket.objects.filter(pk=ticket.pk).update(automated=False)
    journal.record(
        "automation.removed", actor=actor, subject=found, changed=False, ticket=ticket.number, action=found.action,
        label=label_of(found.action),
    )  # fmt: skip


def _require_idle(automation: Automation) -> None:
    if automation.executions.filter(state__in=[WorkState.QUEUED, WorkState.RUNNING]).exists():
        raise ValidationError("It is waiting or running right now: let it end, or cancel it first.")
