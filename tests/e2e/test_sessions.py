"""What a person sees when the login ends in the middle of the work."""

import re

from playwright.sync_api import expect

from tests.e2e import steps
from tests.e2e.conftest import People

WORDS = "The attacker came in through the backup account, see the log of DC01."


def test_what_bob_typed_stays_when_his_session_ends(people: People) -> None:
    bob = people.open()
    people.log_in(bob, "bob")
    number = steps.declare(bob, "A login ends in the middle", commander="Bob Wrona")
    steps.go(bob, number, "tickets/add/")
    steps.field(bob, "Title").fill("Write down what happened")
    bob.get_by_role("main").get_by_role("button", name="Add", exact=True).click()
    bob.wait_for_url(re.compile("/tree/"))
    steps.go(bob, number, f"tickets/{steps.ticket_number(bob, 'Write down what happened')}/")
    box = bob.get_by_placeholder("Comment, Markdown, @name")
    box.fill(WORDS)
    bob.context.clear_cookies(name="treeline_session")
    bob.get_by_role("button", name="Comment", exact=True).click()
    link = bob.get_by_role("link", name="Log in")
    expect(link).to_be_visible()
    expect(box).to_have_value(WORDS)
    href = str(link.get_attribute("href"))
    assert href.startswith("/accounts/login/?next=%2Fincidents%2F")
    again = bob.context.new_page()  # logs in beside it, and comes back to send what is still there
    people.log_in(again, "bob")
    expect(box).to_have_value(WORDS)
