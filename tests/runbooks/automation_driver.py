"""Steps of the proof that automations are done once, each its own process: -m tests.runbooks.automation_driver STEP.

`prepare COUNT` makes the work, `worker` is a real worker, `attend` sweeps as beat does until nothing waits.
"""

import json
import sys
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import django

LEASE = timedelta(seconds=3)  # instead of three minutes, so that the dead are missed sooner
PATIENCE = 600.0


def prepare(count: str) -> dict[str, object]:
    """Tickets whose automations add one ticket each, all asked for; nobody works yet."""
    from django.core.management import call_command  # noqa: PLC0415

    from core.actors import SYSTEM  # noqa: PLC0415
    from core.work import kinds  # noqa: PLC0415
    from incidents.actions.incidents import open_incident  # noqa: PLC0415
    from runbooks.actions import automations, executions  # noqa: PLC0415
    from tickets.actions.quick import Sprout, plant_branch  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    incident = open_incident(actor=SYSTEM, title="Thousand", reporter=None)
    sprouts = [Sprout(depth=1, title=f"Step {number}") for number in range(int(count))]
    for ticket in plant_branch(actor=SYSTEM, incident=incident, parent=None, sprouts=sprouts):
        fields = {"action": "create_tickets", "parameters": {"tasks": f"- [ ] Result {ticket.number}"}}
        automation = automations.set_automation(actor=SYSTEM, ticket=ticket, version=None, fields=fields)
        executions.ask(actor=SYSTEM, automation=automation, needs_approval=False, shown={})
    for kind in kinds():
        if kind.__name__ != "Execution":
            kind._default_manager.all().delete()
    return figures()


def figures() -> dict[str, object]:
    """Executions by state, and how many results there are, and how many of them twice."""
    from runbooks.models import Execution  # noqa: PLC0415
    from tickets.models import Ticket  # noqa: PLC0415

    titles = Counter(Ticket.objects.filter(title__startswith="Result").values_list("title", flat=True))
    states = Counter(Execution.objects.values_list("state", flat=True))
    return {"states": dict(states), "results": len(titles), "doubled": sum(many - 1 for many in titles.values())}


def attend() -> dict[str, object]:
    """Sweep until nothing waits."""
    from core import work  # noqa: PLC0415
    from runbooks.models import Execution  # noqa: PLC0415

    deadline = time.monotonic() + PATIENCE
    while Execution.objects.filter(state__in=["queued", "running"]).exists() and time.monotonic() < deadline:
        work.sweep()
        time.sleep(1)
    return figures()


def worker() -> None:
    """A real worker; it ends only by a signal."""
    from celery import current_app  # noqa: PLC0415

    current_app.worker_main(["worker", "--pool", "threads", "--concurrency", "1", "--loglevel", "WARNING"])


if __name__ == "__main__":
    django.setup()
    from runbooks.models import Execution

    Execution.lease = LEASE
    steps: dict[str, Any] = {"prepare": prepare, "figures": figures, "attend": attend, "worker": worker}
    print(json.dumps(steps[sys.argv[1]](*sys.argv[2:])))
