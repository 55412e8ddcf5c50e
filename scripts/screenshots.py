#!/usr/bin/env python3
"""Take the pictures of README and docs from the demo data: `make screenshots`.

Starts Treeline on a free port with its data in a temporary folder, logs in as Alice, and writes docs/screenshots/*.png,
each small enough for a repository.
"""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from PIL import Image  # noqa: E402
from playwright.sync_api import Browser, Page, sync_playwright  # noqa: E402

from tests.e2e import browser as chromium  # noqa: E402
from tests.e2e import steps  # noqa: E402
from tests.e2e.treeline import Treeline, running  # noqa: E402

INTO = ROOT / "docs" / "screenshots"
MOST_BYTES = 250_000
MAIN = "Domain admin compromise after phishing"
TICKET = "Sweep the fleet for the C2 domains"
LOOKS: dict[str, dict[str, Any]] = {
    "": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "-dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "-phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "device_scale_factor": 2},
}


def main() -> None:
    INTO.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running(Path(folder)) as treeline,
        sync_playwright() as playwright,
        chromium.launched(playwright) as browser,
    ):
        with logged_in(browser, treeline) as page:
            make_report(page)
        for suffix, options in LOOKS.items():
            with logged_in(browser, treeline, **options) as page:
                take(page, suffix)


@contextmanager
def logged_in(browser: Browser, treeline: Treeline, **options: Any) -> Iterator[Page]:
    """A page of Alice's, without motion."""
    context = browser.new_context(reduced_motion="reduce", locale="en-GB", **options)
    try:
        page = context.new_page()
        chromium.log_in(page, base=treeline.base, name="alice", password=treeline.password)
        yield page
    finally:
        context.close()


def open_main(page: Page) -> str:
    """Open the demo's main incident; gives its number."""
    page.goto(f"{steps.base_of(page)}/")
    page.get_by_role("link", name=MAIN).click()
    page.wait_for_url("**/incidents/IR-*/")
    return steps.number_of(page)


def make_report(page: Page) -> None:
    """One version, so that the report page has something to show."""
    steps.go(page, open_main(page), "report/")
    page.get_by_role("button", name="Make PDF").click()
    page.get_by_role("link", name="Download PDF").wait_for(timeout=120_000)


def take(page: Page, suffix: str) -> None:
    """All pictures in one look."""
    base, number = steps.base_of(page), open_main(page)
    steps.go(page, number, "tree/")
    ticket = steps.ticket_number(page, TICKET)
    steps.go(page, number, "runs/")
    run = str(page.get_by_role("link", name="Isolate a host").get_attribute("href")).rstrip("/").rpartition("/")[2]
    one = f"/incidents/{number}/"
    paths = {
        "dashboard": "/", "overview": one, "tree": f"{one}tree/?ticket={ticket}", "ticket": f"{one}tickets/{ticket}/",
        "map": f"{one}tree/map/", "board": f"{one}board/", "leads": f"{one}leads/", "my-work": "/my/",
        "report": f"{one}report/", "alerts": "/alerts/", "runbook": "/runbooks/isolate-a-host/",
        "run": f"{one}runs/{run}/", "insert": f"{one}runbooks/phishing/run/?under={ticket}",
    }  # fmt: skip
    for name, path in paths.items():
        page.goto(f"{base}{path}")
        page.wait_for_load_state("networkidle")
        save(page, INTO / f"{name}{suffix}.png")


def save(page: Page, path: Path) -> None:
    """What the window shows in its true colours, which mean something here; in fewer only if it would be too large."""
    page.screenshot(path=path)
    for colours in (256, 128, 64):
        if path.stat().st_size <= MOST_BYTES:
            break
        with Image.open(path) as picture:
            picture.convert("RGB").quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(ROOT)} {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
