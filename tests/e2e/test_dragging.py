"""Several rows of the tree dragged at once: a dashed row says what would go where, before anything has gone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People

LINES = "- [ ] Mail\n  - [ ] Headers\n  - [ ] Attachment\n- [ ] Hosts\n- [ ] People\n- [ ] Rooms"


@pytest.fixture
def alice(people: People) -> Iterator[Page]:
    """Alice in the tree of a new incident, with the first of two rows below Mail and the row Hosts selected."""
    page = people.open("alice")
    number = steps.declare(page, "Several at once", commander="Alice Lindqvist")
    steps.paste(page, number, LINES)
    for title in ("Headers", "Hosts"):
        steps.row(page, title).focus()
        page.keyboard.press("x")
    yield page
    assert people.seen_by(page).all == []


def titles(page: Page) -> list[str]:
    """What is seen, from the top."""
    return page.locator("tr[data-id]:not([hidden]) .t").all_inner_texts()


def take(page: Page, source: Locator) -> None:
    """Press on the grip of a row and begin to move."""
    source.hover()
    grip = source.locator("button.grip").bounding_box()
    assert grip
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    page.mouse.move(grip["x"] + 40, grip["y"] + grip["height"] / 2, steps=3)


def hold_over(page: Page, target: Locator, part: float, words: str) -> None:
    """Move over a part of a row (0 its upper edge, 1 its lower) until the dashed row says these words.

    The dashed row makes room for itself, so the row may stand elsewhere than a moment before: the hand follows it.
    """
    ghost = page.locator("tr.ghost")
    for step in range(8):
        box = target.bounding_box()
        assert box
        page.mouse.move(box["x"] + 140 + step, box["y"] + box["height"] * part)
        if ghost.count() and words in ghost.inner_text():
            page.mouse.move(box["x"] + 150, box["y"] + box["height"] * part)  # the hand still trembles where it is
            break
    expect(ghost).to_contain_text(words)


@pytest.mark.parametrize(
    ("onto", "part", "words", "after"),
    [
        ("Rooms", 0.5, "2 tickets go here, in #{}", ["Mail", "Attachment", "People", "Rooms", "Headers", "Hosts"]),
        ("Rooms", 0.9, "2 tickets go here, after #{}", ["Mail", "Attachment", "People", "Rooms", "Headers", "Hosts"]),
        ("People", 0.1, "2 tickets go here, before #{}", ["Mail", "Attachment", "Headers", "Hosts", "People", "Rooms"]),
    ],
)
def test_selected_rows_go_together_where_the_dashed_row_said(
    alice: Page, onto: str, part: float, words: str, after: list[str]
) -> None:
    there = steps.row(alice, onto)
    take(alice, steps.row(alice, "Hosts"))
    hold_over(alice, there, part, words.format(steps.ticket_number(alice, onto)))
    expect(alice.locator("tr.is-dragging .t")).to_have_text(["Headers", "Hosts"])
    alice.mouse.up()
    parent = str(steps.ticket_number(alice, onto)) if part == 0.5 else ""
    for title in ("Headers", "Hosts"):
        expect(steps.row(alice, title)).to_have_attribute("data-parent", parent)
    assert titles(alice) == after
    expect(alice.locator("tr.ghost, tr.is-dragging, tr[draggable=true]")).to_have_count(0)
    steps.row(alice, "Hosts").focus()
    alice.keyboard.press("u")
    expect(steps.row(alice, "Headers")).to_have_attribute("data-parent", str(steps.ticket_number(alice, "Mail")))
    assert titles(alice) == ["Mail", "Headers", "Attachment", "Hosts", "People", "Rooms"]


def test_a_row_that_is_not_selected_goes_alone(alice: Page) -> None:
    take(alice, steps.row(alice, "People"))
    hold_over(alice, steps.row(alice, "Rooms"), 0.5, f"#{steps.ticket_number(alice, 'People')} goes here, in")
    alice.mouse.up()
    expect(steps.row(alice, "People")).to_have_attribute("data-parent", str(steps.ticket_number(alice, "Rooms")))
    assert titles(alice) == ["Mail", "Headers", "Attachment", "Hosts", "Rooms", "People"]


def test_selected_rows_do_not_go_into_one_of_themselves(alice: Page) -> None:
    steps.row(alice, "Mail").focus()
    alice.keyboard.press("x")
    take(alice, steps.row(alice, "Hosts"))
    box = steps.row(alice, "Attachment").bounding_box()
    assert box
    alice.mouse.move(box["x"] + 140, box["y"] + box["height"] / 2, steps=3)
    expect(alice.locator("tr.is-dragging")).to_have_count(3)
    expect(alice.locator("tr.ghost")).to_have_count(0)
    alice.mouse.up()
    expect(alice.locator("tr.is-dragging")).to_have_count(0)
    assert titles(alice) == ["Mail", "Headers", "Attachment", "Hosts", "People", "Rooms"]
