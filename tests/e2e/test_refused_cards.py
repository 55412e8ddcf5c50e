"""Two people at one board: what the second one drags is refused where the first was quicker; the card goes back."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e import steps
from tests.e2e.conftest import People
from tests.e2e.steps import card, carry, column

LINES = "- [ ] Golden ticket\n- [ ] Silver ticket\n- [ ] Mail\n  - [ ] Headers"


@pytest.fixture
def alice(people: People) -> Page:
    """Alice at a board that hears no news by itself, so that what Bob does meanwhile comes too late for her."""
    page = people.open("alice")
    number = steps.declare(page, "Two at one board", commander="Alice Lindqvist")
    steps.paste(page, number, LINES)
    page.route(re.compile(r"/board/"), answer)
    steps.go(page, number, "board/")
    return page


def answer(route: Route) -> None:
    """The page itself, but no poll."""
    if "hx-request" in route.request.headers:
        route.fulfill(status=304)
    else:
        route.continue_()


@pytest.fixture
def other(people: People, alice: Page) -> Page:
    """The same incident in another browser."""
    page = people.open("alice")
    steps.go(page, steps.number_of(alice), "board/")
    return page


def put(page: Page, title: str, category: str) -> None:
    carry(page, card(page, title), column(page, category))


def in_column(page: Page, title: str, category: str) -> None:
    expect(column(page, category).locator(".kcard").filter(has_text=title)).to_have_count(1)
    expect(card(page, title)).not_to_have_class(re.compile("is-sent|is-dragging"))


def set_waiting(page: Page, of: int) -> None:
    """Say by the plain form that a ticket waits for something."""
    steps.go(page, steps.number_of(page), f"tickets/{of}/status/")
    steps.field(page, "Status").select_option("waiting")
    steps.field(page, "Waiting for").fill("the vendor")
    page.get_by_role("button", name="Set status").click()
    page.wait_for_url(re.compile(r"/(tree|board|tickets/\d+)/"))


def hear_again(page: Page) -> None:
    """Let the polls through; what changed meanwhile comes with the next one."""
    page.unroute(re.compile(r"/board/"))


def ticket(page: Page, title: str) -> int:
    return int(str(card(page, title).get_attribute("data-id")))


def test_a_stale_card_goes_back_and_both_opinions_are_shown(alice: Page, other: Page) -> None:
    set_waiting(other, ticket(alice, "Golden ticket"))
    put(alice, "Golden ticket", "doing")
    expect(steps.dialog(alice)).to_contain_text("Somebody else set #101 to Waiting meanwhile")
    in_column(alice, "Golden ticket", "todo")
    hear_again(alice)
    steps.close_dialog(alice)
    in_column(alice, "Golden ticket", "blocked")


def test_a_card_stays_where_its_incident_was_closed_and_says_why(alice: Page, other: Page) -> None:
    steps.go(other, steps.number_of(alice), "tickets/drop/")
    steps.field(other, "Why it is dropped").fill("Nothing of this was so.")
    other.get_by_role("button", name="Drop").click()
    other.wait_for_url("**/tree/**")
    steps.go(other, steps.number_of(alice), "status/")
    steps.field(other, "New stage").select_option("closed")
    steps.field(other, "How it ended").select_option(label="False positive")
    steps.field(other, "Reason").fill("A drill nobody told us of.")
    other.get_by_role("button", name="Set stage").click()
    expect(other.get_by_text("This incident is closed")).to_be_visible()
    put(alice, "Silver ticket", "doing")
    expect(steps.dialog(alice).or_(alice.locator("#toasts .is-bad")).first).to_contain_text("closed")
    in_column(alice, "Silver ticket", "todo")


def test_where_the_second_step_is_refused_the_first_stands_and_the_card_goes_no_further(
    alice: Page, other: Page
) -> None:
    number = steps.number_of(alice)
    steps.go(alice, number, "board/?group=branch")
    golden = ticket(alice, "Golden ticket")

    def too_late(route: Route) -> None:
        set_waiting(other, golden)
        route.continue_()

    alice.route(f"**/tickets/{golden}/status/", too_late)
    into = alice.locator("#board .swim").filter(has=alice.locator("h2", has_text="Mail"))
    carry(alice, card(alice, "Golden ticket"), into.locator(".lane[data-category=doing]"))
    expect(steps.dialog(alice)).to_contain_text("Somebody else set #101 to Waiting meanwhile")
    hear_again(alice)
    steps.close_dialog(alice)
    expect(into.locator(".lane[data-category=blocked] .kcard").filter(has_text="Golden ticket")).to_have_count(1)
