"""A browser closed too early: the draft waits for its author, and only there. Bold and tags by mouse and by key."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People

TAGS = "#ticket dd .tag.is-line"
HALF = "Half a sentence about **DC01**"


@pytest.fixture
def alice(people: People) -> Page:
    """Alice on the page of a ticket of a new incident, in which Bob works too."""
    page = people.open("alice")
    number = steps.declare(page, "Half a sentence", commander="Alice Lindqvist")
    steps.go(page, number, "members/add/")
    steps.field(page, "Person").select_option(label="Bob Wrona")
    page.get_by_role("main").get_by_role("button", name="Add").click()
    page.wait_for_url("**/members/")
    steps.go(page, number, "tickets/add/")
    steps.field(page, "Title").fill("Image the disk")
    page.get_by_role("button", name="Add", exact=True).click()
    page.wait_for_url("**/tree/**")
    steps.go(page, number, "tickets/101/")
    return page


def note(where: Page | Locator) -> Locator:
    return where.locator("[data-draft-note]")


def summary(page: Page) -> Locator:
    """The open dialog of the summary."""
    steps.go(page, steps.number_of(page))
    page.get_by_role("link", name="Edit summary").click()
    expect(steps.dialog(page).locator("textarea")).to_be_focused()
    return steps.dialog(page)


def test_alice_types_reloads_takes_up_her_draft_and_saves_it(people: People, alice: Page) -> None:
    form = summary(alice)
    form.locator("textarea").press_sequentially(HALF)
    expect(form.get_by_text("Draft kept", exact=True)).to_be_visible()
    form.locator("textarea").press_sequentially(", and more")
    alice.reload()  # what was typed since the last time is kept on leaving
    form = summary(alice)
    expect(note(form)).to_contain_text("A draft of yours from")
    bob = people.open("bob", f"/incidents/{steps.number_of(alice)}/")
    expect(summary(bob).locator("textarea")).to_have_value("")
    expect(note(bob)).to_have_count(0)
    form.get_by_role("link", name="Use it").click()
    expect(form.locator("textarea")).to_have_value(f"{HALF}, and more")
    expect(note(form)).to_have_count(0)
    form.locator("textarea").press("Control+Enter")
    expect(alice.locator(".prose strong", has_text="DC01")).to_be_visible()
    expect(note(summary(alice))).to_have_count(0)
    assert not people.seen_by(alice).all
    assert not people.seen_by(bob).all


def test_a_dialog_left_by_esc_keeps_the_draft_until_alice_throws_it_away(people: People, alice: Page) -> None:
    form = summary(alice)
    form.locator("textarea").press_sequentially("Not yet")
    with alice.expect_response(lambda answer: answer.request.method == "POST" and answer.status == 204):
        alice.keyboard.press("Escape")
        steps.toast(alice, "kept as a draft")
        alice.keyboard.press("Escape")
    form = summary(alice)
    form.get_by_text("Read it").click()
    expect(note(form)).to_contain_text("Not yet")
    with alice.expect_response(lambda answer: answer.request.method == "POST" and answer.status == 204):
        form.get_by_role("button", name="Throw away").click()
    expect(note(summary(alice))).to_have_count(0)
    assert not people.seen_by(alice).all


def test_two_drafts_that_are_used_are_compared_with_what_the_older_one_was_begun_with(
    people: People, alice: Page
) -> None:
    def write(label: str, text: str) -> None:
        steps.go(alice, steps.number_of(alice), "edit/review/")
        box = alice.locator(".write").filter(has=alice.get_by_label(label))
        box.locator("textarea").press_sequentially(text)
        expect(box.get_by_text("Draft kept", exact=True)).to_be_visible()

    write("Root cause", "An open port")
    form = summary(alice)
    form.locator("textarea").press_sequentially("Changed meanwhile")
    form.locator("textarea").press("Control+Enter")
    expect(alice.locator(".prose", has_text="Changed meanwhile")).to_be_visible()
    write("Lessons learned", "Close it")
    steps.go(alice, steps.number_of(alice), "edit/review/")
    older, newer = sorted(int(one.get_attribute("data-version") or 0) for one in note(alice).all())
    assert older < newer
    for _ in range(2):
        note(alice).first.get_by_role("link", name="Use it").click()
    expect(note(alice)).to_have_count(0)
    expect(alice.locator("main input[name=version]")).to_have_value(str(older))
    assert not people.seen_by(alice).all


def test_a_comment_begun_is_offered_on_its_ticket_and_gone_once_it_is_said(people: People, alice: Page) -> None:
    text = alice.get_by_label("Comment", exact=True)
    text.press_sequentially("The disk is")
    expect(alice.locator("#ticket [data-kept]")).to_have_text("Draft kept")
    alice.reload()
    note(alice).get_by_role("link", name="Use it").click()
    expect(text).to_have_value("The disk is")
    text.press_sequentially(" copied")
    text.press("Control+Enter")
    expect(alice.locator("li[id^=comment-]")).to_contain_text("The disk is copied")
    expect(alice.get_by_label("Comment", exact=True)).to_have_value("")
    alice.reload()
    expect(alice.get_by_label("Comment", exact=True)).to_be_visible()
    expect(note(alice)).to_have_count(0)
    assert not people.seen_by(alice).all


def test_bold_by_mouse_by_the_toolbars_keys_and_by_ctrl_b(people: People, alice: Page) -> None:
    text = alice.get_by_label("Comment", exact=True)
    bar = alice.get_by_role("toolbar", name="Format")
    text.fill("hot")
    text.select_text()
    bar.get_by_role("button", name="Bold").click()
    expect(text).to_have_value("**hot**")
    text.fill("hot")
    text.select_text()
    text.press("Control+b")
    expect(text).to_have_value("**hot**")
    text.fill("hot")
    text.select_text()
    text.press("Shift+Tab")  # one tab stop for all the buttons
    expect(bar.get_by_role("button", name="Bold")).to_be_focused()
    alice.keyboard.press("ArrowRight")
    expect(bar.get_by_role("button", name="Italic")).to_be_focused()
    alice.keyboard.press("Enter")
    expect(text).to_have_value("_hot_")
    expect(text).to_be_focused()
    assert not people.seen_by(alice).all


def test_tags_are_chips_that_keys_and_the_mouse_add_and_take_away(people: People, alice: Page) -> None:
    alice.get_by_role("link", name="Add tags").click()
    form = steps.dialog(alice)
    tags = steps.field(form, "Tags")
    expect(tags).to_be_focused()
    tags.press_sequentially("apt29, phishing")
    tags.press("Enter")
    tags.press_sequentially("wrong")
    tags.press("Enter")
    expect(form.get_by_role("button", name="Remove")).to_have_count(3)
    tags.press("Backspace")
    form.get_by_role("button", name="Remove apt29").click()
    expect(tags).to_be_focused()
    tags.press_sequentially("last")
    tags.press("Control+Enter")
    steps.toast(alice, "Tags of #101 saved")
    expect(alice.locator(TAGS)).to_have_text(["last", "phishing"])
    assert not people.seen_by(alice).all


def test_without_script_a_text_and_its_tags_are_plain_fields(people: People, alice: Page) -> None:
    form = summary(alice)
    form.locator("textarea").press_sequentially("By hand")
    expect(form.locator("[data-kept]")).to_have_text("Draft kept")
    path = f"/incidents/{steps.number_of(alice)}/"
    page = people.open("alice", f"{path}edit/summary/", java_script_enabled=False)
    expect(page.get_by_role("toolbar")).to_be_hidden()
    page.get_by_role("link", name="Use it").click()
    expect(page.get_by_role("textbox", name="Summary")).to_have_value("By hand")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".prose", has_text="By hand")).to_be_visible()
    page.goto(f"{people.treeline.base}{path}tickets/101/tags/")
    steps.field(page, "Tags").fill("one, two")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(TAGS)).to_have_text(["one", "two"])
