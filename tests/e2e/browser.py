"""Chromium as the tests and the screenshots use it: no network of its own, no first-run pages, people who log in."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# A person looks at one page at a time and waits for it; on a busy machine the first one may take long.
PATIENCE_MS = 20_000
HOSTS = {
    "alice": "demo", "bob": "demo", "carol": "demo", "dora": "demo", "mallory": "demo", "admin": "demo",
    "eve": "customer-a", "frank": "customer-b",
}  # fmt: skip


@contextmanager
def launched(playwright: Playwright) -> Iterator[Browser]:
    """Chromium without a window."""
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
    try:
        yield browser
    finally:
        browser.close()


def email(name: str) -> str:
    """The address that a person of the demo logs in with."""
    return f"{name}@{HOSTS[name]}.example"


def log_in(page: Page, *, base: str, name: str, password: str) -> None:
    """Log in through the page."""
    page.goto(f"{base}/accounts/login/")
    page.locator("input[name=login]").fill(email(name))
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url(lambda url: "/accounts/login" not in url)


@dataclass
class Seen:
    """What went wrong in a browser that nobody would notice by looking: it should stay empty."""

    errors: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """Everything, in words."""
        return [*self.errors, *self.violations, *self.foreign]


REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  window.treelineViolated(`${location.pathname}: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def watch(context: BrowserContext, *, base: str) -> Seen:
    """Collect console errors, uncaught exceptions, policy violations and requests to other hosts."""
    seen = Seen()

    def note_request(request: Any) -> None:
        if not request.url.startswith((f"{base}/", "data:", "blob:", "about:")):
            seen.foreign.append(request.url)

    def note_console(message: Any) -> None:
        if message.type == "error":
            seen.errors.append(f"{message.text} ({message.location.get('url', '')})")

    context.on("request", note_request)
    context.on("console", note_console)
    context.on("weberror", lambda error: seen.errors.append(str(error.error)))
    context.expose_binding("treelineViolated", lambda source, text: seen.violations.append(text))
    context.add_init_script(REPORT_VIOLATIONS)
    return seen
