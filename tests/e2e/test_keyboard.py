"""The tree without a mouse: every step by keys, the focus always somewhere."""

import re

from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People

FIRST, SECOND, THIRD = "Ask the helpdesk", "Ask the bank", "Ask the post office"


def add_by_keys(page: Page, title: str, key: str) -> None:
    page.keyboard.press(key)
    expect(steps.field(steps.dialog(page), "Title")).to_be_focused()
    page.keyboard.type(title)
    page.keyboard.press("Enter")
    expect(steps.row(page, title)).to_be_visible()
    page.keyboard.press("Escape")
    expect(steps.dialog(page)).to_have_count(0)


def add_in_place(page: Page, title: str, key: str) -> None:
    page.keyboard.press(key)
    expect(page.locator("tr.adding input")).to_be_focused()
    page.keyboard.type(title)
    page.keyboard.press("Enter")
    expect(steps.row(page, title)).to_be_visible()
    expect(page.locator("tr.adding input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(steps.row(page, title)).to_be_focused()


def test_alice_grows_and_works_a_tree_by_keys_alone(people: People) -> None:
    alice = people.open("alice")
    number = steps.declare(alice, "Parcels with a surprise", commander="Alice Lindqvist")
    steps.go(alice, number, "tree/")
    alice.get_by_role("link", name="Add the first ticket").focus()
    add_by_keys(alice, FIRST, "Enter")
    steps.row(alice, FIRST).focus()
    add_in_place(alice, SECOND, "Shift+N")
    steps.row(alice, FIRST).focus()
    add_in_place(alice, THIRD, "n")
    walk(alice)
    move(alice)
    change(alice)


def walk(alice: Page) -> None:
    """Up, down, close and open a branch."""
    steps.row(alice, FIRST).focus()
    alice.keyboard.press("ArrowDown")
    expect(steps.row(alice, THIRD)).to_be_focused()
    alice.keyboard.press("ArrowLeft")
    expect(steps.row(alice, FIRST)).to_be_focused()
    alice.keyboard.press("ArrowLeft")
    expect(steps.row(alice, FIRST)).to_have_attribute("aria-expanded", "false")
    expect(steps.row(alice, THIRD)).to_be_hidden()
    alice.keyboard.press("End")
    expect(steps.row(alice, SECOND)).to_be_focused()
    alice.keyboard.press("Home")
    alice.keyboard.press("ArrowRight")
    expect(steps.row(alice, THIRD)).to_be_visible()
    assert alice.locator("tr[data-id][tabindex='0']").count() == 1, "the tree is one stop of the Tab key"


def move(alice: Page) -> None:
    """Out of the branch, back in, and by the form; the row keeps the focus."""
    alice.keyboard.press("ArrowDown")
    alice.keyboard.press("Alt+ArrowLeft")
    expect(steps.row(alice, THIRD)).to_have_attribute("aria-level", "1")
    expect(steps.row(alice, THIRD)).to_be_focused()
    alice.keyboard.press("Alt+ArrowRight")
    expect(steps.row(alice, THIRD)).to_have_attribute("aria-level", "2")
    expect(steps.row(alice, THIRD)).to_be_focused()
    alice.keyboard.press("m")
    parent = steps.field(steps.dialog(alice), "New parent")
    expect(parent).to_be_focused()
    parent.fill(f"#{steps.ticket_number(alice, SECOND)}")
    alice.keyboard.press("Control+Enter")
    expect(steps.row(alice, THIRD)).to_have_attribute("data-parent", str(steps.ticket_number(alice, SECOND)))


def change(alice: Page) -> None:
    """Assign, status, undo, and the page of the ticket."""
    steps.row(alice, THIRD).focus()
    alice.keyboard.press("a")
    assignee = steps.field(steps.dialog(alice), "Assignee")
    expect(assignee).to_be_focused()
    alice.keyboard.type("Alice")
    alice.keyboard.press("Control+Enter")
    expect(steps.row(alice, THIRD).locator(".k-who")).to_contain_text("Alice Lindqvist")
    steps.row(alice, THIRD).focus()
    alice.keyboard.press("u")
    expect(steps.row(alice, THIRD).locator(".k-who")).to_contain_text("Nobody yet")
    steps.row(alice, THIRD).focus()
    alice.keyboard.press("Enter")
    alice.wait_for_url(re.compile("/tickets/[0-9]+/"))


def test_single_keys_can_be_turned_off(people: People) -> None:
    carol = people.open("carol", "/accounts/profile/")
    carol.get_by_label(re.compile("hotkeys|single keys|shortcuts", re.IGNORECASE)).uncheck()
    carol.get_by_role("main").get_by_role("button", name="Save").first.click()
    carol.goto(f"{steps.base_of(carol)}/")
    carol.keyboard.press("c")
    carol.wait_for_timeout(300)
    assert carol.url == f"{steps.base_of(carol)}/"
