"""The actions that automations can carry out. One dict; rooms above and plug-ins add to it, nothing here changes.

A plug-in is a package with an entry point in the group `treeline.actions` that names an `ActionKind`:

    [project.entry-points."treeline.actions"]
    open_ticket = "acme_treeline:OPEN_TICKET"
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Literal

from core.actors import Actor
from incidents.models import Incident
from tickets.models import Ticket

log = logging.getLogger(__name__)
Values = dict[str, Any]
GROUP = "treeline.actions"


class Failed(Exception):
    """The action could not be done; the text is for people. `again` says whether a later try may succeed.

    `after`: seconds that the other side asks to be left alone; the next try comes no sooner, but within an hour.
    """

    def __init__(self, text: str, *, again: bool = False, after: float | None = None) -> None:
        super().__init__(text)
        self.again, self.after = again, after


@dataclass(frozen=True)
class Parameter:
    """One parameter, as the form asks for it and as `parameters` are checked by."""

    name: str
    kind: Literal["text", "long", "number", "flag", "choice", "list", "mapping"] = "text"
    label: str = ""
    required: bool = False
    default: Any = None
    choices: tuple[tuple[str, str], ...] = ()
    help: str = ""
    task_lines: bool = False  # a text of them: values stay text in the title or description where they stand


@dataclass(frozen=True)
class Hidden:
    """A secret that these parameters hold: its value, and the hosts it may be sent to (`*`: any)."""

    name: str
    value: str
    hosts: frozenset[str]


@dataclass(frozen=True)
class Call:
    """What an action is called with: parameters with their templates filled, and where it happens."""

    incident: Incident
    ticket: Ticket
    actor: Actor
    parameters: Mapping[str, Any]
    key: str  # the same for every try of one execution: lets the other side tell that it had this before
    log: Callable[[str], None]
    context: Mapping[str, Any]  # what templates see: values, incident, ticket, the steps that they name
    since: dt.datetime  # when it was begun first, waits and tries before among it
    answers: Mapping[str, Any] = field(default_factory=dict)  # of a form, the second time that `ask_human` is called
    answered_by: str = ""
    approved_by: str = ""  # who let it go on, where somebody had to
    hidden: tuple[Hidden, ...] = ()


@dataclass(frozen=True)
class Done:
    """It was done: `output` is for later steps (JSON), `outcome` one or a few lines of Markdown for the ticket."""

    output: Values = field(default_factory=dict)
    outcome: str = ""


@dataclass(frozen=True)
class Ask:
    """Somebody has to answer first: `fields` are parameters of a form."""

    text: str
    fields: tuple[Parameter, ...]


@dataclass(frozen=True)
class Wait:
    """Not yet: for an approval, or until a time."""

    until: dt.datetime | None = None
    approval: str = ""


Answer = Done | Ask | Wait


@dataclass(frozen=True)
class ActionKind:
    """One action. `run` is called in a worker.

    `inside`: `run` changes our own data by actions, in the transaction that also ends the execution, so it happens
    exactly once. Otherwise it is called outside of any transaction, may use the network, and may happen twice where a
    worker dies: `Call.key` tells.
    `outward`: it reaches out of Treeline; off until an admin turns it on. `dangerous`: asks for an approval first,
    unless an admin's switch says otherwise. `dry`: what it would do, in words, without doing it.
    """

    name: str
    label: str
    run: Callable[[Call], Answer]
    dry: Callable[[Call], str]
    parameters: tuple[Parameter, ...] = ()
    help: str = ""
    icon: str = "zap"
    inside: bool = False
    outward: bool = False
    dangerous: bool = False
    checks_hosts: bool = False  # it sends each secret only where that may go; others get none that is for some hosts


ACTIONS: dict[str, ActionKind] = {}


def label_of(action: str) -> str:
    """What people call it; its name where there is no such action, as after a plug-in was removed."""
    return ACTIONS[action].label if action in ACTIONS else action


def load_plugins() -> None:
    """Register what installed packages offer; one that is broken is left out, with a line in the log."""
    for point in entry_points(group=GROUP):
        try:
            kind = point.load()
            if not isinstance(kind, ActionKind):
                raise TypeError("it is no ActionKind")
            register(kind)
        except Exception:
            log.exception("The action %s of a plug-in is left out.", point.name)


def register(*kinds: ActionKind) -> None:
    """Add actions (in a room's `ready`); a name is given once."""
    for kind in kinds:
        if ACTIONS.get(kind.name, kind) is not kind:
            raise ValueError(f"There are two actions named {kind.name}.")
        ACTIONS[kind.name] = kind
