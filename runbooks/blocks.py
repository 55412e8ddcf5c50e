"""An `action` block as columns of an automation, and back: some keys of its parameters say when and how it is done."""

import re
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError

from runbooks import tasklines
from runbooks.expressions import SECRETS, check_condition, check_template, secrets_in
from runbooks.models import Automation, Trigger
from runbooks.models.automations import MOST_RETRIES
from runbooks.registry import ACTIONS
from runbooks.tasklines.automation import strings_of
from runbooks.values import ExpressionError

KEYS = ("on", "when", "approve", "retries", "as")
MOST_CONDITION = 500
MOST_ACTION = 60
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def columns(block: tasklines.Automation) -> dict[str, Any]:
    """Columns of an Automation, parameters unfilled; without `on`, a condition is what it waits for, else a click.

    Raises:
        ValidationError: one of the keys says something that it cannot say.
    """
    said = {key: block.parameters[key] for key in KEYS if key in block.parameters}
    when, name = said.get("when", ""), said.get("as", "")
    trigger = said.get("on", Trigger.CONDITION if when else Trigger.CLICK)
    retries, approve = said.get("retries", 0), said.get("approve", False)
    problems = {
        "on is one of start, click and condition": trigger not in Trigger.values,
        f"when is a condition in quotes, of at most {MOST_CONDITION} characters": not isinstance(when, str)
        or len(when) > MOST_CONDITION,
        "on: condition needs when: “…”": trigger == Trigger.CONDITION and not when,
        "approve is true or false": not isinstance(approve, bool),
        f"retries is a number from 0 to {MOST_RETRIES}": type(retries) is not int or not 0 <= retries <= MOST_RETRIES,
        "as is a name of small letters, digits and _, at most 40": bool(name)
        and not (isinstance(name, str) and _NAME.fullmatch(name)),
        f"a name of an action has at most {MOST_ACTION} characters": len(block.name) > MOST_ACTION,
    }
    if wrong := [words for words, is_so in problems.items() if is_so]:
        raise ValidationError([f"In the automation {block.name[:MOST_ACTION]}: {words}." for words in wrong])
    return {
        "action": block.name, "parameters": {k: v for k, v in block.parameters.items() if k not in KEYS},
        "trigger": trigger, "condition": when, "needs_approval": approve, "retries": retries, "name": name or "",
    }  # fmt: skip


def wrong(block: tasklines.Automation) -> list[str]:
    """All that would keep it from working, in words: better heard by who writes it than by who needs it."""
    try:
        said = columns(block)
    except ValidationError as refused:
        return refused.messages
    return [f"In the automation {block.name}: {words}" for words in _wrong(said)]


def _wrong(said: dict[str, Any]) -> Iterator[str]:
    kind, parameters = ACTIONS.get(said["action"]), said["parameters"]
    if kind is None:
        yield f"there is no such action. Possible: {', '.join(sorted(ACTIONS))}."
        return
    if missing := [one.name for one in kind.parameters if one.required and parameters.get(one.name) in (None, "")]:
        yield f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing."
    try:
        if said["condition"]:
            check_condition(said["condition"])
        for text in strings_of(parameters):
            check_template(text)
        if secrets_in(parameters) and not kind.outward:
            yield f"{{{{ {SECRETS}.… }}}} is only for actions that reach out of Treeline."
    except ValidationError as refused:
        yield from refused.messages
    except ExpressionError as problem:
        yield str(problem)


def block(automation: Automation) -> tasklines.Automation:
    """The block that is read as this automation."""
    usual = Trigger.CONDITION if automation.condition else Trigger.CLICK
    said: dict[str, Any] = {
        "on": automation.trigger if automation.trigger != usual else None, "when": automation.condition or None,
        "approve": automation.needs_approval or None, "retries": automation.retries or None,
        "as": automation.name or None,
    }  # fmt: skip
    kept = {key: value for key, value in said.items() if value is not None}
    return tasklines.Automation(name=automation.action, parameters={**automation.parameters, **kept})
