"""The map in a report: pages lying on their side, readable, with every ticket drawn once or counted as not drawn."""

import io
from collections.abc import Callable

import pytest
from django.core.files.storage import default_storage
from hypothesis import given
from pypdf import PdfReader

from core.models.work import WorkState
from incidents.models import Incident
from people.models import User
from reporting import pdf, tasks
from reporting.actions import reports as actions
from reporting.queries.maps import LEVELS, LINES, PAGES, lines, pages, sheets
from tests.servers import skip_or_fail
from tests.tickets.test_map import trees
from tickets.models import Ticket
from tickets.queries.map import Box, ticket_box

Make = Callable[..., Ticket]


def boxes_of(levels: list[int]) -> list[Box]:
    """A tree of boxes, each knowing how many are below it."""
    found = []
    for at, level in enumerate(levels):
        below = 0
        while at + below + 1 < len(levels) and levels[at + below + 1] > level:
            below += 1
        found.append(
            ticket_box(
                number=101 + at, level=level, title=f"Ticket {at}", who="Bob", over="", category="todo", status="Open",
                lead="", is_ended=False, total=below, done=0, busy=0,
            )
        )  # fmt: skip
    return found


ROOT = ticket_box(
    number=0, level=0, title="All", who="", over="", category="todo", status="", lead="", is_ended=False, total=0,
    done=0, busy=0,
)  # fmt: skip


@given(trees())
def test_every_ticket_is_drawn_once_or_counted_below_one_that_is(levels: list[int]) -> None:
    drawn = [box for page in pages(boxes_of(levels)) for box in page]
    numbers = [box.number for box in drawn]
    assert numbers == sorted(set(numbers))
    if len(pages(boxes_of(levels))) < PAGES:
        assert len(drawn) + sum(box.left_out for box in drawn) == len(levels)


@given(trees())
def test_no_page_holds_more_than_can_be_read(levels: list[int]) -> None:
    found = pages(boxes_of(levels))
    assert len(found) <= PAGES
    for page in found:
        assert lines(page) <= LINES
        assert max(box.level for box in page) <= LEVELS


def test_a_tree_of_thousands_fills_no_more_than_six_pages() -> None:
    levels = [level for _ in range(400) for level in (1, 2, 3, 3, 4)]
    found = sheets(ROOT, boxes_of(levels))
    assert len(found) == PAGES
    assert found[0].missing > 0


def test_the_report_shows_the_map_on_pages_of_its_own(alice: User, incident: Incident, make_ticket: Make) -> None:
    if not pdf.available():
        skip_or_fail(pdf.MISSING)
    top = make_ticket("Domain controller DC01", lead=True)
    make_ticket("Golden <b>ticket</b> & krbtgt", parent=top)
    job = actions.request_report(actor=alice, incident=incident, comments=[])
    tasks.make_report(job.pk)
    job.refresh_from_db()
    assert job.state == WorkState.DONE, job.error
    with default_storage.open(job.key) as file:
        found = PdfReader(io.BytesIO(file.read())).pages
    lying = [page for page in found if page.mediabox.width > page.mediabox.height]
    assert len(lying) == 1
    words = " ".join(lying[0].extract_text().split())
    for said in ("Map of the investigation", "Domain controller DC01", "Golden <b>ticket</b> & krbtgt", "lead open"):
        assert said in words
    assert "3 Record" in found[-1].extract_text()
    assert found[-1] not in lying


def test_an_incident_without_tickets_has_no_map() -> None:
    assert sheets(ROOT, []) == []


@pytest.mark.parametrize("count", [LINES, LINES + 1])
def test_a_branch_too_long_for_a_page_is_drawn_less_deep(count: int) -> None:
    [page] = pages(boxes_of([1, *[2] * count]))
    assert len(page) == (count + 1 if count <= LINES else 1)
    assert page[0].left_out == (0 if count <= LINES else count)
