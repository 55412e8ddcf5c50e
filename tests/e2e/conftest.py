"""One Treeline and one Chromium for all these tests; each test gets browsers in which its people are logged in."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e import browser as chromium
from tests.e2e import treeline as house
from tests.servers import skip_or_fail

PICTURES = Path(__file__).resolve().parents[2] / "test-results"
Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever stands in this folder drives a page."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="package")
def treeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[house.Treeline]:
    with house.running(tmp_path_factory.mktemp("treeline")) as running:
        yield running


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    # Not for the whole session: while Playwright's loop runs, Django refuses the database to other tests.
    if not chromium.CHROMIUM.exists():
        skip_or_fail(f"There is no Chromium at {chromium.CHROMIUM} (on Debian: apt-get install chromium).")
    with sync_playwright() as playwright, chromium.launched(playwright) as launched:
        expect.set_options(timeout=chromium.PATIENCE_MS)
        yield launched


@dataclass
class People:
    """Browsers of people: `people.open("bob")` is a page in which Bob is logged in."""

    treeline: house.Treeline
    browser: Browser
    states: dict[str, Any]
    contexts: list[BrowserContext] = field(default_factory=list)
    seen: dict[BrowserContext, chromium.Seen] = field(default_factory=dict)

    def open(self, name: str = "", path: str = "/", **options: Any) -> Page:
        """A page at `path` in a browser of its own; `options` are Playwright's (viewport, java_script_enabled …)."""
        if name and name not in self.states:
            self.states[name] = self._logged_in(name)
        kept = {"storage_state": self.states[name]} if name else {}
        page = self._context(**kept, **options).new_page()
        page.goto(f"{self.treeline.base}{path}")
        return page

    def log_in(self, page: Page, name: str) -> None:
        """Through the page, as everybody does."""
        chromium.log_in(page, base=self.treeline.base, name=name, password=self.treeline.password)

    def seen_by(self, page: Page) -> chromium.Seen:
        """What went wrong in this person's browser."""
        return self.seen[page.context]

    def close(self) -> None:
        for context in self.contexts:
            context.close()

    def _context(self, **options: Any) -> BrowserContext:
        options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options}
        context = self.browser.new_context(**options)
        context.set_default_timeout(chromium.PATIENCE_MS)
        self.contexts.append(context)
        self.seen[context] = chromium.watch(context, base=self.treeline.base)
        return context

    def _logged_in(self, name: str) -> Any:
        context = self._context()
        self.log_in(context.new_page(), name)
        return context.storage_state()


@pytest.fixture(scope="package")
def logged_in() -> dict[str, Any]:
    """Cookies of people who logged in before, by name: a login costs a second."""
    return {}


@pytest.fixture
def people(
    treeline: house.Treeline, browser: Browser, logged_in: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[People]:
    found = People(treeline=treeline, browser=browser, states=logged_in)
    yield found
    if getattr(request.node, "failed", False):
        PICTURES.mkdir(exist_ok=True)
        name = re.sub(r"[^\w-]+", "-", request.node.name)
        for number, page in enumerate(page for context in found.contexts for page in context.pages):
            page.screenshot(path=PICTURES / f"{name}-{number}.png", full_page=True)
    found.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Let fixtures know that their test failed, to take a picture of its pages (test-results/)."""
    report = yield
    if report.when == "call" and report.failed:
        item.failed = True  # type: ignore[attr-defined]
    return report
