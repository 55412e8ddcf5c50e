"""The board: which cards are on it, in which column and lane, what a drop asks of the server, and what it refuses."""

import datetime as dt
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from incidents.models import Incident
from people.models import User
from tests.tickets.test_rows import PAYLOADS
from tickets.actions import tickets as actions
from tickets.models import Category, Ticket, TicketStatus
from tickets.queries.board import MOST, PAGE, Asked, Board, board
from tickets.queries.outline import outline
from tickets.queries.vocabulary import statuses

Make = Callable[..., Ticket]
Browser = Callable[..., Client]


def shown(incident: Incident, reader: User, **asked: Any) -> Board:
    return board(outline(incident, user_id=reader.pk), statuses(), asked=Asked(**asked), reader=reader)


def titles(found: Board) -> dict[str, list[str]]:
    """Of each column of the first lane, the titles."""
    return {column.category.value: [card.row.title for card in column.cards] for column in found.lanes[0].columns}


def lanes(found: Board) -> dict[str, list[str]]:
    """Of each lane, the titles of all its cards."""
    return {lane.name: [card.row.title for one in lane.columns for card in one.cards] for lane in found.lanes}


def address(incident: Incident, query: str = "") -> str:
    return reverse("tickets:board", kwargs={"number": incident.number}) + query


def part(name: str, ticket: Ticket) -> str:
    return reverse(f"tickets:{name}", kwargs={"number": ticket.incident.number, "ticket": ticket.number})


# -- Which cards, and where ----------------------------------------------------------
def test_leaves_stand_in_the_column_of_their_category_with_the_path_above(
    bob: User, incident: Incident, make_ticket: Make
) -> None:
    top = make_ticket("Domain controller")
    middle = make_ticket("Kerberos", parent=top)
    todo, doing, held, done = [make_ticket(name, parent=middle) for name in ("todo", "doing", "held", "done")]
    actions.set_status(actor=bob, ticket=doing, status="doing")
    actions.set_status(actor=bob, ticket=held, status="waiting", waiting_for="disk image")
    actions.set_status(actor=bob, ticket=done, status="done")
    found = shown(incident, bob)
    assert titles(found) == {"todo": ["todo"], "doing": ["doing"], "blocked": ["held"], "done": ["done"]}
    assert found.lanes[0].columns[0].cards[0].path == "Domain controller / Kerberos"
    assert [column.status for column in found.lanes[0].columns] == ["open", "doing", "waiting", "done"]
    assert todo.number in {card.row.number for column in found.lanes[0].columns for card in column.cards}


def test_a_status_of_ones_own_stands_in_the_column_of_its_category(
    bob: User, incident: Incident, make_ticket: Make
) -> None:
    TicketStatus.objects.create(code="review", name="In review", category=Category.DOING, position=1)
    actions.set_status(actor=bob, ticket=make_ticket("read it"), status="review")
    found = shown(incident, bob)
    assert titles(found)["doing"] == ["read it"]
    assert found.lanes[0].columns[1].status == "review", "the first of the category, in the admin's order"


def test_what_was_done_long_ago_and_what_was_dropped_come_only_when_asked_for(
    alice: User, bob: User, incident: Incident, make_ticket: Make
) -> None:
    old, new, gone = make_ticket("old"), make_ticket("new"), make_ticket("gone")
    for one in (old, new):
        actions.set_status(actor=bob, ticket=one, status="done")
    actions.drop_branch(actor=alice, ticket=gone, reason="A duplicate")
    Ticket.objects.filter(pk=old.pk).update(finished_at=timezone.now() - dt.timedelta(hours=25))
    found = shown(incident, bob)
    assert (titles(found)["done"], found.done_before, found.dropped) == (["new"], 1, 1)
    assert "dropped" not in titles(found)
    assert titles(shown(incident, bob, all_done=True))["done"] == ["old", "new"]
    assert titles(shown(incident, bob, dropped=True))["dropped"] == ["gone"]


@pytest.mark.parametrize(
    ("show", "expected"),
    [
        ("all", ["mine", "late", "lead", "nobody's"]), ("mine", ["mine"]), ("over", ["late"]), ("leads", ["lead"]),
        ("nobody", ["nobody's"]),
    ],
)  # fmt: skip
def test_each_filter_shows_what_its_pill_counts(
    alice: User, bob: User, incident: Incident, make_ticket: Make, show: str, expected: list[str]
) -> None:
    make_ticket("mine", assignee=bob)
    make_ticket("late", assignee=alice, due_at=timezone.now() - dt.timedelta(hours=1))
    make_ticket("lead", assignee=alice, lead=True)
    make_ticket("nobody's")
    found = shown(incident, bob, show=show)
    assert titles(found)["todo"] == expected
    assert found.counts[show] == len(expected)


def test_a_branch_can_be_looked_at_alone(bob: User, incident: Incident, make_ticket: Make) -> None:
    top, _ = make_ticket("top"), make_ticket("other")
    make_ticket("inside", parent=make_ticket("middle", parent=top))
    assert titles(shown(incident, bob, branch=top.number))["todo"] == ["inside"]
    assert titles(shown(incident, bob, branch=9999))["todo"] == []


def test_lanes_of_people_begin_with_what_nobody_has(
    alice: User, bob: User, incident: Incident, make_ticket: Make
) -> None:
    make_ticket("bob's", assignee=bob)
    make_ticket("alice's", assignee=alice)
    make_ticket("nobody's")
    found = shown(incident, bob, group="person")
    assert lanes(found) == {"Nobody yet": ["nobody's"], "Alice Example": ["alice's"], "Bob Example": ["bob's"]}
    assert [lane.key for lane in found.lanes] == ["", str(alice.pk), str(bob.pk)]


def test_lanes_of_branches_stand_in_tree_order_and_lone_tickets_last(
    bob: User, incident: Incident, make_ticket: Make
) -> None:
    lone = make_ticket("lone")
    second, first = make_ticket("B"), make_ticket("A", before=lone.number)
    make_ticket("in B", parent=second)
    make_ticket("in A", parent=make_ticket("middle", parent=first))
    found = shown(incident, bob, group="branch")
    assert lanes(found) == {f"#{first.number} A": ["in A"], f"#{second.number} B": ["in B"], "In no branch": ["lone"]}


def test_a_column_shows_so_many_cards_and_says_how_many_more(bob: User, incident: Incident, make_ticket: Make) -> None:
    make_ticket("one")
    found = outline(incident, user_id=bob.pk)
    found.rows *= MOST + 7
    column = board(found, statuses(), asked=Asked(), reader=bob).lanes[0].columns[0]
    assert (len(column.cards), column.total, column.more) == (MOST, MOST + 7, 7)


def test_many_full_lanes_share_what_one_page_can_carry(bob: User, incident: Incident, make_ticket: Make) -> None:
    for at in range(12):
        make_ticket("leaf", parent=make_ticket(f"branch {at}"))
    found = outline(incident, user_id=bob.pk)
    found.rows = [one for row in found.rows for one in [row] * (1 if row.total else 90)]
    lanes = board(found, statuses(), asked=Asked(group="branch"), reader=bob).lanes
    columns = [lane.columns[0] for lane in lanes]
    assert [(len(column.cards), column.total, column.more) for column in columns] == [(50, 90, 40)] * 12
    assert sum(len(column.cards) for column in columns) == PAGE


# -- The page ------------------------------------------------------------------------
@pytest.mark.parametrize("group", ["status", "person", "branch"])
@pytest.mark.parametrize("count", [3, 300])
def test_the_page_asks_at_most_nine_questions_however_many_cards_there_are(
    alice: User, bob: User, incident: Incident, make_ticket: Make, client_of: Browser,
    django_assert_max_num_queries: Any, count: int, group: str,
) -> None:  # fmt: skip
    top = make_ticket("top")
    for number in range(count - 1):
        make_ticket(f"leaf {number}", parent=top, assignee=(alice, bob, None)[number % 3])
    browser = client_of(bob)
    browser.get(address(incident))
    with django_assert_max_num_queries(9):
        page = browser.get(address(incident, f"?group={group}"))
    assert page.content.decode().count('<li class="kcard') == min(count - 1, MOST * (3 if group == "person" else 1))


def test_a_poll_of_an_unchanged_board_is_answered_without_reading_it(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    make_ticket("one")
    browser = client_of(bob)
    first = browser.get(address(incident, "?group=person"), headers={"HX-Request": "true"})
    html = first.content.decode()
    assert "<!doctype" not in html
    assert f'hx-get="{address(incident, "?group=person")}"' in html
    again = browser.get(address(incident), headers={"HX-Request": "true", "HX-PTag": first["HX-PTag"]})
    assert (again.status_code, again.content) == (304, b"")
    make_ticket("two")
    assert b"two" in browser.get(address(incident), headers={"HX-Request": "true", "HX-PTag": first["HX-PTag"]}).content


def test_every_card_has_a_menu_of_plain_links_for_who_works_here_and_none_for_who_looks_on(
    bob: User, carol: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    one = make_ticket("one")
    html = client_of(bob).get(address(incident)).content.decode()
    for name in ("status", "assign", "move"):
        assert f'href="{part(name, one)}"' in html
    for words in ("Set status", "Assign", "Move to…", 'draggable="true"'):
        assert words in html
    looked = client_of(carol).get(address(incident)).content.decode()
    assert 'id="k101"' in looked
    assert 'draggable="true"' not in looked
    assert part("status", one) not in looked


def test_on_the_board_of_a_closed_incident_nothing_can_be_moved(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    make_ticket("Beacon")
    held = ("data-writable", 'draggable="true"', "/101/status/", "ir:tick")
    html = client_of(bob).get(address(incident)).content.decode()
    assert [mark for mark in held if mark not in html] == []
    Incident.objects.update(status="closed")
    html = client_of(bob).get(address(incident)).content.decode()
    assert "Beacon" in html
    board = html[html.index('id="board"') :]
    assert [mark for mark in held if mark in board] == []


@pytest.mark.parametrize(
    "query", ["?show=x&group=y&branch=z", "?branch=99999999999999", "?branch=²", "?done=1&dropped=x"]
)
def test_nonsense_in_the_address_shows_the_whole_board(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser, query: str
) -> None:
    make_ticket("one")
    html = client_of(bob).get(address(incident, query)).content.decode()
    assert 'id="k101"' in html


def test_a_restricted_incident_has_no_board_for_outsiders(
    bob: User, mallory: User, secret: Incident, client_of: Browser
) -> None:
    assert client_of(bob).get(address(secret)).status_code == 200
    assert client_of(mallory).get(address(secret)).status_code == 404


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append(tag)


@pytest.mark.security
def test_hostile_titles_and_paths_stay_text(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    make_ticket("plain", parent=make_ticket("plain"))
    browser = client_of(bob)
    usual = Tags(browser.get(address(incident), headers={"HX-Request": "true"}).content.decode()).found
    for payload in PAYLOADS[::10]:
        Ticket.objects.filter(incident=incident, parent__isnull=False).update(title=payload[:200])
        html = browser.get(address(incident), headers={"HX-Request": "true"}).content.decode()
        assert Tags(html).found == usual, payload


# -- What a drop asks of the server ----------------------------------------------------
def drop(browser: Client, url: str, **values: Any) -> Any:
    return browser.post(url, values, headers={"HX-Request": "true", "HX-Target": "div#toasts"})


def test_a_card_dropped_on_doing_gets_its_first_status(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    one = make_ticket("one")
    answer = drop(client_of(bob), part("status", one), status="doing", quick="1", version=one.version)
    assert answer.status_code == 200
    assert "Undo" in answer.content.decode()
    assert titles(shown(incident, bob))["doing"] == ["one"]


@pytest.mark.parametrize("status", ["waiting", "done", "dropped"])
def test_where_more_is_asked_a_drop_is_answered_with_the_form_and_changes_nothing(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser, status: str
) -> None:
    one = make_ticket("one", lead=True)
    answer = drop(client_of(bob), part("status", one), status=status, quick="1", version=one.version)
    assert answer.status_code == 422
    assert "<form" in answer.content.decode()
    assert titles(shown(incident, bob))["todo"] == ["one"]


def test_a_card_that_somebody_else_moved_first_is_a_conflict(
    alice: User, bob: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    one = make_ticket("one")
    actions.set_status(actor=alice, ticket=one, status="done")
    answer = drop(client_of(bob), part("status", one), status="doing", quick="1", version=one.version)
    assert answer.status_code == 409
    assert titles(shown(incident, bob))["done"] == ["one"]


def test_a_card_cannot_be_given_to_who_does_not_work_here(
    bob: User, mallory: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    one = make_ticket("one")
    answer = drop(client_of(bob), part("assign", one), assignee=mallory.pk, version=one.version)
    assert answer.status_code == 422
    assert Ticket.objects.get(pk=one.pk).assignee is None


def test_a_card_goes_into_another_branch_and_out_of_all(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    top, one = make_ticket("top"), make_ticket("one")
    make_ticket("leaf", parent=top)
    browser = client_of(bob)
    assert drop(browser, part("move", one), parent=top.number, version=one.version).status_code == 200
    one = Ticket.objects.get(pk=one.pk)
    assert one.parent == top
    assert drop(browser, part("move", one), parent="", version=one.version).status_code == 200
    assert lanes(shown(incident, bob, group="branch"))["In no branch"] == ["one"]


def test_who_only_looks_on_drops_nothing(
    carol: User, mallory: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    one = make_ticket("one")
    for user in (carol, mallory):
        answer = drop(client_of(user), part("status", one), status="doing", quick="1", version=one.version)
        assert answer.status_code == 403
    assert Ticket.objects.get(pk=one.pk).category == Category.TODO
