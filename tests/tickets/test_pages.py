"""The pages of the tree and of a ticket: what they show to whom, at which price, and how they refresh."""

import datetime as dt
import re

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from core.models import JournalEntry
from incidents.actions import team
from incidents.actions.lifecycle import assess_severity
from incidents.models import Incident
from people.models import Customer, User
from tickets.actions import comments, tickets
from tickets.models import Ticket

HTMX = {"HX-Request": "true"}


@pytest.fixture
def base(incident: Incident) -> str:
    return f"/incidents/{incident.number}/"


def queries(client: Client, url: str, counter, **headers: str) -> int:
    client.get(url, headers=headers)  # the first request of a minute also writes when the session was seen
    with counter as found:
        assert client.get(url, headers=headers).status_code in (200, 304)
    return len(found)


# -- The tree ---------------------------------------------------------------------------------------------------------
def test_bob_sees_the_tree_with_its_counts_and_the_tools_to_work_it(
    client_of, bob, incident, base, make_ticket
) -> None:
    make_ticket("Beacon", lead=True, assignee=bob)
    html = client_of(bob).get(f"{base}tree/").content.decode()
    assert 'id="t101"' in html
    assert "Beacon</a>" in html
    assert f'data-add="{base}tickets/add/"' in html
    assert f'{base}tree/?show=mine">Mine <b>1</b></a>' in html
    assert "0/1<span" in html


def test_carol_sees_it_without_anything_to_change(client_of, carol, base, make_ticket) -> None:
    make_ticket("Beacon")
    html = client_of(carol).get(f"{base}tree/").content.decode()
    assert "Beacon" in html
    for tool in ("data-add", "grip", "tickets/add/"):
        assert tool not in html


def test_a_closed_incident_is_read_and_no_longer_polled(client_of, bob, incident, base, make_ticket) -> None:
    make_ticket("Beacon")
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    html = client_of(bob).get(f"{base}tree/?ticket=101").content.decode()
    assert "data-add" not in html
    tree = html.split('class="treewrap"')[1].split("</aside>")[0]
    assert "ir:tick" not in tree
    assert set(re.findall(r'hx-trigger="([^"]*)"', tree.split('id="ticket-panel"')[1])) == {"load"}  # once


def test_an_empty_tree_says_how_to_begin(client_of, bob, base) -> None:
    assert "Add the first ticket" in client_of(bob).get(f"{base}tree/").content.decode()
    assert "No ticket fits" in client_of(bob).get(f"{base}tree/?show=over").content.decode()


@pytest.mark.parametrize("ticket", ["999", "x", "-1", "9" * 400, "٣", "1e3"])
def test_a_selected_ticket_that_does_not_exist_is_left_out(client_of, bob, base, make_ticket, ticket) -> None:
    make_ticket("Beacon")
    html = client_of(bob).get(f"{base}tree/", {"ticket": ticket, "levels": "77", "show": "\x00", "q": "a" * 5000})
    assert html.status_code == 200
    assert 'id="ticket"' not in html.content.decode()


def test_the_panel_of_the_selected_ticket_stands_beside_the_tree(client_of, bob, base, make_ticket) -> None:
    make_ticket("Beacon")
    html = client_of(bob).get(f"{base}tree/?ticket=101").content.decode()
    assert 'id="ticket"' in html
    assert 'aria-current="true"' in html


@pytest.mark.parametrize("many", [3, 300])
def test_the_tree_costs_four_queries_however_many_tickets(
    *, client_of, bob, make_user, make_incident, django_assert_max_num_queries, many
) -> None:
    customer = Customer.objects.create(name="Northbridge", slug="northbridge")
    incident = make_incident(customer=customer)
    team.assign_role(actor=bob, incident=incident, user=bob, role="team_member")
    above = None
    for number in range(many):
        made = tickets.add_ticket(
            actor=bob, incident=incident, title=f"T{number}", parent=above, assignee=bob if number % 2 else None
        )
        above = made.number if number % 10 == 0 else above
    url = f"/incidents/{incident.number}/tree/"
    assert queries(client_of(bob), url, django_assert_max_num_queries(4)) == 4
    assert "Northbridge" in client_of(bob).get(url).content.decode()


def test_an_unchanged_tree_answers_304_after_two_queries(
    client_of, bob, base, make_ticket, django_assert_max_num_queries
) -> None:
    make_ticket("Beacon")
    client = client_of(bob)
    tag = client.get(f"{base}tree/rows/", headers=HTMX)["HX-PTag"]
    # the session with its person and their rights, then the incident with what is granted on it and its counter
    cost = queries(client, f"{base}tree/rows/", django_assert_max_num_queries(2), **{"HX-PTag": tag})
    answer = client.get(f"{base}tree/rows/", headers={**HTMX, "HX-PTag": tag})
    assert (answer.status_code, answer.content, cost) == (304, b"", 2)


@pytest.mark.parametrize("part", ["tree/rows/", "tickets/next/", "head/"])
def test_a_clock_that_runs_out_reaches_bob_though_nobody_did_anything(client_of, bob, base, make_ticket, part) -> None:
    now = timezone.now().replace(second=30, microsecond=0)
    with time_machine.travel(now, tick=False):
        make_ticket("Beacon", due_at=now + dt.timedelta(minutes=1))
        client = client_of(bob)
        first = client.get(f"{base}{part}", headers=HTMX)
        known = {**HTMX, "HX-PTag": first.context["tag"]}
        assert client.get(f"{base}{part}", headers=known).status_code == 304
    with time_machine.travel(now + dt.timedelta(minutes=2), tick=False):
        later = client.get(f"{base}{part}", headers=known)
        assert later.status_code == 200
        assert later.content != first.content


def test_a_page_is_never_older_than_its_tag(client_of, alice, bob, incident, base, make_ticket, monkeypatch) -> None:
    """Alice is faster than Bob's page, between the moment his access was checked and the moment its tag is read."""
    make_ticket("Beacon")
    client = client_of(bob)
    first_read = Incident.permissions_for

    def and_then_alice_acts(self: Incident, user: User, **known: frozenset[str]) -> frozenset[str]:
        found = first_read(self, user, **known)
        monkeypatch.undo()
        assess_severity(actor=alice, incident=incident, severity="critical")
        return found

    for page in ("", "head/", "tree/", "members/", "log/"):
        assess_severity(actor=alice, incident=incident, severity="low")
        monkeypatch.setattr(Incident, "permissions_for", and_then_alice_acts)
        assert client.get(f"{base}{page}").context["incident"].severity == "critical", page


def test_a_change_of_alice_reaches_bob_with_his_next_tick(
    *, client_of, alice, bob, incident, base, make_ticket
) -> None:
    make_ticket("Beacon")
    client = client_of(bob)
    tag = client.get(f"{base}tree/rows/", headers=HTMX)["HX-PTag"]
    ticket = Ticket.objects.get(number=101)
    tickets.edit_ticket(actor=alice, ticket=ticket, version=ticket.version, fields={"title": "Beacon on WS-0147"})
    answer = client.get(f"{base}tree/rows/?show=nobody&levels=2", headers={**HTMX, "HX-PTag": tag})
    html = answer.content.decode()
    assert answer.status_code == 200
    assert "Beacon on WS-0147" in html
    assert answer["HX-PTag"] != tag
    assert f'hx-ptag="{answer["HX-PTag"]}"' in html
    assert "tree/rows/?show=nobody&amp;levels=2" in html
    assert 'hx-target="#tree-filters"' in html
    assert "<html" not in html


def test_a_fragment_asked_for_without_htmx_is_the_same_fragment(client_of, bob, base, make_ticket) -> None:
    make_ticket("Beacon")
    assert client_of(bob).get(f"{base}tree/rows/").content.decode().lstrip().startswith(("{#", "<tbody"))


# -- Who sees it ------------------------------------------------------------------------------------------------------
PAGES = ["tree/", "tree/rows/", "tickets/next/", "tickets/101/"]
WORKED = [f"tickets/{part}" for part in ("add/", "101/edit/", "101/assign/", "101/status/", "101/lead/", "101/move/")]
LED = ["tickets/drop/", "tickets/101/drop/", "merge/"]


@pytest.mark.parametrize("page", PAGES + WORKED + LED)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_restricted_incident_does_not_exist_for_mallory(*, client_of, mallory, alice, secret, page, headers) -> None:
    tickets.add_ticket(actor=alice, incident=secret, title="Who did it")
    url = f"/incidents/{secret.number}/{page}"
    assert client_of(mallory).get(url, headers=headers).status_code == 404
    assert client_of(mallory).post(url, {"title": "x"}, headers=headers).status_code in (404, 405)


@pytest.mark.parametrize("page", WORKED + LED)
@pytest.mark.parametrize("method", ["get", "post"])
def test_carol_and_dora_look_and_change_nothing(*, client_of, carol, dora, base, make_ticket, page, method) -> None:
    make_ticket("Beacon")
    before = JournalEntry.objects.count()
    for person in (carol, dora):
        assert getattr(client_of(person), method)(f"{base}{page}", {"reason": "x"}).status_code == 403
    assert JournalEntry.objects.count() == before


@pytest.mark.parametrize("page", LED)
def test_bob_does_not_drop_branches_or_merge(client_of, bob, base, make_ticket, page) -> None:
    make_ticket("Beacon")
    assert client_of(bob).post(f"{base}{page}", {"reason": "x"}).status_code == 403


NUMBERS = ["0", "100", "999", str(2**31), str(2**63), str(2**70), "1e3", "0x1", "-1", "٣", "101;", "1" * 5000, "101%00"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("part", ["", "edit/", "undo/1/", "comments/1/edit/"])
def test_a_number_that_is_no_ticket_is_not_found(*, client_of, alice, base, make_ticket, number, part) -> None:
    make_ticket("Beacon")
    assert client_of(alice).post(f"{base}tickets/{number}/{part}").status_code in (404, 405)
    assert client_of(alice).get(f"{base}tickets/{number}/{part}").status_code in (404, 405)


@pytest.mark.parametrize("number", [2**63, 2**70, 0])
def test_a_change_or_comment_that_never_was_is_not_found(client_of, bob, base, make_ticket, number) -> None:
    make_ticket("Beacon")
    assert client_of(bob).post(f"{base}tickets/101/undo/{number}/").status_code == 404
    assert client_of(bob).get(f"{base}tickets/101/comments/{number}/edit/").status_code == 404


# -- Adding -----------------------------------------------------------------------------------------------------------
def test_bob_adds_a_ticket_below_another_with_all_that_is_known(client_of, bob, incident, base, make_ticket) -> None:
    make_ticket("Beacon")
    form = {
        "title": "Sweep the fleet", "description": "All **412** endpoints.", "assignee": bob.pk, "priority": "high",
        "due_at": "2026-12-01T14:30", "lead": "on", "shared": "on", "parent": "101",
    }  # fmt: skip
    answer = client_of(bob).post(f"{base}tickets/add/", form)
    assert (answer.status_code, answer["Location"]) == (302, f"{base}tree/#t102")
    made = Ticket.objects.get(incident=incident, number=102)
    assert (made.parent.number, made.assignee, made.priority, made.lead, made.shared) == (101, bob, "high", True, True)
    assert made.due_at == dt.datetime(2026, 12, 1, 14, 30, tzinfo=dt.UTC)
    assert "<strong>412</strong>" in made.description_html


def test_after_adding_the_dialog_is_ready_for_the_next_one_beside_it(
    client_of, bob, incident, base, make_ticket
) -> None:
    make_ticket("Beacon")
    client = client_of(bob)
    html = client.post(f"{base}tickets/add/", {"title": "One", "parent": "101"}, headers=HTMX).content.decode()
    assert 'name="parent" value="101"' in html
    assert 'name="after" value="102"' in html
    assert "#102 added." in html
    assert "autofocus" in html
    client.post(f"{base}tickets/add/", {"title": "Two", "parent": "101", "after": "102"}, headers=HTMX)
    answer = client.post(f"{base}tickets/add/", {"title": "Between", "after": "102", "close": "1"}, headers=HTMX)
    assert 'name="title"' not in answer.content.decode()
    rows = Ticket.objects.filter(incident=incident, parent__number=101).order_by("lft")
    assert [row.title for row in rows] == ["One", "Between", "Two"]


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_ticket_without_a_visible_title_is_refused_and_what_was_typed_stays(client_of, bob, base, headers) -> None:
    answer = client_of(bob).post(
        f"{base}tickets/add/", {"title": "\u200b\u2060", "description": "Written for an hour"}, headers=headers
    )
    assert answer.status_code == 422
    assert "Written for an hour" in answer.content.decode()
    assert ("<html" in answer.content.decode()) == (not headers)


@pytest.mark.parametrize(
    "fields",
    [
        {"parent": "999"}, {"parent": str(2**70)}, {"parent": "x"}, {"after": "999"}, {"priority": "worst"},
        {"due_at": "9999-12-31T23:59"}, {"due_at": "0001-01-01T00:00"}, {"due_at": "soon"}, {"title": "a\x00b"},
        {"title": "x" * 201},
    ],
)  # fmt: skip
def test_nonsense_in_a_new_ticket_is_refused(client_of, bob, incident, base, fields) -> None:
    assert client_of(bob).post(f"{base}tickets/add/", {"title": "x", **fields}).status_code == 422
    assert not Ticket.objects.filter(incident=incident, parent__isnull=False).exists()


def test_work_is_given_only_to_people_who_work_here(*, client_of, bob, carol, mallory, eve, base) -> None:
    for person in (carol, mallory, eve):
        answer = client_of(bob).post(f"{base}tickets/add/", {"title": "x", "assignee": person.pk})
        assert answer.status_code == 422
    assert "mallory" not in client_of(bob).get(f"{base}tickets/add/").content.decode().casefold()


def test_a_closed_incident_takes_no_tickets(client_of, bob, incident, base) -> None:
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    answer = client_of(bob).post(f"{base}tickets/add/", {"title": "Late idea"})
    assert answer.status_code == 422
    assert "is closed" in answer.content.decode()


def test_fields_that_are_nobodys_to_set_are_ignored(client_of, bob, incident, base, make_ticket) -> None:
    ticket = make_ticket("Beacon")
    extra = {
        "lft": 99, "rght": 100, "tree_id": 7, "level": 9, "number": 500, "incident": 77, "created_by": 1,
        "status": "done", "comments_total": 9, "id": 1, "dropped_reason": "x", "parent_id": 3,
    }  # fmt: skip
    client_of(bob).post(f"{base}tickets/101/edit/", {"version": 1, "title": "Beacon", "priority": "low", **extra})
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.lft, now.rght, now.level, now.number, now.status) == (2, 3, 1, 101, "open")
    assert (now.created_by_id, now.comments_total, now.priority) == (ticket.created_by_id, 0, "low")


# -- One ticket -------------------------------------------------------------------------------------------------------
def test_the_page_of_a_ticket_shows_all_that_belongs_to_it(client_of, alice, bob, base, make_ticket) -> None:
    top = make_ticket("Threat actor A")
    ticket = make_ticket("Beacon", parent=top, description="Look for **calls**", assignee=bob)
    make_ticket("Memory image", parent=ticket)
    comments.add_comment(actor=alice, ticket=ticket, body="WS-0161 is *new*")
    html = client_of(bob).get(f"{base}tickets/102/").content.decode()
    for text in ("Threat actor A", "<strong>calls</strong>", "Memory image", "<em>new</em>", "Bob Example", "<html"):
        assert text in html


def test_the_panel_is_the_same_without_the_frame_and_polls(client_of, bob, base, make_ticket) -> None:
    make_ticket("Beacon")
    client = client_of(bob)
    answer = client.get(f"{base}tickets/101/", headers=HTMX)
    assert "<html" not in answer.content.decode()
    again = client.get(f"{base}tickets/101/", headers={**HTMX, "HX-PTag": answer["HX-PTag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("many", [2, 40])
def test_a_ticket_costs_the_same_however_much_was_said(
    *, client_of, alice, bob, base, make_ticket, django_assert_max_num_queries, many
) -> None:
    ticket = make_ticket("Beacon")
    for number in range(many):
        comments.add_comment(actor=alice if number % 2 else bob, ticket=ticket, body="said")
        make_ticket("below", parent=ticket, assignee=bob)
    assert queries(client_of(bob), f"{base}tickets/101/", django_assert_max_num_queries(22)) == 22


def test_hostile_words_stay_words_on_every_page(client_of, bob, incident, base, make_ticket) -> None:
    hostile = '"><script>window.__pwn=1</script><img src=x onerror=1>{{ 7|add:7 }}'
    ticket = make_ticket(hostile, description=hostile)
    make_ticket(hostile, parent=ticket)
    tickets.set_status(actor=bob, ticket=ticket, status="waiting", waiting_for=hostile[:80])
    client = client_of(bob)
    pages = [
        "tree/", "tree/rows/", "tickets/101/", "tickets/102/", "tickets/101/edit/", "tickets/101/move/",
        "tickets/next/", "tickets/102/move/", "tickets/add/?parent=101", "tree/?q=%22%3E%3Cscript%3E",
    ]  # fmt: skip
    for page in pages:
        html = client.get(f"{base}{page}").content.decode()
        assert "<script>window" not in html, page
        assert "<img src=x" not in html, page
        assert '"><script>' not in html, page


# -- Next -------------------------------------------------------------------------------------------------------------
def test_next_names_what_is_due_mine_and_nobodys(client_of, alice, bob, base, make_ticket) -> None:
    later = timezone.now() + dt.timedelta(minutes=20)
    make_ticket("late", due_at=later, assignee=alice)
    make_ticket("soon", due_at=later - dt.timedelta(minutes=10), assignee=alice)
    make_ticket("mine", assignee=bob)
    make_ticket("nobody's")
    tickets.set_status(actor=bob, ticket=make_ticket("ended"), status="done")
    browser = client_of(bob)
    due, mine, nobody = (
        browser.get(f"{base}tickets/next/?show={kind}").content.decode() for kind in ("due", "mine", "nobody")
    )
    assert due.index("soon") < due.index("late") < due.index("#103")
    assert "#103" in mine
    assert "soon" not in mine
    assert "nobody&#x27;s" in nobody
    assert "#103" not in nobody
    assert not [page for page in (due, mine, nobody) if "ended" in page]
