"""The pages of runs and automations with what the demo has in them: for eyes, for keys, and no longer than they are."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People
from tests.e2e.test_looks import LOOKS, MAIN, findings, sideways

WIDE = {"width": 1440, "height": 900}
NO_OUTLINE = """() => {
  const one = document.activeElement, look = getComputedStyle(one);
  const seen = (look.outlineStyle !== "none" && parseFloat(look.outlineWidth) > 0) || look.boxShadow !== "none";
  return one === document.body || seen ? "" : one.outerHTML.slice(0, 90);
}"""
TOO_LONG = """() => {
  const ends = document.querySelector(".content, .treewrap").getBoundingClientRect().bottom + scrollY;
  return Math.round(document.documentElement.scrollHeight - Math.max(innerHeight, ends));
}"""


def open_main(page: Page) -> str:
    """The demo's main incident; gives its number."""
    page.goto(f"{steps.base_of(page)}/")
    page.get_by_role("link", name=MAIN).click()
    page.wait_for_url("**/incidents/IR-*/")
    return steps.number_of(page)


def addresses(page: Page) -> Iterator[tuple[str, str]]:
    """Name and path of the pages about the demo's run and its automations."""
    number = open_main(page)
    steps.go(page, number, "tree/")
    ask, failed = (
        steps.ticket_number(page, title)
        for title in ("Prove that the isolation holds", "Isolate WS-0161 from the network")
    )
    agree, branch = (
        steps.ticket_number(page, "Reset krbtgt twice, ten hours apart"),
        steps.ticket_number(page, "Isolate a host"),
    )
    steps.go(page, number, "runs/")
    run = page.get_by_role("link", name="Isolate a host").get_attribute("href") or ""
    steps.go(page, number, f"tickets/{failed}/automation/")
    execution = page.get_by_role("link", name="On its own page").get_attribute("href") or ""
    here = f"/incidents/{number}/"
    yield from {
        "runs": f"{here}runs/", "run": run, "stop": f"{run}stop/", "rate": f"{run}finish/", "update": f"{run}update/",
        "automations": f"{here}automations/", "asks": f"{here}tickets/{ask}/automation/", "execution": execution,
        "waits": f"{here}tickets/{agree}/automation/", "form": f"{here}tickets/{ask}/automation/edit/",
        "save": f"{here}tickets/{branch}/save-as-runbook/", "palette": f"{here}runbooks/",
        "start": f"{here}runbooks/phishing/run/", "panel": f"{here}tree/?ticket={ask}", "my work": "/my/",
        "used": "/runbooks/isolate-a-host/", "in review": "/runbooks/isolate-a-host/versions/2/",
        "policy": "/policies/severity-scale/", "message": "/templates/customer-update/",
        "decide": "/runbooks/isolate-a-host/approve/", "compare": "/runbooks/isolate-a-host/compare/?to=2",
    }.items()  # fmt: skip


@pytest.mark.parametrize("look", LOOKS)
def test_runs_and_automations_can_be_read_by_everybody(people: People, look: str) -> None:
    page = people.open("alice", **LOOKS[look])
    wrong = {}
    for name, path in list(addresses(page)):
        page.goto(f"{steps.base_of(page)}{path}")
        page.wait_for_load_state("networkidle")
        bad = sideways(page) if look == "phone" else []
        if (longer := int(page.evaluate(TOO_LONG))) > 60:
            bad.append(f"it goes on for {longer} pixels after its end")
        if bad := bad + findings(page):
            wrong[name] = bad
        page.set_viewport_size(LOOKS[look].get("viewport", WIDE))
    assert not wrong, json.dumps(wrong, indent=1)
    assert people.seen_by(page).all == []


@pytest.mark.parametrize("path", ["runbooks/phishing/run/", "runs/"])
def test_who_uses_keys_sees_where_they_are(people: People, path: str) -> None:
    page = people.open("alice", viewport=WIDE)
    steps.go(page, open_main(page), path)
    unseen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        page.wait_for_timeout(20)
        unseen.add(page.evaluate(NO_OUTLINE))
    assert unseen <= {""}


def test_another_action_shows_its_own_fields_as_soon_as_it_is_chosen(people: People) -> None:
    page = people.open("alice", viewport=WIDE)
    number = open_main(page)
    steps.go(page, number, "tree/")
    steps.go(
        page,
        number,
        f"tickets/{steps.ticket_number(page, 'Write down what would end the isolation, and who decides')}/",
    )
    page.get_by_role("link", name="Add an automation").click()
    box = steps.dialog(page)
    expect(box.get_by_role("button", name="Show its fields")).to_be_hidden()
    steps.field(box, "What is done").select_option(label="Ask somebody")
    expect(steps.field(box, "Question")).to_be_visible()
    steps.field(box, "Name").fill("ending")
    steps.field(box, "What is done").select_option(label="Wait")
    expect(steps.field(box, "Approval of what")).to_be_visible()
    expect(steps.field(box, "Name")).to_have_value("ending")
    assert people.seen_by(page).all == []
