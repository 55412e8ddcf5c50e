"""What people do on the pages, each step by what they see: labels, names of buttons, words."""

import re
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

WORK_MS = 90_000  # until a worker has come to it, behind all that other tests left to do
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"


def base_of(page: Page) -> str:
    """The address of Treeline, from where the page is."""
    parts = urlsplit(page.url)
    return f"{parts.scheme}://{parts.netloc}"


def number_of(page: Page) -> str:
    """The number of the incident that the page belongs to."""
    found = re.search(r"/incidents/(IR-[\d-]+)/", page.url)
    assert found, f"{page.url} is no page of an incident"
    return found[1]


def declare(page: Page, title: str, *, severity: str = "high", commander: str = "") -> str:
    """Declare an incident by the form; gives its number."""
    page.goto(f"{base_of(page)}/incidents/new/")
    field(page, "Title").fill(title)
    field(page, "Severity").select_option(severity)
    if commander:
        field(page, "Commander").select_option(label=commander)
    page.get_by_role("main").get_by_role("button", name="Declare incident").click()
    page.wait_for_url(re.compile(r"/incidents/IR-"))
    return number_of(page)


def go(page: Page, number: str, part: str = "") -> None:
    """Open a page of an incident."""
    page.goto(f"{base_of(page)}/incidents/{number}/{part}")


def paste(page: Page, number: str, lines: str) -> None:
    """Add a branch of task lines by "Paste tasks"; ends in the tree."""
    go(page, number, "tickets/quick/")
    field(page, "Tasks").fill(lines)
    page.get_by_role("button", name="Add tickets").click()
    page.wait_for_url("**/tree/**")


def row(page: Page, title: str) -> Locator:
    """The row of a ticket in the tree."""
    return page.locator("tr[data-id]").filter(has=page.locator(".t").get_by_text(title, exact=True))


def ticket_number(page: Page, title: str) -> int:
    """The number of the ticket with this title, from its row."""
    return int(str(row(page, title).get_attribute("data-id")))


def dialog(page: Page) -> Locator:
    """The open dialog."""
    return page.locator("dialog#dialog[open]")


def field(where: Page | Locator, label: str) -> Locator:
    """The field with exactly this label."""
    return where.get_by_label(re.compile(rf"^{re.escape(label)}( optional)?$"))


def close_dialog(page: Page) -> None:
    """Close the dialog, which says so when something typed is not saved."""
    dialog(page).get_by_role("button", name="Close").click()
    expect(dialog(page)).to_have_count(0)


def toast(page: Page, words: str) -> None:
    """Wait for a toast with these words."""
    expect(page.locator("#toasts .note").filter(has_text=words).first).to_be_visible()


def drag(page: Page, source: Locator, target: Locator) -> None:
    """Drag a row by its grip into the middle of another, as a hand does: press, move, move on, let go."""
    source.hover()
    grip, onto = source.locator("button.grip").bounding_box(), target.bounding_box()
    assert grip
    assert onto
    page.mouse.move(grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2)
    page.mouse.down()
    middle = onto["y"] + onto["height"] / 2
    page.mouse.move(onto["x"] + 120, middle + 6, steps=6)
    page.mouse.move(onto["x"] + 124, middle, steps=3)
    page.mouse.up()


def carry(page: Page, source: Locator, target: Locator) -> None:
    """Press on one thing, move to the middle of another in steps, let go."""
    one, other = source.bounding_box(), target.bounding_box()
    assert one
    assert other
    page.mouse.move(one["x"] + one["width"] / 2, one["y"] + 8)
    page.mouse.down()
    x, y = other["x"] + other["width"] / 2, other["y"] + other["height"] / 2
    page.mouse.move(x - 20, y - 6, steps=6)
    page.mouse.move(x, y, steps=3)
    page.mouse.up()


def hold_book_over(page: Page, book: str, title: str) -> None:
    """Drag a runbook from the palette over the row of a ticket; letting go (`page.mouse.up()`) drops it."""
    page.get_by_role("link", name="Insert runbook").click()
    from_, onto = page.locator(f'#runbook-panel .book[data-title="{book}"]'), row(page, title)
    from_.scroll_into_view_if_needed()
    one, other = from_.bounding_box(), onto.bounding_box()
    assert one
    assert other
    page.mouse.move(one["x"] + 60, one["y"] + 10)
    page.mouse.down()
    page.mouse.move(other["x"] + 200, other["y"] + 18, steps=6)
    page.mouse.move(other["x"] + 204, other["y"] + 16, steps=3)


def card(page: Page, title: str) -> Locator:
    """The card of a ticket on the board."""
    return page.locator("#board .kcard").filter(has_text=title)


def column(page: Page, category: str) -> Locator:
    """A column of the board by its category."""
    return page.locator(f"#board .lane[data-category={category}]")
