"""How everybody looks at the tree: what they keep open, what is new to them, the headlines they read."""

import datetime as dt
import re

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.models import JournalEntry
from core.models.versions import Conflict
from incidents.actions.looks import MOST_FLIPPED, look
from incidents.models import Incident, Look
from tickets.actions import comments
from tickets.actions import tickets as actions
from tickets.actions.headlines import set_headline
from tickets.models import Ticket
from tickets.queries import outline as outlines
from tickets.queries.headlines import draft
from tickets.queries.outline import outline
from tickets.rows import folding, shown_rows

HTMX = {"HX-Request": "true"}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def base(incident) -> str:
    return f"/incidents/{incident.number}/"


def open_rows(html: str) -> dict[str, str]:
    """Number → aria-expanded, of branches."""
    return dict(re.findall(r'<tr [^>]*data-id="(\d+)"[^>]*aria-expanded="(\w+)"', html))


def numbers(html: str) -> list[str]:
    return re.findall(r'<tr [^>]*data-id="(\d+)"', html)


# -- What is kept open ------------------------------------------------------------------------------------------------
def test_alice_finds_the_tree_as_she_left_it_and_bob_as_he_did(*, client_of, alice, bob, base, make_ticket) -> None:
    top = make_ticket("top")
    make_ticket("below", parent=make_ticket("middle", parent=top))
    hers, his = client_of(alice), client_of(bob)
    assert hers.post(f"{base}tree/look/", {"levels": "1"}, headers=HTMX).status_code == 204
    assert hers.post(f"{base}tree/look/", {"flip": "101"}, headers=HTMX).status_code == 204
    assert open_rows(hers.get(f"{base}tree/").content.decode()) == {"101": "true", "102": "false"}
    assert open_rows(his.get(f"{base}tree/").content.decode()) == {"101": "true", "102": "true"}


def test_other_levels_forget_single_branches_and_the_same_do_not(alice, incident) -> None:
    look(user=alice, incident=incident, levels=2, flipped={101: True, 104: True})
    assert look(user=alice, incident=incident, levels=2, flipped={104: False}).flipped == [101]
    assert look(user=alice, incident=incident, flipped={101: True}).flipped == [101]
    assert look(user=alice, incident=incident, levels=3).flipped == []


def test_of_too_many_branches_the_oldest_are_forgotten(alice, incident) -> None:
    look(user=alice, incident=incident, flipped={7: True})
    kept = look(user=alice, incident=incident, flipped=dict.fromkeys(range(100, 100 + MOST_FLIPPED), True)).flipped
    assert (len(kept), 7 in kept) == (MOST_FLIPPED, False)


def test_more_branches_than_one_request_takes_are_told_in_parts(client_of, alice, incident, base) -> None:
    hers, url = client_of(alice), f"{base}tree/look/"
    numbers = list(map(str, range(101, 1601)))
    assert hers.post(url, {"flip": ",".join(numbers)}, headers=HTMX).status_code == 400
    for part in (numbers[:1000], numbers[1000:]):
        assert hers.post(url, {"flip": ",".join(part), "unflip": ""}, headers=HTMX).status_code == 204
    assert Look.objects.get(user=alice, incident=incident).flipped == list(range(101, 1601))


def test_the_levels_of_the_address_win_and_are_not_kept(client_of, alice, base, make_ticket) -> None:
    make_ticket("below", parent=make_ticket("top"))
    browser = client_of(alice)
    browser.post(f"{base}tree/look/", {"flip": "101"}, headers=HTMX)
    assert open_rows(browser.get(f"{base}tree/?levels=all").content.decode()) == {"101": "true"}
    assert open_rows(browser.get(f"{base}tree/?levels=1&flip=101").content.decode()) == {"101": "true"}
    assert open_rows(browser.get(f"{base}tree/").content.decode()) == {"101": "false"}


def test_choosing_a_depth_answers_the_rows_of_the_page_without_the_address_asking_otherwise(
    client_of, alice, base, make_ticket
) -> None:
    make_ticket("below", parent=make_ticket("top"))
    headers = {**HTMX, "HX-Target": "tbody#tree-rows", "HX-Current-URL": f"http://testserver{base}tree/"}
    html = client_of(alice).post(f"{base}tree/look/", {"levels": "1"}, headers=headers).content.decode()
    assert open_rows(html) == {"101": "false"}
    assert 'value="1" data-level="1" aria-pressed="true"' in html


@pytest.mark.parametrize(
    "sent",
    [
        {"levels": "0"}, {"levels": "100"}, {"levels": "-1"}, {"levels": "٣"}, {"levels": "\x00"}, {"flip": "1;2"},
        {"flip": "0"}, {"flip": "101,"}, {"flip": "9" * 10}, {"unflip": "x"}, {"flip": ",".join(["101"] * 1001)},
    ],
)  # fmt: skip
def test_nonsense_is_refused_and_nothing_is_kept(client_of, alice, base, sent) -> None:
    assert client_of(alice).post(f"{base}tree/look/", sent, headers=HTMX).status_code == 400
    assert not Look.objects.exists()


@pytest.mark.parametrize(
    "query", ["levels=7", "levels=\x00", "flip=1;2", "flip=" + "1," * 3000, "view=\x00", "branch=9"]
)
def test_an_address_that_makes_no_sense_shows_the_tree(client_of, alice, base, make_ticket, query) -> None:
    make_ticket("below", parent=make_ticket("top"))
    assert numbers(client_of(alice).get(f"{base}tree/?{query}").content.decode()) == ["101", "102"]


def test_looking_is_nobodys_business_and_stands_in_no_journal(client_of, alice, incident, base) -> None:
    before = JournalEntry.objects.count()
    client_of(alice).post(f"{base}tree/look/", {"levels": "2", "visit": "1", "seen": "1"}, headers=HTMX)
    assert JournalEntry.objects.count() == before
    assert Look.objects.get(user=alice, incident=incident).levels == 2


# -- Big trees --------------------------------------------------------------------------------------------------------
@pytest.fixture
def big(monkeypatch, make_ticket) -> Ticket:
    """Two branches of three each, in a house where more than four are many and three rows a first look."""
    monkeypatch.setattr(outlines, "MANY", 4)
    monkeypatch.setattr("tickets.rows.SHALLOW", 3)
    tops: list[Ticket] = [make_ticket(name) for name in ("one", "two")]
    for top in tops:
        make_ticket(f"deep below {top.title}", parent=make_ticket(f"below {top.title}", parent=top))
    first: Ticket = tops[0]
    return first


def test_of_a_big_tree_only_open_branches_are_sent_and_all_is_counted(client_of, alice, base, big) -> None:
    html = client_of(alice).get(f"{base}tree/").content.decode()
    assert numbers(html) == ["101", "102"]
    assert "4 of 6 tickets are in closed branches" in html
    assert re.findall(r"data-away", html) == ["data-away"] * 2
    assert html.count('aria-hidden="true">/</span>2') == 2


def test_opening_a_branch_of_a_big_tree_brings_its_rows(client_of, alice, base, big) -> None:
    browser = client_of(alice)
    browser.post(f"{base}tree/look/", {"flip": "101"}, headers=HTMX)
    assert numbers(browser.get(f"{base}tree/rows/", headers=HTMX).content.decode()) == ["101", "103", "102"]
    assert numbers(browser.get(f"{base}tree/rows/?levels=1&flip=102").content.decode()) == ["101", "102", "105"]


def test_a_ticket_that_is_asked_for_is_there_with_what_is_above_it(client_of, alice, base, big) -> None:
    html = client_of(alice).get(f"{base}tree/?ticket=106").content.decode()
    assert numbers(html.split("<tbody")[1].split("</tbody>")[0]) == ["101", "102", "105", "106"]


def test_a_filter_finds_what_is_in_closed_branches_of_a_big_tree(client_of, alice, base, big) -> None:
    assert numbers(client_of(alice).get(f"{base}tree/?q=deep below two").content.decode()) == ["102", "105", "106"]


def test_no_page_carries_more_than_its_share(alice, incident, big, monkeypatch) -> None:
    monkeypatch.setattr("tickets.rows.MOST", 4)
    found = outline(incident, user_id=alice.pk)
    assert len(shown_rows(folding(found, levels=99))) == 4
    assert len(shown_rows(folding(found, levels=1, flipped=[101, 102, 103, 105]))) == 4


# -- What is new -------------------------------------------------------------------------------------------------------
def changed(html: str) -> set[str]:
    rows = html.split("<tr ")[1:]
    return {
        found[1]
        for row in rows
        if 'title="Changed since you last looked"' in row and (found := re.search(r'data-id="(\d+)"', row))
    }


def test_alice_sees_what_others_changed_while_she_was_away(*, client_of, alice, bob, base, make_ticket) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False):
        mine, his, quiet = make_ticket("mine"), make_ticket("his"), make_ticket("quiet")
        browser = client_of(alice)
        assert changed(browser.get(f"{base}tree/").content.decode()) == set()
        browser.post(f"{base}tree/look/", {"visit": "1"}, headers=HTMX)
    with time_machine.travel(start + HOUR, tick=False):
        actions.set_status(actor=bob, ticket=his, status="doing")
        actions.set_status(actor=alice, ticket=mine, status="doing")
        browser = client_of(alice)  # her session ended meanwhile
        html = browser.get(f"{base}tree/").content.decode()
        assert changed(html) == {str(his.number)}
        assert changed(browser.get(f"{base}tree/?show=changed").content.decode()) == {str(his.number)}
        browser.post(f"{base}tree/look/", {"visit": "1"}, headers=HTMX)
        assert changed(browser.get(f"{base}tree/").content.decode()) == {str(his.number)}
    with time_machine.travel(start + 3 * HOUR, tick=False):
        assert changed(client_of(alice).get(f"{base}tree/").content.decode()) == set(), "she saw that two hours ago"
        assert quiet.number == 103


def test_a_comment_of_somebody_else_is_news_and_ones_own_is_not(alice, bob, incident, make_ticket) -> None:
    start = timezone.now()
    told, own = make_ticket("told"), make_ticket("own")
    with time_machine.travel(start + HOUR, tick=False):
        comments.add_comment(actor=bob, ticket=told, body="Look.")
        comments.add_comment(actor=alice, ticket=own, body="I do.")
    rows = outline(incident, user_id=alice.pk, since=start + HOUR / 2).rows
    assert [(row.number, row.changed) for row in rows] == [(101, True), (102, False)]


def test_a_closed_branch_says_how_much_in_it_is_new(alice, bob, incident, make_ticket) -> None:
    start = timezone.now()
    below = make_ticket("below", parent=make_ticket("top"), lead=True)
    with time_machine.travel(start + HOUR, tick=False):
        actions.set_status(actor=bob, ticket=below, status="doing")
    top = outline(incident, user_id=alice.pk, since=start + HOUR / 2).rows[0]
    assert (top.news, top.leads, top.total) == (1, 1, 1)


def test_all_is_seen_by_a_plain_button(*, client_of, alice, bob, base, incident, make_ticket) -> None:
    look(user=alice, incident=incident, seen=True)
    actions.set_status(actor=bob, ticket=make_ticket("his"), status="doing")
    browser = client_of(alice)
    assert "Mark all as seen" in browser.get(f"{base}tree/").content.decode()
    answer = browser.post(f"{base}tree/look/", {"seen": "1", "next": f"{base}tree/?show=all"})
    assert (answer.status_code, answer["Location"]) == (302, f"{base}tree/?show=all")
    assert "Mark all as seen" not in browser.get(f"{base}tree/").content.decode()


# -- Headlines --------------------------------------------------------------------------------------------------------
def test_bob_says_how_his_branch_stands_and_everybody_above_reads_it(*, client_of, bob, base, make_ticket) -> None:
    top = make_ticket("Beacon")
    browser = client_of(bob)
    sent = {"headline": "Two hosts, both <isolated>", "version": top.version}
    assert browser.post(f"{base}tickets/101/headline/", sent).status_code == 302
    html = browser.get(f"{base}tree/?view=manager").content.decode()
    assert "Two hosts, both &lt;isolated&gt;" in html
    assert 'class="is-manager"' in html
    entry = JournalEntry.objects.get(verb="ticket.headlined")
    assert entry.data["changes"]["headline"] == ["", "Two hosts, both <isolated>"]


def test_the_headlines_below_are_the_draft_of_one_above(client_of, bob, base, make_ticket) -> None:
    top = make_ticket("top")
    for name in ("First host is clean", "", "Second host is isolated"):
        below = make_ticket(name or "nothing said", parent=top)
        set_headline(actor=bob, ticket=below, headline=name, version=below.version)
    html = client_of(bob).get(f"{base}tickets/101/headline/").content.decode()
    assert 'value="First host is clean; Second host is isolated"' in html
    assert "it is not saved yet" in html
    assert Ticket.objects.get(pk=top.pk).headline == ""


def test_a_draft_is_no_longer_than_a_headline(bob, make_ticket) -> None:
    top = make_ticket("top")
    for _ in range(3):
        below = make_ticket("x", parent=top)
        set_headline(actor=bob, ticket=below, headline="y" * 150, version=below.version)
    assert len(draft(top)) == 200
    assert draft(top).endswith("…")


def test_the_second_of_two_headlines_is_shown_beside_the_first(*, client_of, alice, bob, base, make_ticket) -> None:
    top = make_ticket("top")
    set_headline(actor=bob, ticket=top, headline="All is well", version=top.version)
    sent = {"headline": "All is lost", "version": top.version}
    answer = client_of(alice).post(f"{base}tickets/101/headline/", sent, headers=HTMX)
    assert answer.status_code == 409
    assert {"All is well", "All is lost"} <= set(re.findall(r"All is \w+", answer.content.decode()))
    with pytest.raises(Conflict):
        set_headline(actor=alice, ticket=top, headline="All is lost", version=top.version)


@pytest.mark.parametrize("headline", ["x" * 201, "a\x00b", "\u202egnp.exe", "x" * 100_000])
def test_a_headline_that_is_none_is_refused(client_of, bob, base, make_ticket, headline) -> None:
    top = make_ticket("top")
    answer = client_of(bob).post(f"{base}tickets/101/headline/", {"headline": headline, "version": top.version})
    kept = Ticket.objects.get(pk=top.pk).headline
    assert answer.status_code == 422 or "\u202e" not in kept
    assert "\x00" not in kept
    assert len(kept) <= 200


def test_who_only_looks_and_who_comes_too_late_write_no_headline(
    *, client_of, bob, carol, incident, base, make_ticket
) -> None:
    top = make_ticket("top")
    sent = {"headline": "Mine", "version": top.version}
    assert client_of(carol).post(f"{base}tickets/101/headline/", sent).status_code == 403
    Incident.objects.filter(pk=incident.pk).update(status="closed", closed_at=timezone.now())
    with pytest.raises(ValidationError):
        set_headline(actor=bob, ticket=top, headline="Mine", version=top.version)
    assert client_of(bob).post(f"{base}tickets/101/headline/", sent).status_code == 422
    assert Ticket.objects.get(pk=top.pk).headline == ""


# -- One branch alone -------------------------------------------------------------------------------------------------
def test_a_branch_has_a_page_of_its_own_with_the_way_to_it(client_of, bob, base, make_ticket) -> None:
    top, other = make_ticket("Top of it all"), make_ticket("Somewhere else")
    middle = make_ticket("The middle", parent=top, description="What **this** is about")
    make_ticket("leaf", parent=middle)
    html = client_of(bob).get(f"{base}tickets/{middle.number}/tree/").content.decode()
    assert numbers(html) == ["104"]
    assert 'aria-level="1"' in html
    assert "Top of it all" in html
    assert "What this is about" in html
    assert other.title not in html
    assert f'hx-get="{base}tree/rows/?branch={middle.number}"' in html


def test_the_rows_of_a_branch_are_polled_alone(client_of, bob, base, make_ticket) -> None:
    make_ticket("below", parent=make_ticket("top"))
    make_ticket("elsewhere")
    assert numbers(client_of(bob).get(f"{base}tree/rows/?branch=101").content.decode()) == ["102"]
    assert client_of(bob).get(f"{base}tree/rows/?branch=999").status_code == 404


@pytest.mark.parametrize("many", [2, 30])
def test_a_branch_costs_the_same_however_much_is_in_it(
    *, client_of, bob, base, make_ticket, django_assert_num_queries, many
) -> None:
    top = make_ticket("top")
    for _ in range(many):
        make_ticket("below", parent=top, assignee=bob)
    browser = client_of(bob)
    browser.get(f"{base}tickets/101/tree/")
    with django_assert_num_queries(6):
        assert browser.get(f"{base}tickets/101/tree/").status_code == 200
