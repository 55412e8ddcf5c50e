"""Documents by hand: Alice writes a runbook with preview, Dora approves it, Alice compares it with version 2."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e import steps
from tests.e2e.conftest import People
from tests.e2e.test_looks import LOOKS, findings, sideways


def test_alice_writes_a_runbook_dora_approves_it_and_version_2_is_compared(people: People) -> None:
    page, dora = people.open("alice", "/runbooks/"), people.open("dora")
    page.get_by_role("link", name="Write a runbook").click()
    steps.field(page, "Title").fill("Printer on fire")
    text = page.locator("#id_body")
    text.fill("- [ ] Pull the plug !2x\n")
    preview = page.get_by_role("region", name="Preview")
    expect(preview).to_contain_text("1:21")
    text.fill("- [ ] Pull the plug @technical_lead !2h #lead\n  - [ ] Take a photo\n")
    expect(preview).to_contain_text("Technical Lead")
    expect(preview).not_to_contain_text("1 to correct")
    expect(preview.get_by_role("row").filter(has_text="Take a photo")).to_contain_text("1.1")
    page.get_by_role("button", name="Save as a draft").click()
    steps.toast(page, "is a draft now")
    page.get_by_role("button", name="Submit for approval").click()
    expect(page.get_by_text("cannot approve it")).to_be_visible()
    expect(page.get_by_role("link", name="Decide")).to_have_count(0)

    dora.goto(page.url)
    dora.get_by_role("link", name="Decide").click()
    dialog = steps.dialog(dora)
    dialog.get_by_role("textbox", name="Comment").fill("As we did it last year.")
    dialog.get_by_role("button", name="Approve").click()
    expect(dora.get_by_text("As we did it last year.")).to_be_visible()
    expect(dora.get_by_text("Approved v1")).to_be_visible()

    page.goto(re.sub(r"versions/\d+/$", "", page.url))
    page.get_by_role("link", name="Edit as v2").click()
    steps.field(page, "What is new").fill("The photo comes first")
    page.locator("#id_body").fill("- [ ] Take a photo\n- [ ] Pull the plug @technical_lead !2h #lead\n")
    page.get_by_role("button", name="Save and submit").click()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_role("heading", name="v1 to v2")).to_be_visible()
    expect(page.locator(".diff ins").first).to_contain_text("Take a photo")
    expect(page.locator(".diff del").first).to_contain_text("Take a photo")
    assert people.seen_by(page).all == []


@pytest.mark.parametrize("look", LOOKS)
def test_documents_can_be_read_by_everybody(people: People, look: str) -> None:
    page = people.open("alice", **LOOKS[look])
    for path in ("/runbooks/", "/runbooks/phishing/", "/runbooks/phishing/edit/", "/runbooks/phishing/facts/"):
        page.goto(f"{steps.base_of(page)}{path}")
        assert findings(page) == [], path
        assert sideways(page) == [], path
