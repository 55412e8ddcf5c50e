"""A tree of more than a thousand tickets: branches below the first levels are fetched when somebody opens them."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People

PARTS, STEPS = 10, 101  # 2 branches, 10 parts, 1,010 steps: more than what one page carries unasked


def lines() -> str:
    """Two branches; the first has ten parts with 101 steps each."""
    found = ["- [ ] Hosts"]
    for part in range(PARTS):
        found.append(f"  - [ ] Network {part}")
        found += [f"    - [ ] Host {part}.{step}" for step in range(STEPS)]
    return "\n".join([*found, "- [ ] People"])


@pytest.fixture(scope="module")
def planted() -> dict[str, str]:
    """The number of the one incident of these tests, once it was made; each test reads it as a person of its own."""
    return {}


@pytest.fixture
def number(people: People, planted: dict[str, str]) -> str:
    if not planted:
        page = people.open("alice")
        planted["number"] = steps.declare(page, "A thousand hosts", commander="Alice Lindqvist")
        steps.paste(page, planted["number"], lines())
    return planted["number"]


def tree(people: People, name: str, number: str) -> Iterator[Page]:
    page = people.open(name)
    steps.go(page, number, "tree/")
    yield page
    assert people.seen_by(page).all == []


@pytest.fixture
def carol(people: People, number: str) -> Iterator[Page]:
    yield from tree(people, "carol", number)


@pytest.fixture
def bob(people: People, number: str) -> Iterator[Page]:
    yield from tree(people, "bob", number)


@pytest.fixture
def alice(people: People, number: str) -> Iterator[Page]:
    yield from tree(people, "alice", number)


def steps_of(page: Page, part: int) -> Locator:
    """The rows of a part that are on the page."""
    return page.locator("tr[data-id]").filter(has_text=f"Host {part}.")


def test_deep_branches_are_closed_and_come_when_they_are_opened(carol: Page) -> None:
    expect(carol.locator("tr[data-id]")).to_have_count(2 + PARTS)
    expect(carol.locator(".left-out")).to_contain_text(f"{PARTS * STEPS} of {2 + PARTS + PARTS * STEPS} tickets")
    part = steps.row(carol, "Network 3")
    expect(part).to_have_attribute("aria-expanded", "false")
    part.locator("button.twisty").click()
    expect(steps_of(carol, 3)).to_have_count(STEPS)
    expect(part).to_have_attribute("aria-expanded", "true")
    expect(carol.locator("tr[data-id]")).to_have_count(2 + PARTS + STEPS)
    expect(steps.row(carol, "Host 3.0")).to_have_attribute("aria-level", "3")
    expect(steps.row(carol, "Host 3.0")).to_have_attribute("aria-setsize", str(STEPS))
    part.locator("button.twisty").click()
    expect(steps.row(carol, "Host 3.0")).to_be_hidden()


def test_the_focus_stays_while_a_branch_is_fetched_and_the_folding_is_remembered(bob: Page) -> None:
    steps.row(bob, "Network 7").focus()
    bob.keyboard.press("ArrowRight")
    expect(steps_of(bob, 7)).to_have_count(STEPS)
    expect(steps.row(bob, "Network 7")).to_be_focused()
    bob.keyboard.press("ArrowRight")
    expect(steps.row(bob, "Host 7.0")).to_be_focused()
    bob.keyboard.press("ArrowDown")
    bob.reload()
    expect(steps.row(bob, "Network 7")).to_have_attribute("aria-expanded", "true")
    expect(steps_of(bob, 7)).to_have_count(STEPS)
    expect(steps.row(bob, "Host 7.1")).to_have_attribute("tabindex", "0")
    steps.row(bob, "Network 7").focus()
    with bob.expect_response("**/tree/look/"):
        bob.keyboard.press("ArrowLeft")
    bob.reload()
    expect(steps.row(bob, "Network 7")).to_have_attribute("aria-expanded", "false")
    expect(steps_of(bob, 7)).to_have_count(0)


def test_a_new_row_below_a_branch_that_is_away_stands_at_its_end(alice: Page) -> None:
    steps.row(alice, "Network 9").focus()
    alice.keyboard.press("n")
    expect(alice.locator("tr.adding input")).to_be_focused()
    alice.keyboard.type("Host 9.x")
    alice.keyboard.press("Enter")
    expect(steps.row(alice, "Host 9.x")).to_have_attribute("aria-posinset", str(STEPS + 1))
    alice.keyboard.press("Escape")
    expect(steps.row(alice, "Host 9.x")).to_be_focused()
    alice.keyboard.press("u")
    expect(steps.row(alice, "Network 9")).to_be_visible()
