"""Changing tickets: who does it, what is happening to it, leads, moves, drops; two at once; and taking it back."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
from django.test import Client
from django.utils import timezone

from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tickets.actions import leads
from tickets.actions import tickets as actions
from tickets.checks import broken
from tickets.models import Ticket

HTMX = {"HX-Request": "true"}
ROWS = {**HTMX, "HX-Target": "tbody#tree-rows"}
PANEL = {**HTMX, "HX-Target": "section#ticket"}


@pytest.fixture
def base(incident: Incident) -> str:
    return f"/incidents/{incident.number}/tickets/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    """Bob's."""
    return client_of(bob)


def now(number: int) -> Ticket:
    return Ticket.objects.get(number=number)


def last() -> JournalEntry:
    return JournalEntry.objects.filter(verb__startswith="ticket.").latest("seq")


def order() -> list[tuple[int, int]]:
    return list(Ticket.objects.filter(parent__isnull=False).order_by("lft").values_list("number", "level"))


def undo_in(html: str) -> str:
    return html.rpartition('<form method="post" action="')[2].partition('"')[0]


# -- Editing ----------------------------------------------------------------------------------------------------------
def test_bob_edits_the_words_and_the_page_shows_them(browser, base, make_ticket) -> None:
    make_ticket("Beacon")
    form = {
        "version": 1,
        "title": "Beacon on WS-0147",
        "description": "*new*",
        "priority": "urgent",
        "outcome": "4 hits",
    }
    assert browser.post(f"{base}101/edit/", form)["Location"] == f"{base}101/"
    html = browser.get(f"{base}101/").content.decode()
    assert "Beacon on WS-0147" in html
    assert "<em>new</em>" in html
    assert "4 hits" in html


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_who_saves_second_gets_both_texts_and_chooses(browser, alice, base, make_ticket, headers) -> None:
    ticket = make_ticket("Beacon", description="as it was")
    actions.edit_ticket(actor=alice, ticket=ticket, version=1, fields={"title": "Alice's title"})
    form = {"version": 1, "title": "Bob's title", "description": "Bob wrote this for an hour", "priority": "normal"}
    answer = browser.post(f"{base}101/edit/", form, headers=headers)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Alice&#x27;s title" in html
    assert "Bob&#x27;s title" in html
    assert "Bob wrote this for an hour" in html
    assert "Alice Example" in html
    assert now(101).title == "Alice's title"
    chosen = {**form, "version": 2}
    assert browser.post(f"{base}101/edit/", chosen).status_code == 302
    assert (now(101).title, now(101).description) == ("Bob's title", "Bob wrote this for an hour")


def test_what_bob_left_alone_is_not_set_back_by_his_choice(browser, alice, base, make_ticket) -> None:
    due_at = (timezone.now() + timedelta(days=1)).replace(second=0, microsecond=0)
    ticket = make_ticket("Beacon", description="as it was", due_at=due_at)
    hers = {"title": "Alice's title", "description": "Alice's words", "due_at": None, "shared": True}
    actions.edit_ticket(actor=alice, ticket=ticket, version=1, fields=hers)
    form = {
        "version": 1, "title": "Bob's title", "description": "as it was", "outcome": "His",
        "due_at": f"{due_at:%Y-%m-%dT%H:%M}",
        "priority": "normal",
    }  # fmt: skip
    html = browser.post(f"{base}101/edit/", form).content.decode()
    page = html[html.index('id="conflict-title"') :]
    sent = {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}
    assert sent["version"] == "2"
    assert browser.post(f"{base}101/edit/", {**sent, "title": "Bob's title"}).status_code == 302
    after = now(101)
    assert (after.title, after.description, after.outcome) == ("Bob's title", "Alice's words", "His")
    assert (after.due_at, after.shared, after.priority) == (None, True, "normal")


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_bob_sees_word_by_word_where_alices_text_is_not_his(*, browser, alice, base, make_ticket, headers) -> None:
    ticket = make_ticket("Beacon", description="as it was")
    alices, bobs = "They came by <b>VPN</b> at night.\nTwo hosts.", "They came by <b>mail</b> at night.\nTwo hosts."
    actions.edit_ticket(actor=alice, ticket=ticket, version=1, fields={"description": alices})
    form = {"version": 1, "title": "Beacon", "description": bobs, "priority": "normal"}
    html = browser.post(f"{base}101/edit/", form, headers=headers).content.decode()
    assert "only in theirs: </span>&lt;b&gt;VPN&lt;/b&gt; <" in html
    assert "only in yours: </span>&lt;b&gt;mail&lt;/b&gt; <" in html
    assert "<b>VPN" not in html


def test_who_saves_second_another_field_is_merged(browser, alice, base, make_ticket) -> None:
    ticket = make_ticket("Beacon")
    actions.edit_ticket(actor=alice, ticket=ticket, version=1, fields={"priority": "urgent"})
    form = {"version": 1, "title": "Bob's title", "priority": "normal"}
    assert browser.post(f"{base}101/edit/", form).status_code == 302
    assert (now(101).title, now(101).priority) == ("Bob's title", "urgent")


@pytest.mark.parametrize(
    ("part", "sent", "field", "value"),
    [
        ("priority", {"priority": "low"}, "priority", "low"), ("shared", {"shared": "on"}, "shared", True),
        ("due_at", {"due_at": ""}, "due_at", None),
    ],
)  # fmt: skip
def test_a_control_of_the_panel_saves_its_one_field(*, browser, base, make_ticket, part, sent, field, value) -> None:
    make_ticket("Beacon", description="stays")
    html = browser.post(f"{base}101/edit/?part={part}", {"version": 1, **sent}, headers=PANEL).content.decode()
    assert 'id="ticket"' in html
    assert getattr(now(101), field) == value
    assert (now(101).title, now(101).description) == ("Beacon", "stays")


@pytest.mark.parametrize("version", ["", "x", "0", "-1", str(2**70), "1e3", "٣", "1\x00"])
def test_a_version_that_is_none_is_refused(browser, base, make_ticket, version) -> None:
    make_ticket("Beacon")
    answer = browser.post(f"{base}101/edit/", {"version": version, "title": "Other", "priority": "low"})
    assert answer.status_code == 422
    assert now(101).title == "Beacon"


def test_a_version_nobody_ever_saw_is_a_conflict(browser, base, make_ticket) -> None:
    make_ticket("Beacon")
    form = {"version": 77, "title": "Other", "priority": "normal"}
    assert browser.post(f"{base}101/edit/", form).status_code == 409


def test_a_refused_control_shows_the_whole_form_with_what_was_sent(browser, base, make_ticket) -> None:
    make_ticket("Beacon")
    answer = browser.post(f"{base}101/edit/?part=due_at", {"version": 1, "due_at": "soon"}, headers=PANEL)
    html = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="soon"' in html
    assert 'value="Beacon"' in html


# -- Assigning --------------------------------------------------------------------------------------------------------
def test_bob_takes_a_ticket_and_gives_it_back_by_undo(browser, bob, base, make_ticket) -> None:
    make_ticket("Beacon")
    html = browser.post(f"{base}101/assign/", {"version": 1, "assignee": bob.pk}, headers=HTMX).content.decode()
    assert "#101 given to Bob Example." in html
    assert now(101).assignee == bob
    assert browser.post(undo_in(html)).status_code == 302
    assert now(101).assignee is None
    assert (last().verb, last().data["undoes"] > 0) == ("ticket.assigned", True)


def test_an_assignment_that_changes_nothing_has_nothing_to_undo(browser, base, make_ticket) -> None:
    make_ticket("Beacon")
    html = browser.post(f"{base}101/assign/", {"version": 1, "assignee": ""}, headers=HTMX).content.decode()
    assert "Undo" not in html
    assert now(101).version == 1


def test_work_is_not_given_to_who_may_not_work(browser, carol, base, make_ticket) -> None:
    make_ticket("Beacon")
    assert browser.post(f"{base}101/assign/", {"version": 1, "assignee": carol.pk}).status_code == 422


def test_two_who_assign_at_once_see_what_the_other_did(browser, alice, bob, base, make_ticket) -> None:
    ticket = make_ticket("Beacon")
    actions.assign_ticket(actor=alice, ticket=ticket, assignee=alice)
    answer = browser.post(f"{base}101/assign/", {"version": 1, "assignee": bob.pk}, headers=HTMX)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody else gave #101 to Alice Example" in html
    assert f'value="{bob.pk}" selected' in html
    assert 'name="version" value="2"' in html
    assert now(101).assignee == alice


# -- Status -----------------------------------------------------------------------------------------------------------
def test_starting_is_one_click(browser, base, make_ticket) -> None:
    make_ticket("Beacon")
    html = browser.post(
        f"{base}101/status/", {"version": 1, "status": "doing", "quick": 1}, headers=PANEL
    ).content.decode()
    assert now(101).status == "doing"
    assert "In progress" in html
    assert "#101 is in progress." in html


@pytest.mark.parametrize(
    ("status", "asked"), [("done", "What came out"), ("dropped", "Why it is"), ("waiting", "Waiting for")]
)
def test_the_quick_control_asks_for_what_goes_with_an_end(browser, base, make_ticket, status, asked) -> None:
    make_ticket("Beacon")
    answer = browser.post(f"{base}101/status/", {"version": 1, "status": status, "quick": 1}, headers=PANEL)
    assert answer.status_code == 422
    assert asked in answer.content.decode()
    assert now(101).status == "open"


@pytest.mark.parametrize("headers", [PANEL, {}], ids=["panel", "page"])
def test_bob_is_told_what_is_still_open_below_a_ticket_he_ends(*, browser, alice, base, make_ticket, headers) -> None:
    top = make_ticket("Beacon")
    below = make_ticket("Image the disk", parent=top)
    make_ticket("Hash it", parent=below)
    actions.set_status(actor=alice, ticket=make_ticket("Find a cable", parent=top), status="done")
    asked = browser.post(f"{base}101/status/", {"version": 1, "status": "done", "quick": 1}, headers=PANEL)
    assert "2 tickets below are still open." in asked.content.decode()
    answer = browser.post(f"{base}101/status/", {"version": 1, "status": "done"}, headers=headers, follow=True)
    assert "#101 is done. 2 tickets below are still open." in answer.content.decode()
    assert (now(101).status, now(102).status, now(103).status) == ("done", "open", "open")


def test_one_ticket_below_is_one_and_none_is_not_mentioned(browser, base, make_ticket) -> None:
    top = make_ticket("Beacon")
    make_ticket("Image the disk", parent=top)
    for number, words in ((101, "#101 is done. 1 ticket below is still open."), (102, "#102 is done.<")):
        assert ("still open" in browser.get(f"{base}{number}/status/").content.decode()) == (number == 101)
        html = browser.post(f"{base}{number}/status/", {"version": 1, "status": "done"}, headers=HTMX).content.decode()
        assert words in html
    assert "still open" not in browser.get(f"{base}101/status/").content.decode()


def test_starting_a_branch_warns_of_nothing(browser, base, make_ticket) -> None:
    make_ticket("Image the disk", parent=make_ticket("Beacon"))
    html = browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX).content.decode()
    assert "still open" not in html


def test_done_keeps_its_outcome_and_dropped_its_reason(browser, base, make_ticket) -> None:
    make_ticket("Beacon")
    make_ticket("Other")
    browser.post(f"{base}101/status/", {"version": 1, "status": "done", "outcome": "Four hosts."})
    browser.post(f"{base}102/status/", {"version": 1, "status": "dropped", "reason": "Not ours."})
    assert (now(101).outcome, now(102).dropped_reason) == ("Four hosts.", "Not ours.")


def test_dropping_without_a_reason_and_ending_a_lead_without_a_result_are_refused(browser, base, make_ticket) -> None:
    make_ticket("Beacon")
    make_ticket("Lead", lead=True)
    assert browser.post(f"{base}101/status/", {"version": 1, "status": "dropped"}).status_code == 422
    answer = browser.post(f"{base}102/status/", {"version": 1, "status": "done"})
    assert "what became of the lead" in answer.content.decode()
    ended = {"version": 1, "status": "done", "disposition": "ruled_out"}
    assert browser.post(f"{base}102/status/", ended).status_code == 302
    assert now(102).disposition == "ruled_out"


def test_undoing_an_end_puts_back_outcome_and_result_too(browser, base, incident, make_ticket) -> None:
    make_ticket("Lead", lead=True)
    sent = {"version": 1, "status": "done", "disposition": "confirmed", "outcome": "Yes."}
    html = browser.post(f"{base}101/status/", sent, headers=HTMX).content.decode()
    browser.post(undo_in(html), headers=HTMX)
    assert (now(101).status, now(101).disposition, now(101).outcome) == ("open", "", "")
    assert now(101).started_at is None  # so that it must still be started in time
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []


def test_undo_is_refused_when_somebody_changed_it_again(browser, alice, base, make_ticket) -> None:
    ticket = make_ticket("Beacon")
    html = browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX).content.decode()
    actions.set_status(actor=alice, ticket=ticket, status="done")
    answer = browser.post(undo_in(html), headers=HTMX)
    assert answer.status_code == 422
    assert "was changed again since then" in answer.content.decode()
    assert now(101).status == "done"


def test_undo_survives_a_change_of_another_field(browser, alice, base, make_ticket) -> None:
    ticket = make_ticket("Beacon")
    html = browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX).content.decode()
    actions.edit_ticket(actor=alice, ticket=ticket, version=2, fields={"title": "Renamed"})
    browser.post(undo_in(html), headers=HTMX)
    assert (now(101).status, now(101).title) == ("open", "Renamed")


def test_undo_of_another_tickets_entry_does_not_exist(browser, base, make_ticket) -> None:
    make_ticket("Beacon")
    make_ticket("Other")
    html = browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX).content.decode()
    entry = undo_in(html).rstrip("/").rsplit("/", 1)[1]
    assert browser.post(f"{base}102/undo/{entry}/").status_code == 404
    assert browser.get(undo_in(html)).status_code == 405


def test_an_entry_that_is_no_change_cannot_be_undone(browser, base, make_ticket) -> None:
    make_ticket("Beacon")
    browser.post(f"{base}101/edit/", {"version": 1, "title": "Beacon on WS-0147", "priority": "low"})
    answer = browser.post(f"{base}101/undo/{last().seq}/")
    assert answer.status_code == 422
    assert "cannot be undone" in answer.content.decode()
    assert now(101).title == "Beacon on WS-0147"


# -- Leads ------------------------------------------------------------------------------------------------------------
def test_a_lead_is_made_resolved_and_taken_back(browser, base, incident, make_ticket) -> None:
    make_ticket("Beacon")
    browser.post(f"{base}101/lead/", {"version": 1, "lead": "on"})
    assert Incident.objects.get(pk=incident.pk).leads_open == 1
    browser.post(f"{base}101/lead/", {"version": 2, "lead": "on", "disposition": "dead_end"})
    assert Incident.objects.get(pk=incident.pk).leads_open == 0
    browser.post(f"{base}101/lead/", {"version": 3})
    assert (now(101).lead, now(101).disposition) == (False, "")


def test_two_results_of_one_lead_are_a_conflict(browser, alice, base, make_ticket) -> None:
    ticket = make_ticket("Lead", lead=True)
    leads.mark_lead(actor=alice, ticket=ticket, lead=True, disposition="confirmed")
    answer = browser.post(f"{base}101/lead/", {"version": 1, "lead": "on", "disposition": "ruled_out"})
    assert answer.status_code == 409
    assert "Confirmed" in answer.content.decode()
    assert now(101).disposition == "confirmed"


# -- Moving -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"parent": 102}, [(101, 1), (102, 1), (103, 2)]),
        ({"before": 101}, [(103, 1), (101, 1), (102, 1)]),
        ({"after": 101}, [(101, 1), (103, 1), (102, 1)]),
    ],
)
def test_a_drop_puts_the_row_there_and_answers_with_the_rows(browser, base, make_ticket, sent, expected) -> None:
    for title in "ABC":
        make_ticket(title)
    answer = browser.post(f"{base}103/move/", {"version": 1, **sent}, headers=ROWS)
    html = answer.content.decode()
    assert order() == expected
    assert 'id="tree-rows"' in html
    assert "#103 moved." in html
    assert 'hx-target="#toasts"' in html
    assert answer["HX-PTag"]


@pytest.mark.parametrize(
    ("parent", "place", "expected"),
    [
        ("#101 A", "last", [(101, 1), (102, 2), (104, 2), (103, 1)]),
        ("101", "first", [(101, 1), (104, 2), (102, 2), (103, 1)]),
        ("", "last", [(101, 1), (102, 2), (103, 1), (104, 1)]),
        ("", "before-103", [(101, 1), (102, 2), (104, 1), (103, 1)]),
        ("#103", "before-102", [(101, 1), (104, 2), (102, 2), (103, 1)]),
    ],
)
def test_the_form_moves_without_dragging_or_script(*, browser, base, make_ticket, parent, place, expected) -> None:
    a = make_ticket("A")
    make_ticket("A one", parent=a)
    c = make_ticket("C")
    make_ticket("moved", parent=c)
    answer = browser.post(f"{base}104/move/", {"version": 1, "parent": parent, "place": place})
    assert answer.status_code == 302
    assert order() == expected


def test_the_form_offers_every_ticket_but_its_own_branch(browser, base, make_ticket) -> None:
    a = make_ticket("A")
    make_ticket("below", parent=a)
    make_ticket("B")
    html = browser.get(f"{base}101/move/").content.decode()
    assert 'value="#103 B"' in html
    assert 'value="#102 below"' not in html
    assert "Before #103 B" in html


@pytest.mark.parametrize(
    "sent",
    [
        {"parent": "101"}, {"parent": "102"}, {"before": "102"}, {"parent": "999"}, {"before": "999"}, {"after": "x"},
        {"parent": "#101", "place": "last"}, {"parent": "DC01", "place": "last"}, {"parent": "", "place": "before-999"},
        {"parent": "", "place": "up"}, {"parent": str(2**70)}, {"parent": "1\x00"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("headers", [{}, ROWS], ids=["page", "htmx"])
def test_a_place_that_cannot_be_is_refused_with_the_form(
    *, browser, base, incident, make_ticket, sent, headers
) -> None:
    a = make_ticket("A")
    make_ticket("below", parent=a)
    answer = browser.post(f"{base}101/move/", {"version": 1, **sent}, headers=headers)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert order() == [(101, 1), (102, 2)]
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []


def test_a_second_move_with_a_stale_version_is_shown_the_first(browser, alice, base, make_ticket) -> None:
    for title in "ABC":
        make_ticket(title)
    actions.move_ticket(actor=alice, ticket=now(103), parent=101)
    answer = browser.post(f"{base}103/move/", {"version": 1, "parent": 102}, headers=ROWS)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "below #101 A" in html
    assert 'value="102"' in html
    assert 'name="version" value="2"' in html
    assert order() == [(101, 1), (103, 2), (102, 1)]


def test_undoing_a_move_puts_the_branch_back_between_its_siblings(browser, base, make_ticket) -> None:
    for title in "ABC":
        make_ticket(title)
    html = browser.post(f"{base}102/move/", {"version": 1, "parent": 103}, headers=ROWS).content.decode()
    assert order() == [(101, 1), (103, 1), (102, 2)]
    browser.post(undo_in(html), headers=HTMX)
    assert order() == [(101, 1), (102, 1), (103, 1)]
    assert last().data["undoes"] == last().seq - 1


def test_a_move_to_its_own_place_writes_nothing(browser, base, make_ticket) -> None:
    for title in "AB":
        make_ticket(title)
    before = JournalEntry.objects.count()
    for sent in ({"before": 102}, {"after": 101, "parent": ""}, {"before": 101}):
        number = 102 if "after" in sent else 101
        browser.post(f"{base}{number}/move/", {"version": 1, **sent}, headers=ROWS)
    assert JournalEntry.objects.count() == before
    assert (now(101).version, now(102).version) == (1, 1)
    assert Ticket.history.filter(number=101).count() == 1


# -- Dropping ---------------------------------------------------------------------------------------------------------
def test_alice_drops_a_branch_with_a_reason(client_of, alice, base, make_ticket) -> None:
    a = make_ticket("A")
    make_ticket("below", parent=a)
    client = client_of(alice)
    assert "1 ticket below it" in client.get(f"{base}101/drop/").content.decode()
    assert client.post(f"{base}101/drop/", {"reason": " "}).status_code == 422
    assert (
        "2 tickets dropped." in client.post(f"{base}101/drop/", {"reason": "Not ours."}, headers=HTMX).content.decode()
    )
    assert {now(101).status, now(102).status} == {"dropped"}


def test_dropping_what_is_no_longer_open_is_no_entry(alice, incident, make_ticket) -> None:
    ticket = make_ticket("Beacon")
    assert actions.drop_branch(actor=alice, ticket=ticket, reason="Not ours.") == 1
    before = JournalEntry.objects.count()
    assert actions.drop_branch(actor=alice, ticket=ticket, reason="Again.") == 0
    assert actions.drop_open_tickets(actor=alice, incident=incident, reason="Again.") == 0
    assert JournalEntry.objects.count() == before


def test_the_entry_of_a_dropped_branch_does_not_claim_what_bob_changed_at_its_top(alice, bob, make_ticket) -> None:
    top = make_ticket("Beacon")
    make_ticket("Image the disk", parent=top)
    actions.set_status(actor=bob, ticket=top, status="done", outcome="Nothing.")
    assert actions.drop_branch(actor=alice, ticket=top, reason="Not ours.") == 1
    entry = JournalEntry.objects.get(verb="ticket.branch_dropped")
    assert "changes" not in entry.data
    assert entry.data["tickets"] == [102]


def test_alice_drops_all_that_is_open_before_closing(client_of, alice, base, incident, make_ticket) -> None:
    make_ticket("A")
    make_ticket("B")
    client = client_of(alice)
    assert client.post(f"{base}drop/", {}).status_code == 422
    assert client.post(f"{base}drop/", {"reason": "False alarm."}).status_code == 302
    assert Incident.objects.get(pk=incident.pk).tickets_open == 0


CLOSED = [
    ("edit/", {"title": "x", "priority": "low"}), ("assign/", {"assignee": ""}), ("status/", {"status": "doing"}),
    ("lead/", {"lead": "on"}), ("move/", {"parent": "102"}), ("drop/", {"reason": "x"}),
    ("comments/add/", {"body": "x"}),
]  # fmt: skip


@pytest.mark.parametrize(("part", "sent"), CLOSED)
@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_closed_incident_is_not_worked(*, client_of, alice, incident, base, make_ticket, part, sent, headers) -> None:
    make_ticket("A")
    make_ticket("B")
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    before = JournalEntry.objects.count()
    answer = client_of(alice).post(f"{base}101/{part}", {"version": 1, **sent}, headers=headers)
    assert answer.status_code == 422
    assert "is closed" in answer.content.decode()
    assert JournalEntry.objects.count() == before
