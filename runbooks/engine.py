"""Carrying out one execution that a worker has claimed: may it still, with what, and what becomes of the answer.

What may have changed since somebody asked is looked at again: the incident, the admin's switch, who asked and who
agreed and what they may do here by now, and whether it would still do what was agreed to. An action that changes our
own data runs in the transaction that ends the execution, so that it happens once, whatever dies when.
"""

import logging
import time
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone

from core.models.versions import Conflict
from runbooks.actions import executions as actions
from runbooks.expressions import holds
from runbooks.masks import masked, masked_data
from runbooks.models import Automation, Execution, Waiting
from runbooks.models.automations import MOST_RETRIES
from runbooks.queries.automations import Prepared, Rule, prepared, rule_of
from runbooks.registry import ActionKind, Answer, Ask, Call, Done, Failed, Hidden, Parameter, Wait
from runbooks.values import ExpressionError, plain
from tickets.models import Category

log = logging.getLogger(__name__)


@dataclass
class Try:
    """One try: what is written down about it, with every secret that it uses as dots."""

    execution: Execution
    began: float = field(default_factory=time.monotonic)
    lines: list[str] = field(default_factory=list)
    hidden: tuple[Hidden, ...] = ()
    shown: dict[str, Any] = field(default_factory=dict)

    def note(self, text: str) -> None:
        """A line of the log."""
        self.lines.append(f"{timezone.now():%H:%M:%S} {masked(text, self.hidden)}"[:4000])

    @property
    def kept(self) -> dict[str, Any]:
        """The columns about the try itself."""
        text = "\n".join(filter(None, [self.execution.log, *self.lines]))
        spent = (self.execution.duration_ms or 0) + int((time.monotonic() - self.began) * 1000)
        since = self.execution.started_at or timezone.now()
        return {
            "log": text[: actions.MOST_LOG], "duration_ms": spent, "started_at": since, "input": self.shown,
        }  # fmt: skip


# -- Whether ----------------------------------------------------------------------------------------------------------
def refusal(execution: Execution, automation: Automation, rule: Rule) -> str:
    """Why it may not be done now; empty where it may."""
    incident, asker, approver = automation.ticket.incident, execution.asked_by, execution.approved_by
    if not incident.is_open:
        return f"{incident.number} is closed."
    if rule.kind is None:
        return f"There is no action named {automation.action}: a plug-in is missing."
    if automation.ticket.category == Category.DROPPED:
        return "The ticket was dropped."
    if asker is not None and "work" not in incident.permissions_for(asker):
        return f"{asker}, who asked for it, does not work in this incident any more."
    if execution.dry:
        return ""
    if not rule.is_on:
        return f"{rule.kind.label} is turned off: an admin can turn it on."
    if approver is not None and "lead" not in incident.permissions_for(approver):
        return f"{approver}, who agreed to it, does not lead this incident any more."
    return ""


# -- Doing ------------------------------------------------------------------------------------------------------------
def carry_out(execution: Execution) -> None:
    """Do it, and write down what became of it.

    Raises:
        LostLeaseError: it was taken over or cancelled: nothing of this try is kept.
        DatabaseError, OSError: the house is in trouble, not the action.
    """
    rows = Automation.objects.select_related("ticket__incident", "run")
    automation = rows.get(pk=execution.automation_id)
    execution.automation = automation
    rule, this = rule_of(automation), Try(execution)
    actor = actions.machine(automation)
    if (why := refusal(execution, automation, rule)) or rule.kind is None:
        actions.finish(actor=actor, execution=execution, error=why, output={}, **this.kept)
        return
    try:
        ready = prepared(automation, rule.kind)
        if automation.condition and not holds(automation.condition, ready.context):
            raise ExpressionError(f"Its condition does not hold: {automation.condition}")
    except ExpressionError as problem:
        actions.finish(actor=actor, execution=execution, error=str(problem), output={}, **this.kept)
        return
    this.hidden, this.shown = ready.hidden, masked_data(ready.shown, ready.hidden)
    if not execution.dry and rule.needs_approval and not _agreed(execution, ready):
        this.note(
            "What it would do has changed since somebody agreed." if execution.approved_by else "Approval needed."
        )
        actions.wait(actor=actor, execution=execution, waiting=Waiting.APPROVAL, **this.kept)
        return
    call = _call(execution, automation, this, ready)
    if execution.dry:
        _try_dry(this, rule.kind, call)
    elif rule.kind.inside:
        _inside(this, rule.kind, call)
    else:
        _conclude(this, rule.kind, _run(this, rule.kind, call))


def _agreed(execution: Execution, ready: Prepared) -> bool:
    """Somebody agreed, and to this: a title or an answer that changed since may have made it something else."""
    return execution.approved_by_id is not None and execution.input == plain(ready.shown)


def _call(execution: Execution, automation: Automation, this: Try, ready: Prepared) -> Call:
    return Call(
        incident=automation.ticket.incident, ticket=automation.ticket, actor=actions.machine(automation),
        parameters=ready.parameters, key=str(execution.key), log=this.note, context=ready.context,
        since=execution.started_at or timezone.now(), answers=execution.answers, hidden=ready.hidden,
        answered_by=str(execution.answered_by or ""), approved_by=str(execution.approved_by or ""),
    )  # fmt: skip


def _run(this: Try, kind: ActionKind, call: Call) -> Answer | Failed:
    """Call the action; whatever it throws is a failure with words, and never a secret in the log."""
    try:
        return kind.run(call)
    except Failed as failed:
        return failed
    except ValidationError as refused:
        return Failed(" ".join(refused.messages))
    except Conflict as conflict:
        return Failed(str(conflict), again=True)
    except DatabaseError:  # the house is in trouble: it is tried again
        raise
    except Exception as problem:  # noqa: BLE001 - somebody else's code; its message may hold what must not be logged
        log.error("%s raised %s.", kind.name, type(problem).__name__)
        return Failed(f"{kind.label} broke off ({type(problem).__name__}).")


def _try_dry(this: Try, kind: ActionKind, call: Call) -> None:
    try:
        told = kind.dry(call)
    except Failed as failed:
        told = f"It would fail: {failed}"
    except Exception as problem:  # noqa: BLE001 - as above
        told = f"It cannot be tried: {type(problem).__name__}."
    told = masked(told, this.hidden)
    this.note(told)
    actions.finish(actor=call.actor, execution=this.execution, output={"would": told[:4000]}, **this.kept)


class _Undo(Exception):
    """Takes back what an action did before it failed."""


def _inside(this: Try, kind: ActionKind, call: Call) -> None:
    """The effect and its end are one transaction."""
    answer: Answer | Failed = Failed("Nothing was done.")
    try:
        with transaction.atomic():
            answer = _run(this, kind, call)
            if isinstance(answer, Failed):
                raise _Undo
            _conclude(this, kind, answer)
    except _Undo:
        _conclude(this, kind, answer)


def _conclude(this: Try, kind: ActionKind, answer: Answer | Failed) -> None:
    execution, actor = this.execution, actions.machine(this.execution.automation)
    if isinstance(answer, Failed):
        _fail(this, answer)
    elif isinstance(answer, Ask):
        question = {"text": masked(answer.text, this.hidden), "fields": [_asked(one) for one in answer.fields]}
        this.note("Waits for an answer.")
        actions.wait(actor=actor, execution=execution, waiting=Waiting.ANSWER, question=question, **this.kept)
    elif isinstance(answer, Wait):
        until = answer.until
        question = {"text": masked(answer.approval, this.hidden)}
        this.note(f"Waits until {until:%Y-%m-%d %H:%M} UTC." if until else "Waits for an approval.")
        waiting = Waiting.TIME if until else Waiting.APPROVAL
        actions.wait(actor=actor, execution=execution, waiting=waiting, until=until, question=question, **this.kept)
    else:
        _done(this, answer)


def _done(this: Try, answer: Done) -> None:
    execution = this.execution
    outcome = masked(answer.outcome, this.hidden)
    this.note(outcome or "Done.")
    try:
        output = masked_data(plain(answer.output), this.hidden)
    except ExpressionError as problem:
        _fail(this, Failed(f"It was done, but what it gave cannot be kept: {problem}"))
        return
    actions.finish(
        actor=actions.machine(execution.automation), execution=execution, outcome=outcome, output=output, **this.kept
    )


def _fail(this: Try, failed: Failed) -> None:
    execution, text = this.execution, masked(str(failed), this.hidden)
    this.note(text)
    actor, most = actions.machine(execution.automation), min(execution.automation.retries, MOST_RETRIES)
    if failed.again and execution.attempts <= most:
        actions.retry(actor=actor, execution=execution, error=text, after=failed.after, **this.kept)
        return
    actions.finish(actor=actor, execution=execution, error=text, output={}, **this.kept)


def _asked(one: Parameter) -> dict[str, Any]:
    """A field of a form, as it is kept until somebody answers."""
    return {
        "name": one.name, "kind": one.kind, "label": one.label or one.name, "required": one.required,
        "choices": [list(pair) for pair in one.choices], "help": one.help,
    }  # fmt: skip
