"""Several tickets at once while others work on them too; several rows beside another by one post."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from incidents.models import Incident
from people.models import User
from tickets.actions import bulk
from tickets.actions import tickets as actions
from tickets.models import Ticket

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def one_by_one(settings: Any) -> None:
    """Each ticket is changed by its ordinary action, which loads and locks it anew: so it is meant here."""
    settings.ZEAL_ALLOWLIST = [{"model": "*", "field": "*"}]


@pytest.fixture
def three(make_ticket: Callable[..., Ticket]) -> list[Ticket]:
    """#101 to #103 at the top, #104 below #101."""
    top = [make_ticket("Beacon"), make_ticket("Mail", lead=True), make_ticket("Disk")]
    make_ticket("Memory", parent=top[0])
    return top


@pytest.fixture
def url(incident: Incident) -> str:
    return f"/incidents/{incident.number}/tickets/bulk/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


def now(number: int) -> Ticket:
    return Ticket.objects.get(number=number)


def order(incident: Incident) -> list[int]:
    rows = Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("lft")
    return list(rows.values_list("number", flat=True))


def pairs(html: str) -> list[str]:
    return re.findall(r'name="tickets" value="([^"]+)"', html)


def test_bob_does_not_write_over_what_alice_did_since_he_was_asked(browser, url, three, alice, bob) -> None:
    asked = pairs(browser.get(f"{url}?tickets=101&tickets=103&part=assignee").content.decode())
    actions.assign_ticket(actor=alice, ticket=now(103), assignee=alice)
    sent = {"tickets": asked, "part": "assignee", "assignee": bob.pk}
    answer = browser.post(url, sent, headers=HTMX)
    html = answer.content.decode()
    assert (answer.status_code, [now(n).assignee for n in (101, 103)]) == (409, [None, alice])
    assert "Changed by others since you saw them: #103 (Alice Example)." in html
    assert browser.post(url, {**sent, "tickets": pairs(html)}, headers=HTMX).status_code == 200
    assert [now(n).assignee for n in (101, 103)] == [bob, bob]


def test_another_field_his_own_change_and_the_same_value_do_not_stand_in_his_way(
    *, browser, url, three, alice, bob
) -> None:
    asked = pairs(browser.get(f"{url}?tickets=101&tickets=102&tickets=103&part=assignee").content.decode())
    actions.set_status(actor=alice, ticket=now(101), status="doing")
    actions.assign_ticket(actor=bob, ticket=now(102), assignee=alice)
    actions.assign_ticket(actor=alice, ticket=now(103), assignee=bob)
    sent = {"tickets": asked, "part": "assignee", "assignee": bob.pk}
    assert browser.post(url, sent, headers=HTMX).status_code == 200
    assert {now(n).assignee for n in (101, 102, 103)} == {bob}


def test_a_missing_answer_does_not_make_bob_forget_what_he_had_seen(browser, url, three, alice) -> None:
    asked = pairs(browser.get(f"{url}?tickets=101&part=status").content.decode())
    actions.set_status(actor=alice, ticket=now(101), status="doing")
    html = browser.post(url, {"tickets": asked, "part": "status", "status": "no such"}, headers=HTMX).content.decode()
    sent = {"tickets": pairs(html), "part": "status", "status": "waiting", "waiting_for": "the bank"}
    assert browser.post(url, sent, headers=HTMX).status_code == 409
    assert now(101).status == "doing"


def test_rows_that_alice_put_elsewhere_are_not_dragged_away_and_a_version_of_nothing_is_refused(
    *, browser, url, three, alice
) -> None:
    held = [f"{n}:{now(n).version}" for n in (102, 103)]
    actions.move_ticket(actor=alice, ticket=now(103), parent=102)
    sent = {"tickets": held, "part": "move", "place": "after-104", "parent": ""}
    assert "#103 (Alice Example)" in browser.post(url, sent, headers=HTMX).content.decode()
    assert browser.post(url, {**sent, "tickets": ["101:1", "103:99"]}, headers=HTMX).status_code == 409
    assert (now(102).parent.number, now(103).parent.number) == (100, 102)


def test_a_status_set_meanwhile_keeps_branches_from_being_dropped(client_of, alice, bob, url, three) -> None:
    leader = client_of(alice)
    held = [f"{n}:{now(n).version}" for n in (101, 103)]
    actions.set_status(actor=bob, ticket=now(103), status="doing")
    sent = {"tickets": held, "part": "drop", "reason": "Not ours."}
    assert leader.post(url, sent, headers=HTMX).status_code == 409
    assert {now(n).status for n in (101, 103)} == {"open", "doing"}


@pytest.mark.parametrize(
    ("place", "after"),
    [
        ("before-101", [102, 103, 101, 104]),
        ("after-101", [101, 104, 102, 103]),
        ("after-104", [101, 104, 102, 103]),
        ("before-104", [101, 102, 103, 104]),
    ],
)
def test_several_rows_go_beside_one_by_one_post(*, browser, url, three, incident, place, after) -> None:
    sent = {"tickets": [103, 102], "part": "move", "place": place, "parent": ""}
    html = browser.post(url, sent, headers=HTMX).content.decode()
    assert f"2 tickets moved beside #{place[-3:]}." in html or place == "after-101"
    assert order(incident) == after


def test_a_place_beside_a_ticket_of_another_branch_is_refused_and_stands_in_the_form(browser, url, three) -> None:
    sent = {"tickets": [102], "part": "move", "place": "after-104", "parent": "#103"}
    answer = browser.post(url, sent, headers=HTMX)
    assert (answer.status_code, "#104 is not in #103" in answer.content.decode()) == (422, True)
    assert '<option value="after-104" selected>After #104</option>' in answer.content.decode()
    for hostile in ("after-", "after-0", "before-\u0663", "elsewhere", ""):
        assert browser.post(url, {**sent, "place": hostile}, headers=HTMX).status_code == 422
    assert browser.post(url, {**sent, "place": "after-999", "parent": ""}, headers=HTMX).status_code == 422
    assert now(102).parent.number == 100


def test_moving_nothing_below_what_is_gone_is_no_error(incident, bob) -> None:
    assert bulk.move_tickets(actor=bob, incident=incident, numbers=[999], parent=998) == []
