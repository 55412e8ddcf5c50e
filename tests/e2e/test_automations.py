"""Automations in the browser: a question and what its answer feeds, dry runs and failures."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People

TASKS = """- [ ] Which host is hit?
  ```action
  ask_human: {text: "Which host talks to the beacon?", fields: [{name: host, label: "Name of the host"}], as: decision}
  ```
- [ ] Take it off the network
  ```action
  create_tickets: {tasks: "- [ ] Isolate {{ steps.decision.host }}"}
  ```
- [ ] Bring in the playbook
  ```action
  run_runbook: {runbook: "of-nobody", on: start}
  ```
"""


def panel(page: Page, ticket: int) -> Locator:
    """The automation on the page of a ticket."""
    steps.go(page, steps.number_of(page), f"tickets/{ticket}/")
    return page.locator("#automation")


@pytest.fixture
def alice(people: People) -> Page:
    """Alice at a tree with three tickets that do something by themselves."""
    page = people.open("alice")
    steps.paste(page, steps.declare(page, "A beacon", commander="Alice Lindqvist"), TASKS)
    return page


def numbers(page: Page) -> tuple[int, int, int]:
    """Which tickets ask, add and fail."""
    titles = ("Which host is hit?", "Take it off the network", "Bring in the playbook")
    ask, add, fail = (steps.ticket_number(page, title) for title in titles)
    return ask, add, fail


def test_what_somebody_answers_on_a_ticket_is_used_by_a_later_step(people: People, alice: Page) -> None:
    ask, add, _ = numbers(alice)
    here = panel(alice, add)
    here.get_by_role("button", name="Dry run").click()
    expect(here).to_contain_text("Dry run: Failed", timeout=steps.WORK_MS)
    here = panel(alice, ask)
    here.get_by_role("button", name="Run", exact=True).click()
    expect(here).to_contain_text("Which host talks to the beacon?", timeout=steps.WORK_MS)
    steps.field(here, "Name of the host").fill("FS01 <b>{{ 7 * 7 }}</b>")
    here.get_by_role("button", name="Answer").click()
    expect(here.get_by_role("button", name="Run", exact=True)).to_be_visible(timeout=steps.WORK_MS)
    expect(here).to_contain_text("Answered by", timeout=steps.WORK_MS)
    here = panel(alice, add)
    here.get_by_role("button", name="Dry run").click()
    expect(here).to_contain_text(f"Would add 1 below #{add}", timeout=steps.WORK_MS)
    steps.go(alice, steps.number_of(alice), "tree/")
    expect(alice.locator("tr[data-id]").filter(has_text="Isolate FS01")).to_have_count(0)
    here = panel(alice, add)
    here.get_by_role("button", name="Run", exact=True).click()
    expect(here).to_contain_text("Done", timeout=steps.WORK_MS)
    steps.go(alice, steps.number_of(alice), "tree/")
    expect(steps.row(alice, "Isolate FS01 <b>{{ 7 * 7 }}</b>")).to_have_attribute("data-parent", str(add))
    assert people.seen_by(alice).all == []


def test_one_that_fails_says_why_on_its_ticket_and_holds_nothing_else_up(people: People, alice: Page) -> None:
    ask, _, fail = numbers(alice)
    steps.go(alice, steps.number_of(alice), f"tickets/{fail}/status/")
    steps.field(alice, "Status").select_option(label="In progress")
    alice.locator("main").get_by_role("button", name="Set status").click()
    alice.wait_for_url(lambda url: "/status/" not in url)
    here = panel(alice, fail)
    expect(here).to_contain_text("Failed", timeout=steps.WORK_MS)
    expect(here).to_contain_text("of-nobody", timeout=steps.WORK_MS)
    alice.reload()
    expect(alice.locator("main")).to_contain_text("Start a runbook: failed")
    here = panel(alice, ask)
    here.get_by_role("button", name="Run", exact=True).click()
    expect(steps.field(here, "Name of the host")).to_be_visible(timeout=steps.WORK_MS)
    steps.go(alice, steps.number_of(alice), "automations/")
    expect(alice.get_by_role("row").filter(has_text="Bring in the playbook")).to_contain_text("Failed")
    expect(alice.get_by_role("row").filter(has_text="Which host is hit?")).to_contain_text("Waits")
    assert people.seen_by(alice).all == []
