"""Samples of the actions about automations, for the tests that go through all actions (tests/samples.py)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils import timezone

from comms.actions import announcements
from core.actors import SYSTEM
from runbooks.actions import automations, escalations, executions
from runbooks.models import Automation, Escalation, Execution, Waiting
from tests.world import World
from tickets.models import Ticket

FIELDS = {"action": "set_status", "parameters": {"status": "doing"}}


def _second(world: World) -> Ticket:
    return Ticket.objects.get(incident=world.incident, number=102)


def _given(world: World, **fields: Any) -> Automation:
    bob = world.people["bob"]
    return automations.set_automation(actor=bob, ticket=_second(world), version=None, fields={**FIELDS, **fields})


def _asked(world: World, *, approval: bool = False) -> Execution:
    return executions.ask(actor=world.people["bob"], automation=_given(world), needs_approval=approval, shown={})


def _claimed(world: World) -> Execution:
    found = Execution.claim(_asked(world).pk)
    assert found is not None
    return found


def _questioned(world: World) -> Execution:
    execution = _claimed(world)
    executions.wait(actor=SYSTEM, execution=execution, waiting=Waiting.ANSWER, question={"text": "?", "fields": []})
    return Execution.objects.get(pk=execution.pk)


def _about(act: Callable[..., Any], make: Callable[[World], Any], name: str, who: str = "", **fields: Any) -> Any:
    """The call of an action about what `make` makes, by this person or the system."""
    return lambda world: partial(act, actor=world.people[who] if who else SYSTEM, **{name: make(world)}, **fields)


def _escalated(world: World) -> Escalation:
    found = escalations.escalate(actor=SYSTEM, incident=world.incident, condition="severity == 'high'", what="Call")
    assert found is not None
    return found


SAMPLES: dict[str, Any] = {
    "comms.actions.announcements.announce": lambda world: partial(
        announcements.announce, actor=SYSTEM, ticket=_second(world), people=[world.people["bob"]], text="Look"
    ),
    "runbooks.actions.escalations.escalate": _about(
        escalations.escalate, lambda world: world.incident, "incident", condition="affectedUsers > 50", what="Call"
    ),
    "runbooks.actions.escalations.end_escalation": _about(escalations.end_escalation, _escalated, "escalation"),
    "runbooks.actions.automations.set_automation": _about(
        automations.set_automation, _second, "ticket", "bob", version=None, fields=FIELDS
    ),
    "runbooks.actions.automations.remove_automation": _about(
        automations.remove_automation, _given, "automation", "bob"
    ),
    "runbooks.actions.executions.ask": _about(
        executions.ask, _given, "automation", "bob", needs_approval=False, shown={"status": "doing"}
    ),
    "runbooks.actions.executions.set_off": _about(
        executions.set_off,
        partial(_given, trigger="start"),
        "automation",
        asked_by=None,
        needs_approval=False,
        shown={},
    ),
    "runbooks.actions.executions.approve": _about(
        executions.approve, partial(_asked, approval=True), "execution", "alice"
    ),
    "runbooks.actions.executions.decline": _about(
        executions.decline, partial(_asked, approval=True), "execution", "alice", reason="Not now"
    ),
    "runbooks.actions.executions.answer": _about(
        executions.answer, _questioned, "execution", "bob", answers={"host": "FS01"}
    ),
    "runbooks.actions.executions.cancel": _about(executions.cancel, _asked, "execution", "bob"),
    "runbooks.actions.executions.wait": _about(
        executions.wait, _claimed, "execution", waiting=Waiting.TIME, until=timezone.now()
    ),
    "runbooks.actions.executions.retry": _about(executions.retry, _claimed, "execution", error="Nobody answered"),
    "runbooks.actions.executions.finish": _about(
        executions.finish, _claimed, "execution", outcome="It is done", output={"status": 200}
    ),
}
