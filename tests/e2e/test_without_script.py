"""Everything works without JavaScript: plain links and forms, on pages of their own."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People

main = "main"


@pytest.fixture
def alice(people: People) -> Page:
    return people.open("alice", java_script_enabled=False)


def add(page: Page, number: str, title: str) -> None:
    steps.go(page, number, "tickets/add/")
    steps.field(page, "Title").fill(title)
    page.locator(main).get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url(re.compile("/tree/"))


def test_alice_grows_a_tree_by_plain_forms(alice: Page) -> None:
    number = steps.declare(alice, "Printer talks to strangers", commander="Alice Lindqvist")
    add(alice, number, "Look at the printer")
    add(alice, number, "Look at the firewall")
    lower = steps.ticket_number(alice, "Look at the firewall")
    upper = steps.ticket_number(alice, "Look at the printer")
    steps.row(alice, "Look at the firewall").get_by_role("link", name="Look at the firewall").click()
    alice.get_by_role("link", name="Move to").click()
    steps.field(alice, "New parent").fill(f"#{upper}")
    alice.get_by_role("button", name="Move ticket").click()
    alice.wait_for_url(re.compile(f"/tickets/{lower}/$"))
    steps.go(alice, number, "tree/")
    expect(steps.row(alice, "Look at the firewall")).to_have_attribute("data-parent", str(upper))


def test_alice_says_something_and_changes_what_is_so_by_plain_forms(alice: Page) -> None:
    number = steps.declare(alice, "Scanner talks to strangers", commander="Alice Lindqvist")
    add(alice, number, "Look at the scanner")
    steps.row(alice, "Look at the scanner").get_by_role("link", name="Look at the scanner").click()
    alice.get_by_placeholder("Comment, Markdown, @name").fill("It calls **home** every hour.")
    alice.get_by_role("button", name="Comment", exact=True).click()
    expect(alice.locator(".prose strong")).to_have_text("home")
    alice.get_by_label("Assignee").select_option(label="Alice Lindqvist")
    alice.get_by_role("button", name="Set assignee").click()
    expect(alice.get_by_label("Assignee")).to_have_value(re.compile("[0-9]+"))
    alice.get_by_label("Status", exact=True).select_option("doing")
    alice.get_by_role("button", name="Set status").click()
    expect(alice.get_by_label("Status", exact=True)).to_have_value("doing")


def test_alice_closes_a_false_positive_with_a_reason_by_plain_forms(alice: Page) -> None:
    number = steps.declare(alice, "Copier talks to strangers", commander="Alice Lindqvist")
    alice.get_by_role("link", name="Another step …").click()
    steps.field(alice, "New stage").select_option("closed")
    steps.field(alice, "How it ended").select_option(label="False positive")
    alice.get_by_role("button", name="Set stage").click()
    expect(alice.get_by_role("alert").first).to_contain_text("needs a written reason")
    steps.field(alice, "Reason").fill("The vendor's own telemetry.")
    alice.get_by_role("button", name="Set stage").click()
    alice.wait_for_url(re.compile(f"/incidents/{number}/$"))
    expect(alice.get_by_text("This incident is closed")).to_be_visible()
