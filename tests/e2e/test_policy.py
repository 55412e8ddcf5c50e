"""The Content-Security-Policy is kept in normal use: nothing is refused, nothing is said in the console."""

from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.conftest import People
from tests.e2e.test_looks import addresses

FORBIDDEN = """() => {
  const script = document.createElement("script");
  script.textContent = "window.__ran = 1";
  const image = document.createElement("img");
  image.src = "https://canary.example/p.png";
  document.body.append(script, image);
}"""


def use(page: Page) -> None:
    """What a person does on every page: waits for a refresh, opens menus and dialogs, changes the theme."""
    number = steps.declare(page, "Normal use", commander="Alice Lindqvist")
    page.get_by_role("link", name="Another step …").click()
    steps.close_dialog(page)
    page.get_by_role("button", name="More actions").click()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Theme").click()
    steps.go(page, number, "tree/")
    page.get_by_role("link", name="Add ticket").click()
    steps.field(steps.dialog(page), "Title").fill("One of many")
    steps.dialog(page).get_by_role("button", name="Add and close").click()
    expect(steps.row(page, "One of many")).to_be_visible()
    steps.row(page, "One of many").locator("button.rowact").click()
    page.get_by_role("menuitem", name="Status").click()
    steps.close_dialog(page)
    page.keyboard.press("?")
    page.keyboard.press("Escape")


def test_nothing_is_refused_by_the_policy_and_nothing_is_wrong_in_the_console(people: People) -> None:
    alice = people.open("alice")
    paths = [path for name, path in addresses(alice) if name != "not found"]
    for path in paths:
        answer = alice.goto(f"{steps.base_of(alice)}{path}")
        assert answer
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        alice.wait_for_load_state("networkidle")
    use(alice)
    eve = people.open("eve", "/accounts/profile/")
    eve.wait_for_load_state("networkidle")
    assert people.seen_by(alice).all == []
    assert people.seen_by(eve).all == []
    print(f"\nCSP: {len(paths) + 1} pages in normal use, 0 violations, 0 console errors, 0 foreign requests")


def test_the_policy_is_in_force(people: People) -> None:
    """The control: what it forbids is refused and seen by this harness."""
    alice = people.open("alice")
    alice.evaluate(FORBIDDEN)
    alice.wait_for_timeout(300)
    assert alice.evaluate("() => window.__ran") is None
    assert len(people.seen_by(alice).violations) >= 2
