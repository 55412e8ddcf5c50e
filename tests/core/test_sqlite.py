"""Our SQLite engine asks the library how many values a statement takes, and never sends more."""

import sqlite3
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.actions import save_together
from incidents.models import Incident
from people.models import User
from tickets.actions.quick import Sprout, plant_branch
from tickets.models import Ticket

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no such limit."),
]
FEW = 300
COLUMNS = ["title", "headline", "outcome", "hypothesis"]  # a row is 2 × 4 + 1 values of one UPDATE


@pytest.fixture
def limited(db: None) -> Iterator[None]:
    """As a library that was built with a lower limit."""
    connection.ensure_connection()
    before = connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, FEW)
    yield
    connection.connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, before)


@pytest.fixture
def hundred(incident: Incident, alice: User) -> list[Ticket]:
    return plant_branch(actor=alice, incident=incident, parent=None, sprouts=[Sprout(1, f"T{n}") for n in range(100)])


def test_a_change_of_more_than_the_library_takes_goes_out_in_parts(hundred: list[Ticket], limited: None) -> None:
    for at, row in enumerate(hundred):
        row.title, row.headline, row.outcome, row.hypothesis = (f"{name} {at}" for name in COLUMNS)
    save_together(hundred, COLUMNS)
    found = Ticket.objects.in_bulk([row.pk for row in hundred])
    assert all(getattr(found[row.pk], name) == getattr(row, name) for row in hundred for name in COLUMNS)


def test_a_branch_of_more_than_the_library_takes_goes_in_in_parts(
    incident: Incident, alice: User, limited: None
) -> None:
    assert len(plant_branch(actor=alice, incident=incident, parent=None, sprouts=[Sprout(1, "T")] * 100)) == 100


def test_what_the_library_takes_goes_out_at_once(hundred: list[Ticket]) -> None:
    for at, row in enumerate(hundred):
        row.title, row.headline, row.outcome, row.hypothesis = (f"{name} {at}" for name in COLUMNS)
    with CaptureQueriesContext(connection) as queries:
        save_together(hundred * 2, COLUMNS)  # 1,800 values, twice what Django's own engine sends
    assert len([one for one in queries if one["sql"].startswith("UPDATE")]) == 1
