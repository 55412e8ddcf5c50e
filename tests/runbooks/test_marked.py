"""Rows of the tree say which tickets carry something out by themselves, without asking anything more."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.models import JournalEntry
from incidents.actions.incidents import open_incident
from incidents.models import Incident
from people.models import User
from runbooks.actions.automations import remove_automation
from runbooks.actions.starts import run_runbook
from runbooks.models import Automation
from tests.runbooks.automating import carried_out, give
from tests.runbooks.test_starts import VALUES
from tickets.actions import tickets as actions
from tickets.actions import undo
from tickets.actions.merging import merge_incidents
from tickets.models import Ticket

MARK = "Carries something out by itself"
NOTIFY = {"text": "Look", "people": ["bob"]}


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


def row(browser: Client, ticket: Ticket) -> str:
    html = browser.get(f"/incidents/{ticket.incident.number}/tree/").content.decode()
    assert f'id="t{ticket.number}"' in html
    return html.partition(f'id="t{ticket.number}"')[2].partition("</tr>")[0]


def is_kept() -> bool:
    """Those that are marked are those that have one."""
    marked = set(Ticket.objects.filter(automated=True).values_list("pk", flat=True))
    return marked == set(Automation.objects.values_list("ticket", flat=True))


def test_a_ticket_is_marked_as_long_as_it_has_an_automation(browser, make_ticket, bob) -> None:
    one, other = make_ticket("One"), make_ticket("Other")
    automation = give(one, bob, "notify", NOTIFY)
    assert MARK in row(browser, one)
    assert MARK not in row(browser, other)
    remove_automation(actor=bob, automation=automation)
    assert MARK not in row(browser, one)
    assert is_kept()


def test_a_runbook_marks_the_steps_that_have_one(browser, incident, phishing, bob) -> None:
    run_runbook(actor=bob, incident=incident, document=phishing, under=None, values=VALUES)
    assert [one.title for one in Ticket.objects.filter(automated=True)] == ["Tell the customer"]
    assert MARK in row(browser, Ticket.objects.get(title="Tell the customer"))
    assert is_kept()


def test_quick_add_marks_them_too(browser, incident) -> None:
    text = "- [ ] Tell Bob\n  ```action\n  notify: {text: x, people: [bob]}\n  ```\n- [ ] Other\n"
    url = f"/incidents/{incident.number}/tickets/quick/"
    assert browser.post(url, {"text": text}).status_code == 302
    assert [one.title for one in Ticket.objects.filter(automated=True)] == ["Tell Bob"]
    assert is_kept()


def test_the_mark_stays_through_dropping_undo_moving_running_and_merging(browser, make_ticket, alice, bob) -> None:
    one, under = make_ticket("One"), make_ticket("Under")
    automation = give(one, bob, "notify", NOTIFY)
    actions.drop_branch(actor=alice, ticket=one, reason="Not needed")
    assert MARK in row(browser, one)
    entry = JournalEntry.objects.get(verb="ticket.branch_dropped")
    undo.undo_change(actor=alice, ticket=Ticket.objects.get(pk=one.pk), entry=entry)
    actions.move_ticket(actor=alice, ticket=Ticket.objects.get(pk=one.pk), parent=under.number)
    carried_out(automation, bob)
    assert MARK in row(browser, one)
    target = open_incident(actor=alice, title="Other", type="malware", severity="high", reporter=alice)
    source = Incident.objects.get(pk=one.incident_id)
    merge_incidents(actor=alice, source=source, target=target, reason="The same")
    moved = Ticket.objects.select_related("incident").get(pk=one.pk)
    assert moved.incident == target
    assert MARK in row(browser, moved)
    assert is_kept()


def test_the_tree_asks_nothing_more_however_many_are_marked(browser, make_ticket, incident, bob) -> None:
    tickets = [make_ticket(f"Step {number}") for number in range(12)]
    url = f"/incidents/{incident.number}/tree/"
    browser.get(url)

    def asked() -> int:
        with CaptureQueriesContext(connection) as found:
            html = browser.get(url).content.decode()
        assert html.count(f'<span class="visually-hidden">{MARK}') == Automation.objects.count()
        return len(found)

    before = asked()
    for one in tickets:
        give(one, bob, "notify", NOTIFY)
    assert asked() == before <= 7
