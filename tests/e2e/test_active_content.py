"""Active content in a real browser (G15): without the policy, no hostile string runs, loads or leaves a handler.

The control shows the same strings without the sanitizer: there they must run, or this harness sees nothing.
"""

import json
import subprocess
import sys
from html import escape

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e import hostile, steps
from tests.e2e.conftest import People
from tests.e2e.treeline import ROOT, Treeline
from tests.security.test_markup import unclean

pytestmark = pytest.mark.security
LEFTOVERS = """() => {
  const tags = ["SCRIPT", "IFRAME", "OBJECT", "EMBED", "STYLE", "BASE", "META", "MARQUEE", "MATH"];
  const bad = ({ name, value }) => /^on|^srcdoc$|^style$/.test(name) || /^\\s*(javascript|data|vbscript):/i.test(value);
  return [...document.querySelectorAll("main *, header *, title")].flatMap((one) => [
    ...(tags.includes(one.tagName) ? [one.tagName] : []),
    ...[...one.attributes].filter(bad).map(({ name, value }) => `${one.tagName} ${name}=${value}`),
  ]);
}"""
INLINE = """() => {
  const script = document.createElement("script");
  script.textContent = "window.__inline = 1";
  document.body.append(script);
  return window.__inline;
}"""
RAN = """() => [...document.querySelectorAll("section")].filter((pair) =>
  [...pair.querySelectorAll("iframe")].some((frame) => {
    try {
      const inside = frame.contentDocument;
      for (const one of inside.querySelectorAll("*")) {
        for (const name of ["mouseover", "mouseenter", "focus", "pointerenter", "toggle", "beforeinput", "close"])
          one.dispatchEvent(new Event(name));
        if (/^\\s*javascript:/i.test(one.getAttribute("href") ?? "")) one.click();
        if (one.matches("button, input[type=submit]")) one.click();
      }
      return frame.contentWindow.__pwn;
    } catch {
      return false; // it went to another origin
    }
  })).length"""
PROVOKE = """() => document.querySelectorAll("main *").forEach((one) => {
  for (const name of ["mouseover", "mouseenter", "focus", "pointerenter"]) one.dispatchEvent(new Event(name));
})"""


@pytest.fixture(scope="module")
def pages(treeline: Treeline) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.e2e.hostile"], cwd=ROOT, env=treeline.environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout.splitlines()[-1]))


def look(page: Page, path: str) -> list[str]:
    """Open a page, provoke what waits for a hand, and say what is wrong."""
    answer = page.goto(f"{steps.base_of(page)}{path}")
    assert answer
    assert answer.status == 200, f"{path}: {answer.status}"
    page.evaluate(PROVOKE)
    wrong = [str(one) for one in page.evaluate(LEFTOVERS)]
    return wrong + (["it ran"] if page.evaluate("() => window.__pwn") else [])


def plain(text: str) -> str:
    """Without spaces, as lines break differently on a page."""
    return "".join(text.split())


def test_no_hostile_string_runs_on_any_page_even_without_the_policy(people: People, pages: list[str]) -> None:
    alice = people.open("alice", bypass_csp=True)
    assert alice.evaluate(INLINE) == 1, "the policy is not off: this would prove nothing"
    wrong, shown = {}, set()
    for path in pages:
        if found := look(alice, path):
            wrong[path] = found
        text = plain(alice.locator("main").inner_text())
        shown |= {one for one in hostile.payloads() if plain(one) in text}
    alice.wait_for_timeout(500)
    foreign = people.seen_by(alice).foreign
    print(f"\nG15 browser: {len(hostile.payloads())} strings in all fields, {len(pages)} pages without policy, "
          f"{len(wrong)} active, {len(foreign)} foreign requests")  # fmt: skip
    assert len(shown) >= 100, f"only {len(shown)} are shown as typed: the others were looked for where they are not"
    assert not wrong, json.dumps(wrong, indent=1)
    assert foreign == []


def test_the_control_runs_without_the_sanitizer(browser: Browser) -> None:
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    beacons: list[str] = []
    context.on("request", lambda request: beacons.append(request.url) if ":9/" in request.url else None)
    frame = '<iframe srcdoc="{}"></iframe>'
    pairs = [(escape(text), escape(unclean(text))) for text in hostile.payloads()]
    page.set_content("".join(f"<section>{frame.format(raw)}{frame.format(made)}</section>" for raw, made in pairs))
    page.wait_for_timeout(2000)
    page.evaluate(RAN)  # what is clicked runs a moment later
    page.wait_for_timeout(500)
    ran = page.evaluate(RAN)
    context.close()
    print(f"\nG15 control: {ran} of {len(hostile.payloads())} strings run unsanitized, {len(beacons)} beacons")
    assert ran >= 50
