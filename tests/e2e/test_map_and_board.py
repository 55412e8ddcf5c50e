"""The map and the board by hand: a box dragged below another, a card to another column, keys, no script, and axe."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People
from tests.e2e.steps import card, carry, column
from tests.e2e.test_looks import LOOKS, findings, sideways


def add(page: Page, number: str, title: str, below: str = "") -> None:
    """A ticket by the form."""
    steps.go(page, number, f"tickets/add/{f'?parent={below}' if below else ''}")
    steps.field(page, "Title").fill(title)
    page.get_by_role("button", name="Add ticket").or_(page.get_by_role("button", name="Add", exact=True)).first.click()
    page.wait_for_url(re.compile(r"/tree/"))


@pytest.fixture
def worked(people: People) -> Iterator[tuple[Page, str]]:
    """An incident of Alice with two branches and a leaf in the first: #101 A, #102 B, #103 below A."""
    page = people.open("alice")
    number = steps.declare(page, "Shapes of one tree", commander="Alice Lindqvist")
    steps.go(page, number, "tree/")
    have = page.locator("tr[data-id]").count()
    for title, below in (("Branch A", ""), ("Branch B", ""), ("Golden ticket", str(101 + have))):
        add(page, number, title, below)
    yield page, number
    wrong = [one for one in people.seen_by(page).all if "status of 422" not in one]  # a form that asks for more
    assert wrong == []


def box(page: Page, title: str) -> Locator:
    return page.locator("#map .node").filter(has=page.locator("text").get_by_text(title, exact=True))


def said(page: Page, title: str) -> Locator:
    """What a screen reader says of the box, and what is shown while the pointer rests on it."""
    return box(page, title).locator("title")


def test_alice_drags_a_box_below_another_branch_and_takes_it_back(worked: tuple[Page, str]) -> None:
    page, number = worked
    steps.go(page, number, "tree/map/")
    first = box(page, "Golden ticket").get_attribute("data-id")
    carry(page, box(page, "Golden ticket"), box(page, "Branch B"))
    steps.toast(page, f"#{first} moved.")
    expect(said(page, "Branch B")).to_have_text(re.compile("0 of 1 done below"))
    assert page.locator("#map .node").last.get_attribute("data-id") == first, "it is the last of the last branch"
    page.locator("#toasts").get_by_role("button", name="Undo").first.click()
    expect(said(page, "Branch A")).to_have_text(re.compile("0 of 1 done below"))


def test_a_branch_does_not_go_into_itself_and_a_box_let_go_beside_one_stays(worked: tuple[Page, str]) -> None:
    page, number = worked
    steps.go(page, number, "tree/map/")
    carry(page, box(page, "Branch A"), box(page, "Golden ticket"))
    steps.toast(page, "stays where it was")
    expect(said(page, "Branch A")).to_have_text(re.compile("0 of 1 done below, level 1"))


def test_a_box_opens_its_ticket_and_the_map_zooms_by_keys_and_buttons(worked: tuple[Page, str]) -> None:
    page, number = worked
    steps.go(page, number, "tree/map/")
    box(page, "Golden ticket").click()
    expect(page.locator("#ticket-panel #ticket, dialog[open] #ticket").first).to_contain_text("Golden ticket")
    steps.go(page, number, "tree/map/")
    page.get_by_role("region", name=re.compile("^Map")).focus()
    before = box(page, "Branch A").bounding_box()
    page.keyboard.press("-")
    expect(page.locator("[data-zoom-words]")).to_have_text("80%")
    after = box(page, "Branch A").bounding_box()
    assert before
    assert after
    assert after["width"] < before["width"] * 0.9
    page.keyboard.press("0")
    page.get_by_role("button", name="Larger").click()
    expect(page.locator("[data-zoom-words]")).to_have_text("125%")
    box(page, "Branch A").focus()
    page.keyboard.press("m")
    expect(steps.dialog(page)).to_contain_text("Branch A")


def test_alice_drags_a_card_to_another_column(worked: tuple[Page, str]) -> None:
    page, number = worked
    steps.go(page, number, "board/")
    expect(column(page, "todo").locator(".kcard").filter(has_text="Golden ticket")).to_have_count(1)
    carry(page, card(page, "Golden ticket"), column(page, "doing"))
    steps.toast(page, "is in progress.")
    expect(column(page, "doing").locator(".kcard").filter(has_text="Golden ticket")).to_have_count(1)
    carry(page, card(page, "Golden ticket"), column(page, "done"))
    expect(steps.dialog(page)).to_contain_text("What came out")
    steps.dialog(page).get_by_role("button", name="Set status").click()
    expect(column(page, "done").locator(".kcard").filter(has_text="Golden ticket")).to_have_count(1)


def test_a_card_dragged_to_another_branch_goes_there(worked: tuple[Page, str]) -> None:
    page, number = worked
    steps.go(page, number, "board/?group=branch")
    lone = page.locator("#board .swim").filter(has=page.locator("h2", has_text="In no branch"))
    expect(lone.locator(".kcard").filter(has_text="Branch B")).to_have_count(1)
    into = page.locator("#board .swim").filter(has=page.locator("h2", has_text="Branch A"))
    carry(page, card(page, "Branch B"), into.locator(".lane[data-category=todo]"))
    steps.toast(page, "moved.")
    expect(into.locator(".kcard").filter(has_text="Branch B")).to_have_count(1)


def test_the_board_is_worked_by_keys_alone(worked: tuple[Page, str]) -> None:
    page, number = worked
    steps.go(page, number, "board/")
    cards = column(page, "todo").locator(".kcard a.t")
    cards.first.focus()
    page.keyboard.press("ArrowDown")
    expect(cards.nth(1)).to_be_focused()
    page.keyboard.press("s")
    expect(steps.dialog(page)).to_contain_text("Status of #")
    steps.dialog(page).locator("select[name=status]").select_option("doing")
    steps.dialog(page).get_by_role("button", name="Set status").click()
    moved = column(page, "doing").locator(".kcard a.t")
    expect(moved).to_have_count(1)
    column(page, "todo").locator(".kcard a.t").first.focus()
    page.keyboard.press("ArrowRight")
    expect(moved).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#ticket-panel #ticket, dialog[open] #ticket").first).to_be_visible()


def test_both_work_without_script(people: People, worked: tuple[Page, str]) -> None:
    _, number = worked
    page = people.open("alice", java_script_enabled=False)
    steps.go(page, number, "board/")
    card(page, "Golden ticket").locator("summary").click()
    card(page, "Golden ticket").get_by_role("link", name="Set status").click()
    page.locator("select[name=status]").select_option("doing")
    page.get_by_role("button", name="Set status").click()
    steps.go(page, number, "board/")
    expect(column(page, "doing")).to_contain_text("Golden ticket")
    steps.go(page, number, "tree/map/")
    page.get_by_role("button", name="1", exact=True).click()
    expect(box(page, "Golden ticket")).to_have_count(0)
    box(page, "Branch A").click()
    page.wait_for_url(re.compile(r"/tickets/\d+/$"))


@pytest.mark.parametrize("look", LOOKS)
def test_map_and_board_can_be_read_by_everybody(people: People, worked: tuple[Page, str], look: str) -> None:
    _, number = worked
    page = people.open("alice", **LOOKS[look])
    wrong = {}
    for part in ("tree/map/", "board/", "board/?group=person", "board/?group=branch"):
        steps.go(page, number, part)
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        bad = findings(page) + (sideways(page) if look == "phone" else [])
        if bad:
            wrong[part] = bad
    assert not wrong, json.dumps(wrong, indent=1)
