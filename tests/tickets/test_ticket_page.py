"""What belongs to one ticket: watchers, tags, clock, outcome, what it waits for, time spent; and at which price."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tests.uploads import kept
from tickets.actions import attachments, blockers, comments, tags, tickets, times, watches
from tickets.models import Blocker, ClockTarget, Ticket, TimeEntry, Watch

HTMX = {"HX-Request": "true"}
PANEL = {**HTMX, "HX-Target": "section#ticket"}
NASTY = ["a\x00b", "x" * 100_000]


@pytest.fixture
def base(incident: Incident, make_ticket) -> str:
    for title in ("Beacon", "Image the disk", "Order a cable"):
        make_ticket(title)
    return f"/incidents/{incident.number}/tickets/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


def ticket(number: int = 101) -> Ticket:
    return Ticket.objects.get(number=number, incident__restricted=False)


def verbs() -> list[str]:
    return list(JournalEntry.objects.order_by("seq").values_list("verb", flat=True))


def entry(verb: str) -> JournalEntry:
    return JournalEntry.objects.filter(verb=verb).latest("seq")


@pytest.mark.parametrize("many", [2, 40])
def test_a_ticket_costs_22_queries_however_much_belongs_to_it(
    *, client_of, alice, bob, make_user, base, make_ticket, django_assert_max_num_queries, many
) -> None:
    one = ticket()
    tags.set_tags(actor=bob, ticket=one, tags=[f"tag{number}" for number in range(min(many, 20))])
    for number in range(many):
        somebody = make_user(f"p{number}", "Responder")
        comments.add_comment(actor=alice if number % 2 else bob, ticket=one, body="said")
        below = make_ticket("below", parent=one, assignee=bob)
        watches.watch_ticket(actor=somebody, ticket=one)
        blockers.block_ticket(actor=bob, ticket=one, by=below.number)
        blockers.block_ticket(actor=bob, ticket=make_ticket("later"), by=101)
        times.log_time(actor=bob, ticket=one, minutes=5, day=timezone.now().date())
        attachments.attach_file(actor=bob, ticket=one, file=kept("a.png", b"x"))
    client = client_of(bob)
    client.get(f"{base}101/")  # the first request of a minute also writes when the session was seen
    with django_assert_max_num_queries(22) as found:
        client.get(f"{base}101/")
    assert len(found) == 22


# -- Watching ---------------------------------------------------------------------------------------------------------
def test_carol_watches_a_ticket_and_stops_and_both_are_in_the_journal(client_of, carol, base) -> None:
    client = client_of(carol)
    html = client.post(f"{base}101/watch/", {"watch": "on"}, headers=PANEL).content.decode()
    assert "Carol Example" in html
    assert "Stop watching" in html
    client.post(f"{base}101/watch/", {"watch": "on"})
    assert list(Watch.objects.values_list("user", flat=True)) == [carol.pk]
    client.post(f"{base}101/watch/", {})
    assert not Watch.objects.exists()
    assert verbs()[-2:] == ["ticket.watched", "ticket.unwatched"]


def test_nobody_watches_what_they_may_not_see_or_what_is_closed(client_of, mallory, bob, base, secret) -> None:
    hidden = tickets.add_ticket(actor=bob, incident=secret, title="Who did it")
    url = f"/incidents/{secret.number}/tickets/{hidden.number}/watch/"
    assert client_of(mallory).post(url, {"watch": "on"}).status_code == 404
    Incident.objects.update(status="closed")
    assert client_of(bob).post(f"{base}101/watch/", {"watch": "on"}).status_code == 422
    assert not Watch.objects.exists()
    assert "Watch</button>" not in client_of(bob).get(f"{base}101/").content.decode()


# -- Tags -------------------------------------------------------------------------------------------------------------
def test_bob_tags_a_ticket_and_keeps_what_others_added_meanwhile(browser, alice, base) -> None:
    assert browser.post(f"{base}101/tags/", {"tags": "malware, dc01", "seen": ""}).status_code == 302
    tags.set_tags(actor=alice, ticket=ticket(), tags=["malware", "dc01", "vpn"])
    browser.post(f"{base}101/tags/", {"tags": "dc01, c2", "seen": "malware, dc01"})
    assert tags.tags_of(ticket()) == ["c2", "dc01", "vpn"]
    assert ">vpn</span>" in browser.get(f"{base}101/").content.decode()


def test_tags_of_an_incident_that_bob_may_not_see_are_not_offered(client_of, bob, alice, mallory, base, secret) -> None:
    hidden = tickets.add_ticket(actor=alice, incident=secret, title="Who did it")
    tags.set_tags(actor=alice, ticket=hidden, tags=["the-cfo"])
    tags.set_tags(actor=alice, ticket=ticket(102), tags=["disk"])
    html = client_of(bob).get(f"{base}101/tags/").content.decode()
    assert 'value="disk"' in html
    assert "the-cfo" not in html


@pytest.mark.parametrize("typed", ["x" * 41, ",".join(f"t{n}" for n in range(21)), *NASTY])
def test_nonsense_for_tags_is_refused(browser, base, typed) -> None:
    assert browser.post(f"{base}101/tags/", {"tags": typed, "seen": ""}).status_code == 422
    assert tags.tags_of(ticket()) == []


# -- Clock ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("typed", "meant"),
    [("2h", 120), ("1h30m", 90), ("1 h 20 m", 80), ("45", 45), ("1d 2h", 1560), ("90 min", 90), (" 2 Hours ", 120)],
)
def test_a_time_limit_is_written_as_people_write_it(browser, base, typed, meant) -> None:
    sent = {"version": 1, "time_limit": typed}
    html = browser.post(f"{base}101/edit/?part=time_limit", sent, headers=PANEL).content.decode()
    assert ticket().time_limit == meant
    assert "from its start" in html
    browser.post(f"{base}101/edit/?part=time_limit", {"version": 2, "time_limit": ""}, headers=PANEL)
    assert ticket().time_limit is None


@pytest.mark.parametrize("typed", ["soon", "0", "-5", "1.5h", "h", "2h2h", "٣h", "9999d", "9" * 30, *NASTY])
def test_a_time_limit_that_is_none_is_refused(browser, base, typed) -> None:
    sent = {"version": 1, "time_limit": typed}
    assert browser.post(f"{base}101/edit/?part=time_limit", sent, headers=PANEL).status_code == 422
    assert ticket().time_limit is None


def test_the_page_says_how_the_clock_stands_and_what_ends_it(browser, incident, base, make_ticket) -> None:
    ClockTarget.objects.update_or_create(
        severity=incident.severity, priority="normal", defaults={"start_minutes": 30, "finish_minutes": 240}
    )
    begin = timezone.now().replace(microsecond=0)
    with time_machine.travel(begin, tick=False):
        made = make_ticket("Reset the key", due_at=begin + dt.timedelta(hours=6), time_limit=90)
        url = f"{base}{made.number}/"
        html = browser.get(url).content.decode()
        for words in ("On track", "Start target", "Finish target", "Time limit 1h 30m", "from its start", "Due"):
            assert words in html
        assert html.count("ends first") == 1
    with time_machine.travel(begin + dt.timedelta(minutes=10), tick=False):
        tickets.set_status(actor=made.created_by, ticket=made, status="waiting", waiting_for="the vendor")
        html = browser.get(url).content.decode()
        assert "stands still while it is blocked" in html
        assert "Start target" not in html  # who waits for others has begun


def test_who_only_looks_sees_no_clock_to_set(client_of, carol, base, make_ticket) -> None:
    ClockTarget.objects.all().delete()
    html = client_of(carol).get(f"{base}{make_ticket('Unhurried').number}/").content.decode()
    assert 'name="time_limit"' not in html
    assert "Nothing is asked of this ticket by a time" in html


# -- Outcome ----------------------------------------------------------------------------------------------------------
def test_a_ticket_that_is_done_says_what_came_out_or_asks_for_it(browser, bob, base) -> None:
    tickets.set_status(actor=bob, ticket=ticket(), status="done")
    assert "Say what came out" in browser.get(f"{base}101/").content.decode()
    tickets.set_status(actor=bob, ticket=ticket(102), status="done", outcome="Two images, both readable")
    html = browser.get(f"{base}102/").content.decode()
    assert html.index("What came out") < html.index("Comments")
    assert "Two images, both readable" in html


# -- Waiting ----------------------------------------------------------------------------------------------------------
def test_a_ticket_waits_for_another_and_both_pages_say_so(browser, base) -> None:
    html = browser.post(f"{base}101/blockers/add/", {"by": "#102 Image the disk"}, headers=PANEL).content.decode()
    assert "Waits for" in html
    assert "Holds up" in browser.get(f"{base}102/").content.decode()
    assert entry("ticket.blocked").data["by"] == 102
    browser.post(f"{base}101/blockers/add/", {"by": "102"})
    link = Blocker.objects.get()
    assert browser.post(f"{base}101/blockers/{link.pk}/remove/").status_code == 302
    assert not Blocker.objects.exists()
    assert entry("ticket.unblocked").data["by"] == 102


def test_nobody_waits_in_a_circle_and_the_message_names_it(browser, bob, base) -> None:
    blockers.block_ticket(actor=bob, ticket=ticket(101), by=102)
    blockers.block_ticket(actor=bob, ticket=ticket(102), by=103)
    answer = browser.post(f"{base}103/blockers/add/", {"by": "101"}, headers=HTMX)
    assert answer.status_code == 422
    words = "#103 cannot wait for #101: #101 waits for #102, which waits for #103."
    assert words in answer.content.decode()
    assert "#101 cannot wait for itself" in browser.post(f"{base}101/blockers/add/", {"by": "101"}).content.decode()
    assert Blocker.objects.count() == 2


@pytest.mark.parametrize("by", ["", "100", "999", "0", "x", "-1", "#101#102", "#102 #103", str(2**40), *NASTY])
def test_what_is_no_ticket_of_this_incident_holds_nothing_up(browser, base, by) -> None:
    assert browser.post(f"{base}101/blockers/add/", {"by": by}, headers=HTMX).status_code == 422
    assert not Blocker.objects.exists()


def test_a_number_that_another_incident_has_is_not_found(browser, bob, incident, base, secret) -> None:
    there = [tickets.add_ticket(actor=bob, incident=secret, title=f"Who did it {number}") for number in range(9)][-1]
    assert there.number > 103
    assert browser.post(f"{base}101/blockers/add/", {"by": str(there.number)}).status_code == 422
    blockers.block_ticket(actor=bob, ticket=there, by=101)
    link = Blocker.objects.get()
    assert browser.post(f"{base}101/blockers/{link.pk}/remove/").status_code == 404
    assert Blocker.objects.exists()


def test_starting_what_still_waits_says_so_and_ending_the_last_blocker_names_who_is_free(browser, bob, base) -> None:
    for by in (102, 103):
        blockers.block_ticket(actor=bob, ticket=ticket(101), by=by)
    html = browser.post(f"{base}101/status/", {"version": 1, "status": "doing", "quick": 1}, headers=PANEL)
    assert "It waits for #102 and #103, not ended yet." in html.content.decode()
    assert "<b>#101 waits for #102, #103</b>" in browser.get(f"{base}101/status/", headers=HTMX).content.decode()
    tickets.set_status(actor=bob, ticket=ticket(102), status="done")
    assert "freed" not in entry("ticket.status_changed").data
    tickets.set_status(actor=bob, ticket=ticket(103), status="dropped", reason="No need")
    assert entry("ticket.status_changed").data["freed"] == [101]


def test_dropping_a_branch_names_who_is_free(alice, bob, base) -> None:
    blockers.block_ticket(actor=bob, ticket=ticket(101), by=102)
    tickets.drop_branch(actor=alice, ticket=ticket(102), reason="False alarm")
    assert entry("ticket.branch_dropped").data["freed"] == [101]


def test_a_ticket_waits_for_so_many_and_no_more(browser, bob, base, monkeypatch) -> None:
    monkeypatch.setattr(blockers, "MOST_BLOCKERS", 1)
    assert browser.post(f"{base}101/blockers/add/", {"by": "102"}).status_code == 302
    assert browser.post(f"{base}101/blockers/add/", {"by": "103"}).status_code == 422


# -- Time spent -------------------------------------------------------------------------------------------------------
def test_bob_notes_his_time_and_takes_some_of_it_back(browser, base) -> None:
    day = timezone.now().date()
    for minutes in ("1h 20m", "40"):
        sent = {"minutes": minutes, "day": day.isoformat(), "note": "On the phone"}
        assert browser.post(f"{base}101/time/add/", sent, headers=PANEL).status_code == 200
    assert "Time spent: 2h" in browser.get(f"{base}101/").content.decode()
    gone = TimeEntry.objects.get(minutes=40)
    browser.post(f"{base}101/time/{gone.pk}/remove/")
    html = browser.get(f"{base}101/").content.decode()
    assert "Time spent: 1h 20m" in html
    assert verbs()[-3:] == ["time.logged", "time.logged", "time.taken_back"]
    gone.refresh_from_db()
    assert gone.taken_back_at is not None


def test_time_of_others_is_not_taken_back(client_of, alice, bob, base) -> None:
    spent = times.log_time(actor=bob, ticket=ticket(), minutes=5, day=timezone.now().date())
    assert client_of(alice).post(f"{base}101/time/{spent.pk}/remove/").status_code == 403
    assert client_of(bob).post(f"{base}102/time/{spent.pk}/remove/").status_code == 404
    assert not TimeEntry.objects.exclude(taken_back_at=None).exists()


LATER = (timezone.now() + dt.timedelta(days=3)).date().isoformat()
WRONG = [
    {"minutes": "25h"}, {"minutes": "0"}, {"minutes": ""}, {"minutes": "long"}, {"day": LATER}, {"day": "1999-12-31"},
    {"day": "32.13.2026"}, {"day": ""}, *({"note": words} for words in NASTY), *({"minutes": words} for words in NASTY),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_time_that_nobody_can_have_spent_is_refused(browser, base, wrong) -> None:
    sent = {"minutes": "5m", "day": timezone.now().date().isoformat(), **wrong}
    assert browser.post(f"{base}101/time/add/", sent).status_code == 422
    assert not TimeEntry.objects.exists()


# -- Who may, and when ------------------------------------------------------------------------------------------------
WRITES = {
    "blockers/add/": {"by": "102"}, "time/add/": {"minutes": "5", "day": "2026-11-01"},
    "tags/": {"tags": "dc01", "seen": ""}, "edit/?part=time_limit": {"version": 1, "time_limit": "2h"},
}  # fmt: skip


@pytest.mark.parametrize("part", WRITES)
def test_who_only_looks_changes_nothing(client_of, carol, dora, base, part) -> None:
    before = JournalEntry.objects.count()
    for person in (carol, dora):
        assert client_of(person).post(f"{base}101/{part}", WRITES[part]).status_code == 403
    assert JournalEntry.objects.count() == before


@pytest.mark.parametrize("part", WRITES)
def test_a_closed_incident_stays_as_it_is(browser, bob, base, part) -> None:
    blockers.block_ticket(actor=bob, ticket=ticket(102), by=103)
    spent = times.log_time(actor=bob, ticket=ticket(102), minutes=5, day=timezone.now().date())
    Incident.objects.update(status="closed")
    before = JournalEntry.objects.count()
    assert browser.post(f"{base}101/{part}", WRITES[part]).status_code == 422
    assert browser.post(f"{base}102/blockers/{Blocker.objects.get().pk}/remove/").status_code == 422
    assert browser.post(f"{base}102/time/{spent.pk}/remove/").status_code == 422
    assert JournalEntry.objects.count() == before
    html = browser.get(f"{base}102/").content.decode()
    assert "/remove/" not in html
