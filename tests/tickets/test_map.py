"""The map: where boxes stand, what stands in them, what is left out, and that no title becomes markup."""

import datetime as dt
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFont

from incidents.models import Incident
from people.models import User
from tests.security.test_markup import active_content
from tests.tickets.test_rows import PAYLOADS
from tickets import textwidth
from tickets.actions import tickets as actions
from tickets.map import LEFT, RIGHT, printed, svg
from tickets.models import Ticket
from tickets.queries.map import (
    GAP,
    HEIGHT,
    MOST,
    STEP,
    WIDTH,
    Box,
    depth_within,
    drawing,
    places,
    ticket_box,
    tree_top,
)
from tickets.queries.outline import outline

Make = Callable[..., Ticket]
Browser = Callable[..., Client]


@st.composite
def trees(draw: st.DrawFn) -> list[int]:
    """Levels of a tree in its order: each at most one deeper than the one before."""
    levels: list[int] = []
    for step in draw(st.lists(st.integers(0, 5), max_size=120)):
        levels.append(1 if not levels else max(1, min(levels[-1] + 1, levels[-1] + 1 - step)))
    return levels


def children(levels: list[int]) -> dict[int, list[int]]:
    """Place of each branch → places of its children, in order; -1 is the root."""
    found: dict[int, list[int]] = {}
    line: list[int] = []
    for at, level in enumerate(levels):
        line = line[: level - 1]
        found.setdefault(line[-1] if line else -1, []).append(at)
        line.append(at)
    return found


# -- Where boxes stand  ------------------------------------------------------------
@given(trees())
def test_no_two_boxes_overlap_and_each_ticket_has_exactly_one(levels: list[int]) -> None:
    tops = places(levels)
    assert len(tops) == len(levels)
    for level in set(levels):
        column = [top for at, top in zip(levels, tops, strict=True) if at == level]
        assert all(below - above >= HEIGHT + STEP for above, below in itertools.pairwise(column)), level


@given(trees())
def test_a_branch_stands_in_the_middle_of_its_children_and_the_order_is_kept(levels: list[int]) -> None:
    tops = places(levels)
    for head, below in children(levels).items():
        ends = (tops[below[0]] + tops[below[-1]]) / 2
        assert (tree_top(levels, tops) if head < 0 else tops[head]) == pytest.approx(ends)
        assert [tops[at] for at in below] == sorted(tops[at] for at in below)


@given(trees())
def test_leaves_of_one_branch_follow_each_other_without_a_hole(levels: list[int]) -> None:
    tops, inner = places(levels), children(levels)
    leaves = [tops[at] for at in range(len(levels)) if at not in inner]
    assert all(HEIGHT + STEP <= b - a <= HEIGHT + 2 * STEP for a, b in itertools.pairwise(leaves))


def test_a_tree_fifty_levels_deep_is_drawn_without_recursion() -> None:
    assert places(list(range(1, 51))) == [0.0] * 50


@given(trees().filter(bool), st.integers(1, 60))
def test_the_depth_that_fits_is_the_deepest_one(levels: list[int], most: int) -> None:
    depth = depth_within(levels, most)
    assert depth == 1 or sum(level <= depth for level in levels) <= most
    if depth < max(levels):
        assert sum(level <= depth + 1 for level in levels) > most


# -- What stands in a box  ------------------------------------------------------------
@given(st.text(max_size=200), st.sampled_from([10.0, 11.5]))
def test_a_cut_text_never_leaves_its_box(text: str, size: float) -> None:
    fits = textwidth.fitted(text, size=size, room=272)
    assert textwidth.width(fits, size) <= 272
    whole = " ".join(text.split())
    assert fits == whole or fits.endswith("…")


def test_words_are_as_wide_as_the_widest_font_draws_them() -> None:
    font = ImageFont.truetype("DejaVuSans.ttf", 100)
    for words in ("Golden ticket: krbtgt anomalies", "WWWWWWWW", "illicit", "#113 · nobody yet · 18 m over"):
        assert textwidth.width(words, 100) == pytest.approx(font.getlength(words), rel=0.08)
        assert textwidth.width(words, 100) >= font.getlength(words) * 0.99


class Tags(HTMLParser):
    """Tags with their attributes, in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag

    @property
    def boxes(self) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.found if tag == "a" and "data-id" in attrs]


def drawn(incident: Incident, user: User, **wanted: Any) -> str:
    found = drawing(outline(incident, user_id=user.pk), incident, **{"levels": 0, **wanted})
    return svg(found.root, found.boxes, label="Map", base="/t/tickets/", here="/t/tree/map/")


def test_each_ticket_is_a_link_in_the_order_of_the_tree_that_says_what_it_is(
    alice: User, bob: User, incident: Incident, make_ticket: Make
) -> None:
    top = make_ticket("Domain controller", assignee=bob)
    late = timezone.now() - dt.timedelta(minutes=18, seconds=5)
    make_ticket("Golden ticket", parent=top, lead=True, due_at=late)
    done = make_ticket("Collect events", parent=top)
    actions.set_status(actor=bob, ticket=done, status="done")
    boxes = Tags(drawn(incident, alice)).boxes
    assert [box["data-id"] for box in boxes] == ["0", "101", "102", "103"]
    assert [box["href"] for box in boxes] == ["/t/tree/", "/t/tickets/101/", "/t/tickets/102/", "/t/tickets/103/"]
    said = re.findall("<title>(.*?)</title>", drawn(incident, alice))
    assert said[0].startswith("Ransomware on the file server: 1 of 3 done, leads 0 of 1")
    assert said[1] == "#101 Domain controller, Bob Example, Open, 1 of 2 done below, level 1"
    assert said[2].startswith("#102 Golden ticket, lead, nobody yet, Open, 1")
    assert said[2].endswith("over, level 2")
    dress = [set(str(box["class"]).split()) for box in boxes]
    assert {"is-lead", "is-over", "c-open"} <= dress[2]
    assert {"is-done", "c-done"} <= dress[3]
    assert not {"is-lead", "is-over", "is-done"} & dress[1]


def test_the_bar_of_a_branch_is_as_long_as_what_is_done_below_it(
    alice: User, bob: User, incident: Incident, make_ticket: Make
) -> None:
    top = make_ticket("top")
    first, second, *_ = [make_ticket(f"leaf {n}", parent=top) for n in range(4)]
    actions.set_status(actor=bob, ticket=first, status="done")
    actions.set_status(actor=bob, ticket=second, status="doing")
    widths = {
        attrs["class"]: float(attrs["width"] or 0)
        for tag, attrs in Tags(drawn(incident, alice)).found
        if tag == "rect" and attrs.get("class") in {"bar", "fill", "fillp"}
    }
    assert widths["fill"] == pytest.approx(widths["bar"] / 4, abs=0.1)
    assert widths["fillp"] == pytest.approx(widths["bar"] / 4, abs=0.1)


def test_a_long_title_is_cut_in_the_box_and_whole_in_its_title(
    alice: User, incident: Incident, make_ticket: Make
) -> None:
    words = "NetFlow volumes of WS-0147 and FS02 from the tenth to the fourteenth of November, by destination"
    make_ticket(words)
    html = drawn(incident, alice)
    assert f"<title>#101 {words}, nobody yet" in html
    assert f">{words}</text>" not in html
    assert "…</text>" in html


# -- Bad input  ------------------------------------------------------------
def hostile(payload: str) -> Box:
    return ticket_box(
        number=101, level=1, title=payload, who=payload, over="", category="todo", status=payload, lead="lead",
        is_ended=False, total=2, done=1, busy=0, left_out=2, version=1,
    )  # fmt: skip


OURS = {"svg", "title", "use"}  # of SVG that may act, only what the map itself draws with


@pytest.mark.security
def test_no_title_name_or_status_becomes_markup(capsys: pytest.CaptureFixture[str]) -> None:
    def page(words: str) -> str:
        root = ticket_box(
            number=0, level=0, title=words, who=words, over="", category="todo", status="", lead="", is_ended=False,
            total=0, done=0, busy=0,
        )  # fmt: skip
        return svg(root, [hostile(words)], label=words, base="/t/tickets/", here="/m/") + printed(
            root, [hostile(words)], label=words
        )

    plain = [tag for tag, _ in Tags(page("x")).found]
    usual = set(active_content(page("x")))
    bad = []
    for payload in PAYLOADS:
        html = page(payload)
        if [tag for tag, _ in Tags(html).found] != plain or set(active_content(html)) - usual:
            bad.append(payload)
    with capsys.disabled():
        print(f"\nG15 map: {len(PAYLOADS)} hostile titles, names and states, {len(bad)} became markup")
    assert len(PAYLOADS) >= 100
    assert bad == []


def test_addresses_are_escaped_too() -> None:
    root = replace(hostile("x"), level=0)
    html = svg(root, [hostile("x")], label="x", base='/t/"><script>/tickets/', here='/m/"><script>')
    assert "<script>" not in html


# -- What is left out  ------------------------------------------------------------
def test_levels_cut_the_drawing_and_say_how_much_is_below(alice: User, incident: Incident, make_ticket: Make) -> None:
    top = make_ticket("top")
    make_ticket("leaf", parent=make_ticket("middle", parent=top))
    found = drawing(outline(incident, user_id=alice.pk), incident, levels=1)
    assert [(box.number, box.left_out) for box in found.boxes] == [(101, 2)]
    assert (found.levels, found.missing, found.is_cut) == (1, 2, False)
    html = svg(found.root, found.boxes, label="Map", base="/t/", here="/m/")
    assert '<a class="more" href="/m/?branch=101"' in html


def test_a_tree_with_more_boxes_than_one_map_holds_is_cut_and_says_so(
    alice: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    tops = [make_ticket(f"branch {n}") for n in range(3)]
    found = outline(incident, user_id=alice.pk)
    from_row = found.rows[0]
    for number in range(1000, 1000 + MOST):  # rows as the database would give them
        row = type(from_row)(**{name: getattr(from_row, name) for name in type(from_row).__slots__})
        row.number, row.level, row.parent = number, 2, tops[-1].number
        found.rows.append(row)
    cut = drawing(found, incident, levels=0)
    assert (len(cut.boxes), cut.levels, cut.missing, cut.is_cut) == (3, 1, MOST, True)


def test_more_branches_at_the_top_than_one_map_holds_do_not_break_it(
    alice: User, incident: Incident, make_ticket: Make
) -> None:
    make_ticket("one")
    found = outline(incident, user_id=alice.pk)
    found.rows *= 10_000
    cut = drawing(found, incident, levels=0)
    assert (len(cut.boxes), cut.missing) == (MOST, 10_000 - MOST)


# -- The page  ------------------------------------------------------------
def address(incident: Incident, query: str = "") -> str:
    return reverse("tickets:map", kwargs={"number": incident.number}) + query


@pytest.mark.parametrize("count", [3, 300])
def test_the_page_asks_as_many_questions_for_three_tickets_as_for_three_hundred(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser, django_assert_max_num_queries: Any, count: int
) -> None:
    top = make_ticket("top")
    for number in range(count - 1):
        make_ticket(f"leaf {number}", parent=top, assignee=bob)
    browser = client_of(bob)
    browser.get(address(incident))
    with django_assert_max_num_queries(7):
        page = browser.get(address(incident))
    assert page.content.decode().count('class="box"') == count + 1


def test_a_poll_of_an_unchanged_map_costs_no_drawing(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    make_ticket("one")
    browser = client_of(bob)
    first = browser.get(address(incident), headers={"HX-Request": "true"})
    tag = first["HX-PTag"]
    assert f'hx-ptag="{tag}"' in first.content.decode()
    again = browser.get(address(incident), headers={"HX-Request": "true", "HX-PTag": tag})
    assert (again.status_code, again.content) == (304, b"")
    make_ticket("two")
    assert browser.get(address(incident), headers={"HX-Request": "true", "HX-PTag": tag}).status_code == 200


def test_one_branch_can_be_drawn_alone(bob: User, incident: Incident, make_ticket: Make, client_of: Browser) -> None:
    top, _ = make_ticket("Domain controller"), make_ticket("Something else")
    make_ticket("Golden ticket", parent=top)
    html = client_of(bob).get(address(incident, "?branch=101")).content.decode()
    assert 'id="m102"' not in html
    assert 'id="m103"' in html
    assert 'data-top="101"' in html


@pytest.mark.parametrize("query", ["?branch=999", "?branch=100", "?branch=x", "?branch=²", "?branch=99999999999999"])
def test_a_branch_that_is_none_is_not_found(bob: User, incident: Incident, client_of: Browser, query: str) -> None:
    assert client_of(bob).get(address(incident, query)).status_code == 404


def test_nonsense_in_the_address_draws_the_whole_tree(
    bob: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    make_ticket("below", parent=make_ticket("top"))
    html = client_of(bob).get(address(incident, "?levels=-1")).content.decode()
    assert 'id="m102"' in html


def test_who_may_not_work_or_a_closed_incident_gets_nothing_to_drag(
    alice: User, bob: User, carol: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    make_ticket("one")
    assert "data-move" in client_of(bob).get(address(incident)).content.decode()
    assert "data-move" not in client_of(carol).get(address(incident)).content.decode()
    Incident.objects.update(status="closed")
    assert "data-move" not in client_of(bob).get(address(incident)).content.decode()


def test_a_restricted_incident_has_no_map_for_outsiders(
    bob: User, mallory: User, secret: Incident, client_of: Browser
) -> None:
    assert client_of(bob).get(address(secret)).status_code == 200
    assert client_of(mallory).get(address(secret)).status_code == 404


def test_columns_leave_room_for_lines_between_them() -> None:
    assert GAP >= 20
    assert WIDTH > LEFT + RIGHT + 100
