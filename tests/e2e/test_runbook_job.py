"""The life of a runbook, whole: written, approved, inserted, worked, an automation of it carried out, rated, mended."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People

WIDE = {"width": 1440, "height": 900}
BOOK = """Use this where an account behaves as its owner would not.

- [ ] What does the directory know of {{{{ account }}}}? #lead
  ```action
  http_request: {{url: "http://127.0.0.1:{port}/people?who={{{{ account }}}}", as: directory}}
  ```
- [ ] Reset {{{{ account }}}} !1h
"""


@contextmanager
def directory() -> Iterator[tuple[int, list[str]]]:
    """A server of the house that automations may ask; gives its port, and what it was asked."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b'{"department": "Finance"}')

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def write_and_submit(page: Page, text: str) -> str:
    """Alice writes a runbook; gives its address."""
    page.get_by_role("link", name="Write a runbook").click()
    steps.field(page, "Title").fill("Account behaves oddly")
    page.locator("#id_body").fill(text)
    page.get_by_role("button", name="Save as a draft").click()
    steps.toast(page, "is a draft now")
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_text("cannot approve it")).to_be_visible()
    return re.sub(r"versions/\d+/$", "", page.url)


def approve(page: Page, address: str) -> None:
    """Dora, who wrote nothing of it, agrees."""
    page.goto(address)
    page.get_by_role("link", name="Decide").first.click()
    box = steps.dialog(page)
    box.get_by_role("textbox", name="Comment").fill("Read it, tried it.")
    box.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Read it, tried it.")).to_be_visible()


def allow(page: Page, port: int) -> None:
    """The admin lets automations call addresses, and this one although it is inside."""
    base = steps.base_of(page)
    page.goto(f"{base}/admin/runbooks/actionswitch/add/")
    page.get_by_label("Action").select_option("http_request")
    page.get_by_label("Enabled").check()
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{base}/admin/runbooks/allowedhost/add/")
    page.get_by_label("Host").fill("127.0.0.1")
    page.get_by_label("Port").fill(str(port))
    page.get_by_label("Reason").fill("The directory stands on this machine")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()


def finish(page: Page, number: str, ticket: int, *, result: str = "") -> None:
    """Set a ticket done; a lead says what became of it."""
    steps.go(page, number, f"tickets/{ticket}/status/")
    steps.field(page, "Status").select_option(label="Done")
    if result:
        page.locator("main").get_by_label(result).check()
    page.locator("main").get_by_role("button", name="Set status").click()
    page.wait_for_url(lambda url: "/status/" not in url)


def test_a_runbook_is_written_approved_run_and_mended(people: People) -> None:
    with directory() as (port, asked):
        alice, dora = people.open("alice", "/runbooks/", viewport=WIDE), people.open("dora")
        address = write_and_submit(alice, BOOK.format(port=port))
        approve(dora, f"{address}versions/1/")
        allow(people.open("admin", "/admin/"), port)

        number = steps.declare(alice, "An account behaves oddly", commander="Alice Lindqvist")
        steps.paste(alice, number, "- [ ] Who is it?")
        steps.hold_book_over(alice, "Account behaves oddly", "Who is it?")
        alice.mouse.up()
        box = steps.dialog(alice)
        steps.field(box, "account").fill("b.wrona")
        expect(box.locator("#run-preview")).to_contain_text("What does the directory know of b.wrona?")
        box.get_by_role("button", name="Insert", exact=True).click()
        steps.toast(alice, "3 tickets")
        question = steps.ticket_number(alice, "What does the directory know of b.wrona?")
        reset = steps.ticket_number(alice, "Reset b.wrona")

        steps.go(alice, number, f"tickets/{question}/")
        panel = alice.locator("#automation")
        panel.get_by_role("button", name="Run", exact=True).click()
        expect(panel).to_contain_text(f"http://127.0.0.1:{port}/people?who=b.wrona", timeout=steps.WORK_MS)
        panel.get_by_label("I asked for it myself").check()
        assert asked == []
        panel.get_by_role("button", name="Agree").click()
        expect(panel).to_contain_text("Finance", timeout=steps.WORK_MS)
        assert asked == ["/people?who=b.wrona"]
        alice.reload()
        expect(alice.locator("main")).to_contain_text("127.0.0.1")

        finish(alice, number, question, result="Ruled out")
        finish(alice, number, reset)
        steps.go(alice, number, "runs/")
        alice.get_by_role("link", name="Account behaves oddly", exact=True).click()
        expect(alice.locator("main")).to_contain_text("2 of 2")
        alice.get_by_role("link", name=re.compile("^(Finish and rate|Rate)$")).click()
        box = steps.dialog(alice)
        box.get_by_label("4", exact=True).check()
        box.get_by_label("Yes").check()
        steps.field(box, "For the next version").fill("Ask the owner as well")
        box.get_by_role("button", name="Save").click()
        expect(alice.locator("main")).to_contain_text("4 of 5")

        alice.goto(address)
        expect(alice.locator("main")).to_contain_text("Ask the owner as well")
        alice.get_by_role("link", name="Edit as v2").click()
        steps.field(alice, "What is new").fill("The owner is asked")
        alice.locator("#id_body").fill(BOOK.format(port=port) + "- [ ] Ask the owner of {{ account }}\n")
        alice.get_by_role("button", name="Save and submit").click()
        alice.get_by_role("link", name="Compare").first.click()
        expect(alice.locator(".diff ins").first).to_contain_text("Ask the owner of {{ account }}")
        approve(dora, f"{address}versions/2/")
        alice.goto(address)
        expect(alice.get_by_text("Approved v2")).to_be_visible()
        assert people.seen_by(alice).all == []
