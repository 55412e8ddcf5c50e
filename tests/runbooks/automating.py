"""Automations of a test: given to a ticket, asked for, and worked off as a worker does."""

from typing import Any

from people.models import User
from people.sealed import seal
from runbooks.actions import automations, executions
from runbooks.models import ActionSwitch, AllowedHost, Automation, Execution, Secret
from runbooks.queries.automations import PURPOSE, preview, rule_of
from tests.comms.working import work_off
from tickets.models import Ticket


def give(ticket: Ticket, by: User, action: str, parameters: dict[str, Any], **fields: Any) -> Automation:
    """Set it as the form does."""
    fields = {"action": action, "parameters": parameters, **fields}
    return automations.set_automation(actor=by, ticket=ticket, version=None, fields=fields)


def asked(automation: Automation, by: User, *, dry: bool = False) -> Execution:
    """Somebody clicks."""
    return executions.ask(
        actor=by, automation=automation, needs_approval=rule_of(automation).needs_approval,
        shown=preview(automation)[0], dry=dry,
    )  # fmt: skip


def worked(execution: Execution) -> Execution:
    """All that waits is done; the execution as it is then."""
    work_off(Execution)
    return Execution.objects.get(pk=execution.pk)


def carried_out(automation: Automation, by: User, *, dry: bool = False) -> Execution:
    """Asked for and done."""
    return worked(asked(automation, by, dry=dry))


def switch(action: str, *, approval: bool = False) -> None:
    """An admin turns an action on."""
    ActionSwitch.objects.update_or_create(action=action, defaults={"enabled": True, "needs_approval": approval})


def allow(port: int, host: str = "127.0.0.1") -> None:
    """An admin lets automations reach a host."""
    AllowedHost.objects.get_or_create(host=host, port=port, defaults={"reason": "A test"})


def hide(name: str, value: str, hosts: str = "*") -> None:
    """An admin writes a secret."""
    Secret.objects.create(name=name, hosts=hosts, sealed=seal(value, purpose=PURPOSE))
