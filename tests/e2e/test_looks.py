"""Pages that everybody can read: by axe's rules, in light and dark, on a phone without sideways scroll."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People

AXE = (Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
RUN = """async () => {
  const rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const found = await axe.run(document, {runOnly: rules});
  return found.violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) => ({
    rule: one.id, nodes: one.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`)}));
}"""
STICKS_OUT = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 1);
  const first = wide.slice(0, 5).map((one) => one.outerHTML.slice(0, 90));
  return [`${document.documentElement.scrollWidth} > ${width}`, ...first];
}"""
MAIN = "Domain admin compromise after phishing"
PHONE = {"width": 390, "height": 844}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "phone": {"color_scheme": "light", "viewport": PHONE, "has_touch": True, "is_mobile": True},
}


@pytest.fixture(params=LOOKS)
def look(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def addresses(page: Page) -> Iterator[tuple[str, str]]:
    """Name and path of every page that people spend their time on."""
    page.goto(f"{steps.base_of(page)}/")
    page.get_by_role("link", name=MAIN).click()
    number = steps.number_of(page)
    steps.go(page, number, "tree/")
    ticket = steps.ticket_number(page, "Sweep the fleet for the C2 domains")
    incident = f"/incidents/{number}/"
    yield from {
        "dashboard": "/", "declare": "/incidents/new/", "overview": incident, "tree": f"{incident}tree/",
        "ticket": f"{incident}tickets/{ticket}/", "members": f"{incident}members/", "work log": f"{incident}log/",
        "report": f"{incident}report/", "audit": f"{incident}audit/", "alerts": "/alerts/", "imports": "/intake/",
        "notifications": "/notifications/", "team": "/team/", "customers": "/customers/",
        "profile": "/accounts/profile/", "not found": "/incidents/IR-2000-0101-999/",
    }.items()  # fmt: skip


def findings(page: Page) -> list[str]:
    """What axe calls serious or critical, in a window as tall as the page: the bar at its foot hides nothing."""
    window = page.viewport_size or {"width": 1280, "height": 800}
    tall = int(page.evaluate("document.documentElement.scrollHeight"))
    page.set_viewport_size({"width": window["width"], "height": max(tall + 80, window["height"])})
    page.evaluate(AXE)
    return [json.dumps(one) for one in page.evaluate(RUN)]


def sideways(page: Page) -> list[str]:
    """By how much the page is wider than the window, and which elements stick out."""
    return list(page.evaluate(STICKS_OUT))


def test_every_page_can_be_read_by_everybody(people: People, look: str) -> None:
    page = people.open("alice", **LOOKS[look])
    wrong, seen = {}, 0
    for name, path in [*addresses(page), ("login", "/accounts/login/")]:
        if name == "login":
            page = people.open(path=path, **LOOKS[look])
        else:
            page.goto(f"{steps.base_of(page)}{path}")
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        seen += 1
        bad = findings(page) + (sideways(page) if look == "phone" else [])
        if bad:
            wrong[name] = bad
    assert not wrong, json.dumps(wrong, indent=1)
    print(f"\naxe, {look}: {seen} pages, 0 serious findings")


def test_dialogs_can_be_read_by_everybody(people: People) -> None:
    page = people.open("alice")
    number = steps.declare(page, "A dialog for everybody", commander="Alice Lindqvist")
    page.get_by_role("link", name="Another step …").click()
    expect(steps.dialog(page)).to_be_visible()
    assert findings(page) == []
    steps.close_dialog(page)
    steps.go(page, number, "tree/")
    page.get_by_role("link", name="Add ticket").click()
    expect(steps.dialog(page)).to_be_visible()
    assert findings(page) == []
