"""The outline as several people keep it: rows selected, cut, pasted and added in place; what is open stays open."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e import steps
from tests.e2e.conftest import People

TOPS = ("Mail", "Hosts", "People")


@pytest.fixture
def alice(people: People) -> Iterator[Page]:
    """Alice in a new incident with three branches, the first of them with two tickets."""
    page = people.open("alice")
    number = steps.declare(page, "Outline for everybody", commander="Alice Lindqvist")
    steps.go(page, number, "tree/")
    page.get_by_role("link", name="Add the first ticket").click()
    steps.field(steps.dialog(page), "Title").fill(TOPS[0])
    steps.dialog(page).get_by_role("button", name="Add and close").click()
    expect(steps.row(page, TOPS[0])).to_be_visible()
    add_lines(page, TOPS[0], "Shift+N", TOPS[1:])
    add_lines(page, TOPS[0], "n", ("Headers", "Attachment"))
    yield page
    assert people.seen_by(page).all == []


def add_lines(page: Page, beside: str, key: str, titles: tuple[str, ...]) -> None:
    """New rows in place, one after the other."""
    steps.row(page, beside).focus()
    page.keyboard.press(key)
    for title in titles:
        expect(page.locator("tr.adding input")).to_be_focused()
        page.keyboard.type(title)
        page.keyboard.press("Enter")
        expect(steps.row(page, title)).to_be_visible()
        expect(page.locator("tr.adding input")).to_have_value("")
    page.keyboard.press("Escape")
    expect(page.locator("tr.adding")).to_have_count(0)
    expect(steps.row(page, titles[-1])).to_be_focused()


def titles(page: Page) -> list[str]:
    """What is seen, from the top."""
    return page.locator("tr[data-id]:not([hidden]) .t").all_inner_texts()


def test_new_rows_stand_where_they_were_typed(alice: Page) -> None:
    assert titles(alice) == ["Mail", "Headers", "Attachment", "Hosts", "People"]
    expect(steps.row(alice, "Attachment")).to_have_attribute("data-parent", str(steps.ticket_number(alice, "Mail")))


def test_a_refused_title_stays_in_its_row(alice: Page, people: People) -> None:
    steps.row(alice, "People").focus()
    alice.keyboard.press("n")
    alice.locator("tr.adding input").fill("\u200b\u200b")
    alice.keyboard.press("Enter")
    expect(alice.locator("#toasts .is-bad")).to_be_visible()
    expect(alice.locator("tr.adding input")).to_have_value("\u200b\u200b")
    people.seen_by(alice).errors.clear()  # the browser itself reports the 422


def test_adding_below_a_closed_branch_opens_it(alice: Page) -> None:
    steps.row(alice, "Mail").focus()
    alice.keyboard.press("ArrowLeft")
    expect(steps.row(alice, "Headers")).to_be_hidden()
    add_lines(alice, "Mail", "n", ("Sender",))
    assert titles(alice)[:4] == ["Mail", "Headers", "Attachment", "Sender"]


def test_what_alice_closed_is_closed_when_she_comes_back(alice: Page) -> None:
    steps.row(alice, "Mail").focus()
    with alice.expect_response("**/tree/look/"):
        alice.keyboard.press("ArrowLeft")
    alice.reload()
    expect(steps.row(alice, "Mail")).to_have_attribute("aria-expanded", "false")
    expect(steps.row(alice, "Headers")).to_be_hidden()
    with alice.expect_response("**/tree/look/"):
        alice.get_by_role("button", name="All", exact=True).click()
    expect(steps.row(alice, "Headers")).to_be_visible()
    alice.reload()
    expect(steps.row(alice, "Headers")).to_be_visible()


def test_several_rows_are_selected_by_keys_and_by_the_mouse(alice: Page) -> None:
    steps.row(alice, "Headers").focus()
    alice.keyboard.press("x")
    alice.keyboard.press("Shift+ArrowDown")
    alice.keyboard.press("Shift+ArrowDown")
    expect(alice.locator("tr[aria-selected=true]")).to_have_count(3)
    expect(alice.locator("#bulk")).to_contain_text("3 selected")
    alice.keyboard.press("Escape")
    expect(alice.locator("#bulk")).to_be_hidden()
    steps.row(alice, "Headers").locator(".k-state").click(modifiers=["Control"])
    steps.row(alice, "People").locator(".k-state").click(modifiers=["Shift"])
    expect(alice.locator("#bulk")).to_contain_text("4 selected")
    alice.get_by_role("button", name="Clear").click()
    expect(alice.locator("tr[aria-selected=true]")).to_have_count(0)


def test_a_row_is_cut_and_pasted_below_another_and_beside_it(alice: Page) -> None:
    steps.row(alice, "Hosts").focus()
    alice.keyboard.press("Control+x")
    expect(alice.locator("tr.is-cut")).to_have_count(1)
    steps.row(alice, "Mail").focus()
    alice.keyboard.press("Control+v")
    expect(steps.row(alice, "Hosts")).to_have_attribute("aria-level", "2")
    assert titles(alice) == ["Mail", "Headers", "Attachment", "Hosts", "People"]
    steps.row(alice, "Hosts").focus()
    alice.keyboard.press("Control+x")
    steps.row(alice, "People").focus()
    alice.keyboard.press("Control+Shift+V")
    expect(steps.row(alice, "Hosts")).to_have_attribute("aria-level", "1")
    assert titles(alice) == ["Mail", "Headers", "Attachment", "People", "Hosts"]


def test_several_rows_are_cut_and_pasted_in_their_order(alice: Page) -> None:
    steps.row(alice, "Headers").focus()
    alice.keyboard.press("x")
    alice.keyboard.press("Shift+ArrowDown")
    alice.keyboard.press("Control+x")
    steps.row(alice, "People").focus()
    alice.keyboard.press("Control+v")
    people = str(steps.ticket_number(alice, "People"))
    expect(steps.row(alice, "Headers")).to_have_attribute("data-parent", people)
    expect(steps.row(alice, "Attachment")).to_have_attribute("data-parent", people)
    assert titles(alice) == ["Mail", "Hosts", "People", "Headers", "Attachment"]


def test_several_rows_are_pasted_beside_another_by_one_post(alice: Page) -> None:
    posts: list[str] = []
    alice.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    steps.row(alice, "Headers").focus()
    alice.keyboard.press("x")
    alice.keyboard.press("Shift+ArrowDown")
    alice.keyboard.press("Control+x")
    steps.row(alice, "Mail").focus()
    alice.keyboard.press("Control+Shift+V")
    expect(steps.row(alice, "Headers")).to_have_attribute("aria-level", "1")
    assert titles(alice) == ["Mail", "Headers", "Attachment", "Hosts", "People"]
    assert len([url for url in posts if url.endswith(("/bulk/", "/move/"))]) == 1


def test_what_could_not_be_pasted_stays_cut(alice: Page, people: People) -> None:
    alice.route("**/bulk/", lambda route: route.fulfill(status=403, body=""))
    steps.row(alice, "Headers").focus()
    alice.keyboard.press("x")
    alice.keyboard.press("Shift+ArrowDown")
    alice.keyboard.press("Control+x")
    steps.row(alice, "People").focus()
    alice.keyboard.press("Control+v")
    expect(alice.locator("#toasts .is-bad")).to_be_visible()
    alice.unroute("**/bulk/")
    expect(alice.locator("tr.is-cut")).to_have_count(2)
    steps.row(alice, "People").focus()
    alice.keyboard.press("Control+v")
    expect(steps.row(alice, "Attachment")).to_have_attribute("data-parent", str(steps.ticket_number(alice, "People")))
    expect(alice.locator("tr.is-cut")).to_have_count(0)
    people.seen_by(alice).errors.clear()  # the browser itself reports the 403


def hold_adding(page: Page, answer: Callable[[Route], None]) -> Callable[[], None]:
    """New tickets wait on their way; calling what this gives lets them, and all later ones, be answered."""
    held: list[Route] = []
    is_open: list[bool] = []
    page.route("**/tickets/add/", lambda route: answer(route) if is_open else held.append(route))

    def release() -> None:
        is_open.append(True)
        for route in held:
            answer(route)

    return release


def type_two_below_mail(page: Page) -> None:
    steps.row(page, "Mail").focus()
    page.keyboard.press("n")
    for title in ("Sender", "Links"):
        page.locator("tr.adding input").fill(title)
        page.keyboard.press("Enter")


def test_titles_on_their_way_go_where_they_were_typed(alice: Page) -> None:
    release = hold_adding(alice, lambda route: route.continue_())
    type_two_below_mail(alice)
    alice.keyboard.press("Escape")
    steps.row(alice, "People").focus()
    alice.keyboard.press("n")
    expect(alice.locator("tr.adding input")).to_be_focused()
    alice.keyboard.type("Who clicked")
    release()
    mail = str(steps.ticket_number(alice, "Mail"))
    for title in ("Sender", "Links"):
        expect(steps.row(alice, title)).to_have_attribute("data-parent", mail)
    expect(alice.locator("tr.adding input")).to_have_value("Who clicked")
    alice.keyboard.press("Enter")
    expect(steps.row(alice, "Who clicked")).to_have_attribute("data-parent", str(steps.ticket_number(alice, "People")))


def test_no_title_is_lost_where_the_server_refuses(alice: Page, people: People) -> None:
    release = hold_adding(alice, lambda route: route.fulfill(status=403, body=""))
    type_two_below_mail(alice)
    release()
    expect(alice.locator("tr.adding input")).to_have_value("Sender")
    expect(alice.locator("#toasts")).to_contain_text("Not added: “Links”")
    people.seen_by(alice).errors.clear()  # the browser itself reports the 403


def test_a_branch_does_not_go_into_itself(alice: Page) -> None:
    steps.row(alice, "Mail").focus()
    alice.keyboard.press("Control+x")
    steps.row(alice, "Headers").focus()
    alice.keyboard.press("Control+v")
    expect(alice.locator("#toasts")).to_contain_text("cannot go into itself")
    assert titles(alice)[0] == "Mail"


def test_a_headline_is_written_by_a_key_and_read_by_managers(alice: Page) -> None:
    steps.row(alice, "Mail").focus()
    alice.keyboard.press("h")
    steps.field(steps.dialog(alice), "Headline").fill("Twelve people clicked, two gave their password")
    alice.keyboard.press("Control+Enter")
    expect(steps.row(alice, "Mail").locator(".headline")).to_have_text("Twelve people clicked, two gave their password")
    alice.get_by_role("button", name="2", exact=True).click()
    expect(alice.locator("#tree-rows")).to_have_class("is-manager")


def test_a_branch_alone_works_as_the_whole_tree(alice: Page) -> None:
    steps.row(alice, "Mail").focus()
    alice.keyboard.press("b")
    alice.wait_for_url("**/tickets/*/tree/")
    assert titles(alice) == ["Headers", "Attachment"]
    steps.row(alice, "Attachment").focus()
    alice.keyboard.press("Alt+ArrowUp")
    expect(steps.row(alice, "Attachment")).to_have_attribute("aria-posinset", "1")
    assert titles(alice) == ["Attachment", "Headers"]
    add_lines(alice, "Attachment", "n", ("Hash it",))
    assert titles(alice) == ["Attachment", "Hash it", "Headers"]


def test_without_script_the_levels_and_branches_are_links_and_forms(alice: Page, people: People) -> None:
    plain = people.open("alice", java_script_enabled=False)
    steps.go(plain, steps.number_of(alice), "tree/")
    plain.get_by_role("button", name="1", exact=True).click()
    expect(steps.row(plain, "Headers")).to_be_hidden()
    steps.row(plain, "Mail").locator(".rollup a").click()
    assert titles(plain) == ["Headers", "Attachment"]
