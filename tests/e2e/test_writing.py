"""Writing on a ticket in a browser: names completed by keys, a preview, a pasted picture, dropped files, lists."""

import base64

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e import steps
from tests.e2e.conftest import People

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BYTES = """([bytes, name, type]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, { type }));
  return data;
}"""


@pytest.fixture
def alice(people: People) -> Page:
    """Alice on the page of a ticket of a new incident, with another ticket beside it."""
    page = people.open("alice")
    number = steps.declare(page, "A screenshot says more", commander="Alice Lindqvist")
    for title in ("Look at the screen", "Image the disk"):
        steps.go(page, number, "tickets/add/")
        steps.field(page, "Title").fill(title)
        page.get_by_role("button", name="Add", exact=True).click()
        page.wait_for_url("**/tree/**")
    steps.go(page, number, "tickets/101/")
    return page


def test_alice_completes_names_and_tickets_by_keys_and_sees_how_it_will_look(people: People, alice: Page) -> None:
    text = alice.get_by_label("Comment", exact=True)
    text.press_sequentially("Ask @ali")
    offers = alice.get_by_role("listbox", name="People")
    expect(offers.get_by_role("option", name="@alice Alice Lindqvist")).to_have_attribute("aria-selected", "true")
    text.press("Enter")
    expect(text).to_have_value("Ask @alice ")
    text.press_sequentially("of #dis")
    expect(alice.get_by_role("listbox", name="Tickets")).to_be_visible()
    text.press("Tab")
    expect(text).to_have_value("Ask @alice of #102 ")
    text.press_sequentially("and @a")
    expect(offers.get_by_role("option").nth(1)).to_be_visible()
    text.press("ArrowDown")
    expect(offers.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    text.press("Escape")
    expect(offers).to_be_hidden()
    expect(text).to_be_focused()
    text.press_sequentially(" **4** hits")
    alice.get_by_role("button", name="Preview").first.click()
    expect(alice.get_by_role("region", name="Preview").locator("strong")).to_have_text("4")
    expect(text).to_be_hidden()
    alice.get_by_role("button", name="Write").first.click()
    text.press("Control+Enter")
    expect(alice.locator("li[id^=comment-] strong")).to_have_text("4")
    steps.toast(alice, "@a is nobody in this incident")
    assert not people.seen_by(alice).violations


def test_a_picture_pasted_into_a_text_is_attached_and_linked(people: People, alice: Page) -> None:
    text = alice.get_by_label("Comment", exact=True)
    text.fill("Before  after")
    text.evaluate("area => area.setSelectionRange(7, 7)")
    data = alice.evaluate_handle(BYTES, [list(DOT), "image.png", "image/png"])
    text.evaluate(
        "(area, data) => area.dispatchEvent(new ClipboardEvent('paste', "
        "{ clipboardData: data, bubbles: true, cancelable: true }))",
        data,
    )
    files = alice.locator("#ticket-files")
    expect(files.get_by_role("link", name="screenshot-")).to_have_count(2)  # its name, and the picture
    assert "Before [screenshot-20" in text.input_value()
    assert text.input_value().endswith(" after")
    text.press("Control+Enter")
    link = alice.locator("li[id^=comment-] .prose a")
    expect(link).to_have_attribute("href", files.locator("a.thumb").get_attribute("href") or "")
    picture = files.locator("img")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("naturalWidth", 1)
    assert not people.seen_by(alice).violations


def test_files_dropped_on_the_ticket_show_how_far_they_are(alice: Page) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    alice.route("**/files/add/", hold)
    data = alice.evaluate_handle(BYTES, [[120] * 1000, "notes.txt", "text/plain"])
    ticket = alice.locator("#ticket")
    ticket.dispatch_event("dragover", {"dataTransfer": data})
    assert "is-over" in (ticket.get_attribute("class") or "")
    ticket.dispatch_event("drop", {"dataTransfer": data})
    expect(alice.get_by_role("progressbar", name="Upload")).to_be_visible()
    held[0].continue_()
    expect(alice.locator("#ticket-files").get_by_role("link", name="notes.txt")).to_be_visible()
    expect(alice.get_by_role("progressbar", name="Upload")).to_have_count(0)
    assert "is-over" not in (ticket.get_attribute("class") or "")


def test_arrow_keys_on_a_list_send_nothing_until_alice_says_so(alice: Page) -> None:
    sent: list[str] = []
    alice.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    priority = alice.locator("#ticket-priority")
    button = alice.get_by_role("button", name="Set priority")
    before = priority.input_value()
    expect(button).to_be_hidden()
    priority.focus()
    priority.press("ArrowUp")
    priority.press("ArrowUp")
    expect(button).to_be_visible()
    priority.press("Escape")
    expect(priority).to_have_value(before)
    assert not sent
    priority.press("ArrowUp")
    after = priority.input_value()
    priority.press("Enter")
    steps.toast(alice, "#101 saved.")
    expect(priority).to_have_value(after)
    assert len(sent) == 1
    assert after != before


def test_what_stands_in_the_move_dialog_is_to_be_written_over(alice: Page) -> None:
    alice.get_by_role("link", name="Move to").click()
    parent = steps.field(steps.dialog(alice), "New parent")
    expect(parent).to_be_focused()
    parent.press_sequentially("#102#101")
    alice.keyboard.press("Control+Enter")
    expect(steps.dialog(alice)).to_contain_text("Choose a ticket of the list")
