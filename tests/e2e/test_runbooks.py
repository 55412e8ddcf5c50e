"""Runbooks in the browser: from the palette onto a ticket, by key, by plain forms; to the rating of the run."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People

WIDE = {"width": 1440, "height": 900}
BOOK = "Isolate a host"
HOSTILE = "{{ secrets.x }} <img src=x onerror=alert(1)>"


def incident_with_a_ticket(page: Page, title: str) -> str:
    """A new incident with the ticket “Beacon”."""
    number = steps.declare(page, title, commander="Alice Lindqvist")
    steps.go(page, number, "tickets/add/")
    steps.field(page, "Title").fill("Beacon")
    page.locator("main").get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(re.compile("/tree/"))
    return number


@pytest.fixture
def alice(people: People) -> Iterator[Page]:
    """Alice at a tree with one ticket."""
    page = people.open("alice", viewport=WIDE)
    incident_with_a_ticket(page, "Runbooks for everybody")
    yield page
    assert people.seen_by(page).all == []


CARD = f'#runbook-panel .book[data-title="{BOOK}"]'


def test_alice_drags_a_runbook_onto_a_ticket_and_rates_it_at_the_end(alice: Page) -> None:
    beacon = steps.ticket_number(alice, "Beacon")
    steps.hold_book_over(alice, BOOK, "Beacon")
    expect(alice.locator("tr.ghost")).to_have_text(f"7 tickets of “{BOOK}” go here, in #{beacon}")
    alice.mouse.up()
    box = steps.dialog(alice)
    expect(steps.field(box, "Below")).to_have_value(f"#{beacon} Beacon")
    steps.field(box, "host").fill(HOSTILE)
    expect(box.locator("#run-preview")).to_contain_text(f"Isolate {HOSTILE} from the network")
    with alice.expect_response(re.compile("preview=1")):
        box.locator("input[name=keep]").nth(5).uncheck()
    expect(box.locator("#run-preview")).to_contain_text("6 tickets will be inserted")
    box.get_by_role("button", name="Insert", exact=True).click()
    steps.toast(alice, f"6 tickets of “{BOOK}” inserted.")
    expect(steps.row(alice, f"Isolate {HOSTILE} from the network")).to_be_visible()
    expect(steps.row(alice, BOOK)).to_have_attribute("data-parent", str(beacon))
    steps.go(alice, steps.number_of(alice), "runs/")
    alice.get_by_role("link", name=BOOK).click()
    alice.get_by_role("link", name="Finish and rate").click()
    box = steps.dialog(alice)
    box.get_by_label("4", exact=True).check()
    box.get_by_label("Yes").check()
    steps.field(box, "For the next version").fill("Name the switch port first")
    box.get_by_role("button", name="Save").click()
    expect(alice.locator("main")).to_contain_text("4 of 5")
    expect(alice.locator("main")).to_contain_text("Name the switch port first")


def test_r_opens_the_palette_for_the_row_one_stands_on(alice: Page) -> None:
    steps.row(alice, "Beacon").focus()
    alice.keyboard.press("r")
    expect(alice.get_by_placeholder("Filter runbooks")).to_be_focused()
    alice.keyboard.type("isolate a host")
    expect(alice.locator("#runbook-panel .bookrow:visible")).to_have_count(1)
    alice.keyboard.press("Enter")
    expect(alice.locator(CARD)).to_be_focused()
    alice.keyboard.press("Enter")
    expect(steps.field(steps.dialog(alice), "Below")).to_have_value(re.compile("Beacon"))
    steps.close_dialog(alice)
    alice.locator("#runbook-panel").get_by_role("button", name="Close panel").click()
    expect(alice.locator("#runbook-panel")).to_be_hidden()
    expect(steps.row(alice, "Beacon")).to_be_focused()


def test_a_runbook_that_was_inserted_by_mistake_is_taken_back(alice: Page) -> None:
    alice.get_by_role("link", name="Insert runbook").click()
    alice.locator(CARD).click()
    box = steps.dialog(alice)
    steps.field(box, "host").fill("DC01")
    box.get_by_role("button", name="Insert", exact=True).click()
    steps.toast(alice, "7 tickets")
    alice.locator("#toasts .note").filter(has_text="7 tickets").get_by_role("button", name="Undo").click()
    steps.toast(alice, "they were added by mistake")
    steps.go(alice, steps.number_of(alice), "runs/")
    for _ in range(180):  # a worker follows the tickets, in its own time
        if alice.locator("main").get_by_text("Stopped").count():
            break
        alice.wait_for_timeout(500)
        alice.reload()
    expect(alice.locator("main")).to_contain_text("Stopped")


def test_alice_inserts_two_runbooks_by_plain_forms(people: People) -> None:
    page = people.open("alice", java_script_enabled=False)
    incident_with_a_ticket(page, "Runbooks without script")
    page.get_by_role("link", name="Insert runbook").click()
    for title in (BOOK, "Close the response"):
        page.get_by_label(f"Choose {title}").check()
    page.get_by_role("button", name="Insert those checked").click()
    steps.field(page, "Below").fill("#101")
    steps.field(page, "host").fill("DC01")
    page.locator("main").get_by_role("button", name="Insert", exact=True).click()
    page.wait_for_url(re.compile("/tree/"))
    expect(steps.row(page, "Isolate DC01 from the network")).to_be_visible()
    expect(steps.row(page, "Close the response")).to_have_attribute("data-parent", "101")
