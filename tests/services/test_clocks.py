"""Several workers sweep the clocks at once, and people change tickets meanwhile: each turn is written down once."""

import datetime as dt
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections
from django.utils import timezone

from core.models import JournalEntry
from core.verify import verify
from incidents.models import Incident
from people.models import User
from tests.servers import skip_or_fail
from tickets import clocks, tasks
from tickets.actions import tickets as actions
from tickets.models import Ticket

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
TICKETS, WORKERS = 60, 4


def test_four_workers_write_each_turn_once(incident: Incident, alice: User, make_ticket: Callable[..., Ticket]) -> None:
    if connection.vendor != "postgresql":
        skip_or_fail("DATABASE_URL names no PostgreSQL (python -m tests.servers pytest -m services sets it).")
    made = [make_ticket(f"Ticket {number}") for number in range(TICKETS)]
    begun = timezone.now() - dt.timedelta(days=3)
    target = clocks.target_of(incident, "normal")
    for ticket in made:
        ticket.created_at = begun
        Ticket.objects.filter(pk=ticket.pk).update(created_at=begun, **clocks.wound(ticket, target, begun))

    def sweep(worker: int) -> None:
        try:
            if worker == WORKERS:
                for ticket in made[::6]:
                    actions.set_status(actor=alice, ticket=ticket, status="done")
            else:
                tasks.turn_clocks()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WORKERS + 1) as pool:
        list(pool.map(sweep, range(WORKERS + 1)))
    turned = Counter(JournalEntry.objects.filter(verb="ticket.clock_changed").values_list("target_id", flat=True))
    assert set(turned.values()) == {1}
    done = {str(ticket.pk) for ticket in made[::6]}
    assert {str(ticket.pk) for ticket in made} - done <= turned.keys()
    left = Ticket.objects.filter(incident=incident).without_root().unfinished().values_list("clock_state", flat=True)
    assert Counter(left) == {"breached": TICKETS - len(done)}
    assert list(clocks.broken(incident)) == []
    verify()
