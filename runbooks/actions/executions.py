"""Carrying out automations: who asks, who agrees, who answers, and how each time ends. The work itself: engine.py."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor, Machine
from core.models.work import WorkState, after_grace
from core.work import wake
from incidents.models import Incident
from incidents.models.guards import require_open
from people.models import User
from runbooks import patience
from runbooks.models import Automation, Execution, Trigger, Waiting
from runbooks.registry import label_of
from tickets import tree
from tickets.actions.tickets import edit_ticket
from tickets.models import Category, Ticket

NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)  # the sweep wakes nobody who waits for a person
MOST_LOG, MOST_OUTCOME, MOST_OUTCOMES = 20_000, 2_000, 20_000


class LostLeaseError(DatabaseError):
    """Another worker has taken the execution over, or somebody has cancelled it: nothing of this try is kept."""


def machine(automation: Automation) -> Machine:
    """Who acts when an automation acts."""
    return Machine("automation", f"Automation of #{automation.ticket.number}", automation.pk)


def _locked(automation: Automation) -> Automation:
    """The automation as it is now, with its incident locked and open."""
    incident = Incident.objects.lock(automation.ticket.incident_id)
    require_open(incident)
    found = Automation.objects.select_related("ticket", "run").get(pk=automation.pk)
    found.ticket.incident = incident
    return found


def _note(verb: str, actor: Actor, execution: Execution, **data: Any) -> None:
    automation = execution.automation
    journal.record(
        verb, actor=actor, subject=execution, changed=False, ticket=automation.ticket.number, action=automation.action,
        label=label_of(automation.action), **data,
    )  # fmt: skip


# -- Before -----------------------------------------------------------------------------------------------------------
@action
def ask(
    *, actor: Actor, automation: Automation, needs_approval: bool, shown: Mapping[str, Any], dry: bool = False
) -> Execution:
    """Ask for one execution. `shown` is what its parameters are now: what an approval is given to.

    Raises:
        ValidationError: the incident is closed, the ticket is dropped, or the last one has not ended yet.
    """
    automation = _locked(automation)
    execution = _begin(automation, actor.pk if actor.actor_kind == "user" else None, needs_approval, shown, dry)
    _note("automation.asked", actor, execution, dry=dry)
    return execution


@action
def set_off(
    *, actor: Actor, automation: Automation, asked_by: User | None, needs_approval: bool, shown: Mapping[str, Any]
) -> Execution | None:
    """Ask for it because its ticket started or its condition holds; once. None where that happened already."""
    automation = _locked(automation)
    if automation.fired_at is not None or _pending(automation):
        return None
    automation.apply({"fired_at": timezone.now()})
    execution = _begin(automation, asked_by.pk if asked_by else None, needs_approval, shown, dry=False)
    _note("automation.asked", actor, execution, by=automation.trigger)
    return execution


def _pending(automation: Automation) -> bool:
    return automation.executions.filter(state__in=[WorkState.QUEUED, WorkState.RUNNING]).exists()


def _begin(
    automation: Automation, asked_by: int | None, needs_approval: bool, shown: Mapping[str, Any], dry: bool
) -> Execution:
    if automation.ticket.category == Category.DROPPED:
        raise ValidationError(f"#{automation.ticket.number} is dropped: take that back first.")
    if _pending(automation):
        raise ValidationError("It is waiting or running already.")
    waits = needs_approval and not dry
    execution = Execution.objects.create(
        automation=automation, dry=dry, asked_by_id=asked_by, input=dict(shown),
        waiting=Waiting.APPROVAL if waits else Waiting.NOTHING, due=NEVER if waits else after_grace(),
    )  # fmt: skip
    if not waits:
        wake(execution)
    return execution


def _still(execution: Execution, waiting: str) -> Execution:
    """The execution, locked with its incident, if it still waits for this.

    Raises:
        ValidationError: it does not.
    """
    automation = _locked(execution.automation)
    found = Execution.objects.filter(pk=execution.pk, state=WorkState.QUEUED, waiting=waiting).first()
    if found is None:
        raise ValidationError("It does not wait for that any more.")
    found.automation = automation
    return found


def _go_on(execution: Execution, fields: Mapping[str, Any]) -> None:
    for name, value in {**fields, "waiting": Waiting.NOTHING, "due": after_grace()}.items():
        setattr(execution, name, value)
    execution.save(update_fields=[*fields, "waiting", "due"])
    wake(execution)


@action
def approve(*, actor: User, execution: Execution, alone: bool = False, seen: str = "") -> Execution:
    """Let it be done as it is shown. `alone`: who asked confirms that they agree themselves, since nobody else leads.

    `seen` is the `shown_digest` of what the approver was shown.

    Raises:
        ValidationError: it does not wait for that, the person does not lead, or they asked for it and somebody else
            leads by now, or they did not confirm that nobody does; or what it would do is not what they were shown.
    """
    found = _still(execution, Waiting.APPROVAL)
    if seen and seen != found.shown_digest:
        raise ValidationError("What it would do has changed since you looked: look again before you agree.")
    asked_it = found.requester_id == actor.pk
    if not found.may_be_approved_by(actor):
        if "lead" not in found.access_root.permissions_for(actor):
            raise ValidationError("Only somebody who leads the incident can agree to it.")
        raise ValidationError(
            "Who asked for it cannot agree to it, nor who wrote what set itself off: "
            "let somebody else who leads look at it."
        )
    if asked_it and not alone:
        raise ValidationError("You asked for it yourself: confirm that nobody else here can agree.")
    _go_on(found, {"approved_by": actor})
    _note("automation.approved", actor, found, alone=asked_it)
    return found


@action
def decline(*, actor: User, execution: Execution, reason: str) -> Execution:
    """Say no, with a reason that who asked can read.

    Raises:
        ValidationError: there is no reason, or it does not wait for an approval.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why: whoever asked will want to know."})
    found = _still(execution, Waiting.APPROVAL)
    _cancelled(found, f"{actor} said no: {reason.strip()}")
    _note("automation.declined", actor, found, reason=reason.strip())
    return found


@action
def answer(*, actor: User, execution: Execution, answers: Mapping[str, Any]) -> Execution:
    """Give what was asked for; later steps use it.

    Raises:
        ValidationError: it does not wait for that.
    """
    found = _still(execution, Waiting.ANSWER)
    _go_on(found, {"answers": dict(answers), "answered_by": actor})
    _note("automation.answered", actor, found)
    return found


@action
def cancel(*, actor: Actor, execution: Execution) -> Execution:
    """End it: what waits is not done. What a worker is at right now ends without being kept, as far as it can.

    Raises:
        ValidationError: it has ended.
    """
    automation = _locked(execution.automation)
    pending = automation.executions.filter(state__in=[WorkState.QUEUED, WorkState.RUNNING])
    found = pending.filter(pk=execution.pk).first()
    if found is None:
        raise ValidationError("It has ended already.")
    found.automation = automation
    _cancelled(found, "Cancelled.")
    _note("automation.cancelled", actor, found)
    return found


def _cancelled(execution: Execution, error: str) -> None:
    execution.state, execution.error = WorkState.CANCELLED, error[:2000]
    execution.waiting, execution.finished_at = Waiting.NOTHING, timezone.now()
    execution.save(update_fields=["state", "error", "waiting", "finished_at"])


# -- After ------------------------------------------------------------------------------------------------------------
def _mine(execution: Execution, **fields: Any) -> None:
    """Write what this worker found out, if the execution is still this worker's.

    Raises:
        LostLeaseError: it is not.
    """
    rows = Execution.objects.filter(pk=execution.pk, state=WorkState.RUNNING, attempts=execution.attempts)
    if not rows.update(**fields):
        raise LostLeaseError(f"{execution} is not this worker's any more.")


@action
def wait(
    *,
    actor: Actor,
    execution: Execution,
    waiting: str,
    until: dt.datetime | None = None,
    question: Mapping[str, Any] | None = None,
    **kept: Any,
) -> None:
    """Put it back until somebody agrees or answers, or a time comes. Waiting for a person is no try that counts."""
    if waiting == Waiting.APPROVAL:
        kept["approved_by"] = None
    if waiting != Waiting.TIME:  # the sweep wakes what was never tried again and again, whatever its time
        kept["attempts"] = max(0, execution.attempts - 1)
    _mine(execution, state=WorkState.QUEUED, waiting=waiting, due=until or NEVER, question=dict(question or {}), **kept)
    _note("automation.waits", actor, execution, waiting=waiting)


@action
def retry(*, actor: Actor, execution: Execution, error: str, after: float | None = None, **kept: Any) -> None:
    """Put it back for another try, later each time, and not before the seconds that the other side asked for."""
    due = timezone.now() + dt.timedelta(seconds=patience.pause(execution.attempts, after))
    _mine(execution, state=WorkState.QUEUED, waiting=Waiting.TIME, due=due, error=error[:2000], **kept)
    _note("automation.delayed", actor, execution, reason=error)


@action
def finish(
    *, actor: Actor, execution: Execution, error: str = "", outcome: str = "", output: Mapping[str, Any], **kept: Any
) -> None:
    """End it: what it gave is kept and written into the ticket's outcome, in the transaction of its effect.

    Raises:
        LostLeaseError: it was taken over or cancelled meanwhile: the effect goes with the transaction.
    """
    incident = Incident.objects.lock(execution.automation.ticket.incident_id)
    state = WorkState.FAILED if error else WorkState.DONE
    _mine(
        execution, state=state, error=error[:2000], output=dict(output), finished_at=timezone.now(), **kept,
    )  # fmt: skip
    if not execution.dry and not error:
        _count(execution)
    if not execution.dry and incident.is_open:
        _tell(actor, execution, incident, f"failed: {error}" if error else outcome or "done")
    verb = "automation.failed" if error else "automation.dried" if execution.dry else "automation.done"
    _note(verb, actor, execution, **({"reason": error[:MOST_OUTCOME]} if error else {}))


def _count(execution: Execution) -> None:
    """Done by hand, with the condition it waits for or while its ticket has started: that is not done once more."""
    automation = Automation.objects.select_related("ticket").get(pk=execution.automation_id)
    has_come = automation.trigger == Trigger.CONDITION or (
        automation.trigger == Trigger.START and automation.ticket.category == Category.DOING
    )
    if automation.fired_at is None and has_come:
        automation.apply({"fired_at": timezone.now()})


def _tell(actor: Actor, execution: Execution, incident: Incident, text: str) -> None:
    """Write the result below what the ticket's outcome says already."""
    automation = execution.automation
    ticket: Ticket = tree.fresh(incident, automation.ticket.number)
    label = label_of(automation.action)
    name = f"{label} ({automation.name})" if automation.name else label
    told = f"{ticket.outcome}\n{name}: {text[:MOST_OUTCOME]}".strip()
    if len(told) <= MOST_OUTCOMES:
        edit_ticket(actor=actor, ticket=ticket, version=ticket.version, fields={"outcome": told})
