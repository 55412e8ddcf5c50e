"""Leads by hand: the list by keyboard, a result in plain words, a follow-up, the dialog of the stage, and axe."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People
from tests.e2e.test_looks import LOOKS, findings, sideways


def add_lead(page: Page, number: str, title: str, query: str = "lead=on") -> None:
    steps.go(page, number, f"tickets/add/?{query}")
    steps.field(page, "Title").fill(title)
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url("**/tree/**")


def test_alice_resolves_a_lead_by_keyboard_and_its_follow_up_stays(people: People) -> None:
    page = people.open("alice")
    number = steps.declare(page, "Two questions", commander="Alice Lindqvist")
    steps.go(page, number, "tree/")
    first = 101 + page.locator("tr[data-id]").count()
    add_lead(page, number, "Who sent it?")
    add_lead(page, number, "Who else got it?", f"after={first}&origin={first}&lead=on")
    steps.go(page, number, "leads/")
    expect(page.locator(f"#lead-{first + 1}")).to_have_class("d-1")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Who sent it?", exact=True)).to_be_focused()
    page.keyboard.press("l")
    dialog = steps.dialog(page)
    dialog.get_by_role("checkbox", name="A lead").uncheck()
    expect(dialog.get_by_text("Ruled out: it was looked at")).to_be_hidden()
    dialog.get_by_role("checkbox", name="A lead").check()
    dialog.get_by_text("Ruled out: it was looked at").click()
    dialog.get_by_role("button", name="Save").click()
    steps.toast(page, "is a lead: ruled out.")
    expect(page.get_by_text("1 of 2 resolved")).to_be_visible()
    expect(page.locator(f"#lead-{first + 1}")).to_contain_text(f"grew from #{first} Who sent it?")


def test_the_stage_asks_for_what_belongs_to_it(people: People) -> None:
    page = people.open("alice")
    number = steps.declare(page, "One question left", commander="Alice Lindqvist")
    add_lead(page, number, "Who sent it?")
    steps.go(page, number, "status/")
    how, sign = steps.field(page, "How it ended"), page.locator("[name=leads_reason]")
    for stage, ends, signs in (("analyzing", False, False), ("recovered", False, True), ("closed", True, True)):
        page.locator("select[name=status]").select_option(stage)
        expect(how).to_be_visible(visible=ends)
        expect(sign).to_be_visible(visible=signs)


@pytest.mark.parametrize("look", LOOKS)
def test_the_page_of_leads_can_be_read_by_everybody(people: People, look: str) -> None:
    page = people.open("alice", **LOOKS[look])
    page.goto(f"{steps.base_of(page)}/")
    page.get_by_role("link", name="Domain admin compromise after phishing").click()
    steps.go(page, steps.number_of(page), "leads/")
    page.get_by_text("As a table").click()
    expect(page.get_by_role("columnheader", name="Disposed")).to_be_visible()
    assert findings(page) + (sideways(page) if look == "phone" else []) == []
