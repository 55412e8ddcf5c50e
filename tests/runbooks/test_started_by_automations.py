"""Runbooks that automations start: those that start each other come to an end, and say why."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from core.models import Reaction
from incidents.models import Incident
from people.models import User
from runbooks.actions import starts
from runbooks.actions.starts import MOST_BY_THEMSELVES, run_runbook
from runbooks.models import Document, Execution, Run
from tests.comms.working import work_off
from tests.runbooks.automating import carried_out, give
from tickets.models import Ticket

WHY = "Automations have started 50 runbooks in this incident within an hour"


@pytest.fixture
def ticket(make_ticket: Callable[..., Ticket]) -> Ticket:
    return make_ticket("Start it")


@pytest.fixture
def isolate(make_runbook: Callable[..., Document]) -> Document:
    return make_runbook("isolate", "- [ ] Isolate\n")


def runs(document: Document, incident: Incident, count: int, by: User | None = None) -> None:
    """Runs that have started already."""
    version = document.active
    assert version is not None
    Run.objects.bulk_create([Run(incident=incident, of=version, started_by=by) for _ in range(count)])


def started(ticket: Ticket, bob: User) -> Execution:
    return carried_out(give(ticket, bob, "run_runbook", {"runbook": "isolate"}), bob)


def test_automations_start_so_many_runbooks_and_then_say_that_it_is_enough(ticket, make_ticket, bob, isolate) -> None:
    runs(isolate, ticket.incident, MOST_BY_THEMSELVES - 1)
    assert started(ticket, bob).state == "done"
    other = make_ticket("Start it again")
    failed = started(other, bob)
    assert (failed.state, failed.error[: len(WHY)]) == ("failed", WHY)
    assert Run.objects.count() == MOST_BY_THEMSELVES
    assert WHY in Ticket.objects.get(pk=other.pk).outcome
    run_runbook(actor=bob, incident=ticket.incident, document=isolate, under=None, values={})  # bob still may


def test_what_people_started_and_what_runs_elsewhere_is_not_counted(ticket, bob, make_incident, isolate) -> None:
    runs(isolate, ticket.incident, MOST_BY_THEMSELVES, by=bob)
    runs(isolate, make_incident("Another"), MOST_BY_THEMSELVES)
    assert started(ticket, bob).state == "done"


def test_after_an_hour_they_start_again(ticket, bob, isolate) -> None:
    runs(isolate, ticket.incident, MOST_BY_THEMSELVES)
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=True):
        assert started(ticket, bob).state == "done"


def test_runbooks_that_start_each_other_come_to_an_end(ticket, bob, make_runbook, monkeypatch) -> None:
    """Four that each start the three others would be 16 runs, and ten such a million."""
    monkeypatch.setattr(starts, "MOST_BY_THEMSELVES", 8)
    names = ["one", "two", "three", "four"]
    step = (
        "- [ ] Start {0}\n  ```action\n  run_runbook: {{runbook: {0}, on: condition, when: 'not restricted'}}\n  ```\n"
    )
    for name in names:
        make_runbook(name, "".join(step.format(other) for other in names if other != name))
    assert carried_out(give(ticket, bob, "run_runbook", {"runbook": "one"}), bob).state == "done"
    work_off(Reaction, Execution)
    assert Run.objects.count() == 8
    failed = Execution.objects.filter(state="failed")
    assert failed.filter(error__startswith="Automations have started 8 runbooks").exists()
    assert not Execution.objects.filter(state__in=["queued", "running"]).exists()
