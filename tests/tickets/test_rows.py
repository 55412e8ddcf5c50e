"""The lines of the tree: what they say, what a filter leaves, and that no title becomes markup."""

import datetime as dt
import json
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tests.security.test_markup import active_content
from tickets.actions import tickets as actions
from tickets.models import Ticket
from tickets.queries.outline import Outline, Row, outline
from tickets.rows import clock, folding, rows_html, shown_rows

PAYLOADS = [
    entry["payload"]
    for entry in json.loads((Path(__file__).parents[1] / "security" / "payloads.json").read_text(encoding="utf-8"))
    if entry["group"] == "markdown_html_xss"
]
NOW = dt.datetime(2026, 11, 20, 12, 0, tzinfo=dt.UTC)


def html_of(found: Outline, *, base: str, levels: int = 0, flipped: Iterable[int] = (), **options: Any) -> str:
    """The rows as they are before anybody opened or closed one, but for these."""
    folds = folding(found, levels=levels, flipped=flipped)
    return rows_html(folds, shown_rows(folds), base=base, **options)


def row(number: int = 101, **fields: Any) -> Row:
    values: dict[str, Any] = {
        "pk": number, "parent_id": 1, "number": number, "level": 1, "version": 1, "title": "Image the disk",
        "headline": "", "category": "todo", "status": "Open", "priority": "Normal", "urgency": 20, "waiting_for": "",
        "lead": False, "disposition": "", "shared": False, "automated": False, "clock_at": None, "clock_state": "",
        "finished_at": None, "comments": 0, "files": 0, "assignee_id": None, "name": None, "username": None,
        "customer_id": None, **fields,
    }  # fmt: skip
    return Row(**values)


class Cells(HTMLParser):
    """Tags with their attributes, in order, and the text of each ticket's link."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.titles: list[str] = []
        self._in_title = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append((tag, dict(attrs)))
        self._in_title = tag == "a" and ("class", "t") in attrs
        if self._in_title:
            self.titles.append("")

    def handle_endtag(self, tag) -> None:
        self._in_title = False

    def handle_data(self, data) -> None:
        if self._in_title:
            self.titles[-1] += data

    @property
    def rows(self) -> dict[str, dict[str, str | None]]:
        return {str(attrs["data-id"]): attrs for tag, attrs in self.tags if tag == "tr"}


def shown(html: str) -> Cells:
    return Cells(html)


def test_rows_stand_in_the_order_of_the_tree_with_level_place_and_size(alice, incident, make_ticket) -> None:
    first, _ = make_ticket("A"), make_ticket("B")
    make_ticket("A one", parent=first)
    make_ticket("A two", parent=first)
    found = shown(html_of(outline(incident, user_id=alice.pk), base="/t/"))
    assert found.titles == ["A", "A one", "A two", "B"]
    two = found.rows["104"]
    assert (two["aria-level"], two["aria-posinset"], two["aria-setsize"]) == ("2", "2", "2")
    assert (two["data-parent"], two["data-url"], two["data-version"]) == ("101", "/t/104/", "1")
    assert "aria-expanded" not in two
    assert found.rows["101"]["aria-expanded"] == "true"
    assert [attrs["tabindex"] for attrs in found.rows.values()] == ["0", "-1", "-1", "-1"]


def test_the_root_is_never_shown(alice, incident, make_ticket) -> None:
    make_ticket("A")
    assert [row.number for row in outline(incident, user_id=alice.pk).rows] == [101]


def test_a_branch_counts_what_is_below_it_at_any_depth(alice, bob, incident, make_ticket) -> None:
    top = make_ticket("top")
    middle = make_ticket("middle", parent=top, due_at=timezone.now() - dt.timedelta(hours=1))
    done, busy = make_ticket("done", parent=middle), make_ticket("busy", parent=middle)
    actions.set_status(actor=bob, ticket=done, status="done")
    actions.set_status(actor=bob, ticket=busy, status="doing")
    found = outline(incident, user_id=alice.pk)
    below = found.rows[0]
    assert (below.total, below.done, below.busy, below.over) == (3, 1, 1, 1)
    assert (found.done, found.busy, found.counts["over"], found.counts["all"]) == (1, 1, 1, 4)
    assert 'title="1 overdue below"' in html_of(found, base="/t/")


def test_a_ticket_that_does_something_by_itself_has_a_mark_in_words(incident, make_ticket) -> None:
    make_ticket("one")
    plain = html_of(outline(incident, user_id=None), base="/t/")
    Ticket.objects.filter(number=101).update(automated=True)
    marked = html_of(outline(incident, user_id=None), base="/t/")
    words = "Carries something out by itself"
    assert words not in plain
    assert f'<span title="{words}">' in marked
    assert f'<span class="visually-hidden">{words}</span>' in marked


def test_closed_levels_hide_what_is_below_them(alice, incident, make_ticket) -> None:
    top = make_ticket("top")
    make_ticket("below", parent=make_ticket("middle", parent=top))
    rows = shown(html_of(outline(incident, user_id=alice.pk), base="/t/", levels=2)).rows
    assert [("hidden" in rows[number], rows[number].get("aria-expanded")) for number in ("101", "102", "103")] == [
        (False, "true"), (False, "false"), (True, None),
    ]  # fmt: skip


def test_a_filter_keeps_the_branches_above_a_hit_dimmed(alice, bob, incident, make_ticket) -> None:
    top, other = make_ticket("top"), make_ticket("other")
    make_ticket("mine", parent=top, assignee=bob)
    make_ticket("not mine", parent=other, assignee=alice)
    found = shown(html_of(outline(incident, user_id=bob.pk, show="mine"), base="/t/", levels=1))
    assert found.titles == ["top", "mine"]
    assert found.rows["101"]["class"] == "is-dim"
    assert found.rows["103"]["class"] == ""
    assert "hidden" not in found.rows["103"]


@pytest.mark.parametrize(
    ("show", "titles"),
    [
        ("all", ["lead", "late", "shared", "bob's"]), ("leads", ["lead"]), ("over", ["late"]), ("shared", ["shared"]),
        ("mine", ["bob's"]), ("nobody", ["lead", "late", "shared"]), ("nonsense", ["lead", "late", "shared", "bob's"]),
    ],
)  # fmt: skip
def test_each_filter_shows_what_its_pill_counts(bob, incident, make_ticket, show, titles) -> None:
    make_ticket("lead", lead=True)
    make_ticket("late", due_at=timezone.now() - dt.timedelta(hours=1))
    make_ticket("shared", shared=True)
    make_ticket("bob's", assignee=bob)
    found = outline(incident, user_id=bob.pk, show=show)
    assert shown(html_of(found, base="/t/")).titles == titles
    assert found.counts[found.show] == len(titles)


@pytest.mark.parametrize(("text", "titles"), [("BEACON", ["Beacon"]), ("#102", ["Disk"]), ("nothing like it", [])])
def test_the_text_filter_finds_words_and_numbers(bob, incident, make_ticket, text, titles) -> None:
    make_ticket("Beacon")
    make_ticket("Disk")
    assert shown(html_of(outline(incident, user_id=bob.pk, text=text), base="/t/")).titles == titles


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"clock_at": NOW + dt.timedelta(minutes=42)}, "soon", "42 m"),
        ({"clock_at": NOW + dt.timedelta(hours=6, minutes=28)}, "ok", "6 h 28 m"),
        ({"clock_at": NOW - dt.timedelta(minutes=18)}, "over", "18 m over"),
        ({"clock_at": NOW, "category": "done", "finished_at": NOW - dt.timedelta(hours=1)}, "met", "met"),
        ({"clock_at": NOW, "category": "done", "finished_at": NOW + dt.timedelta(hours=1)}, "late", "1 h 00 m late"),
        ({"category": "blocked", "waiting_for": "disk <image>"}, "waiting", "disk &lt;image&gt;"),
        ({"category": "blocked", "waiting_for": "disk", "clock_at": NOW - dt.timedelta(minutes=1)}, "over", "1 m over"),
    ],
)  # fmt: skip
def test_the_clock_says_what_is_left(fields, kind, words) -> None:
    html = clock(row(**fields), NOW)
    assert f'class="clock c-{kind}"' in html
    assert f"{words}</span>" in html


def test_a_ticket_without_a_time_has_no_clock() -> None:
    assert clock(row(), NOW) == ""


@pytest.mark.security
def test_no_title_name_or_reason_becomes_markup(capsys) -> None:
    plain = [
        tag
        for tag, _ in Cells(html_of(_outline([row(category="blocked", waiting_for="x", lead=True)]), base="/t/")).tags
    ]
    bad = []
    for payload in PAYLOADS:
        hostile = row(
            title=payload, category="blocked", waiting_for=payload, lead=True, assignee_id=7, name=payload, username="x"
        )
        html = html_of(_outline([hostile]), base="/t/")
        found = Cells(html)
        same = [text.replace("\r", "\n") for text in found.titles] == [payload.replace("\r", "\n")]
        if len(found.tags) != len(plain) or not same or _active(html):
            bad.append(payload)
    with capsys.disabled():
        print(f"\nG15 rows: {len(PAYLOADS)} hostile titles, names and reasons, {len(bad)} became markup")
    assert len(PAYLOADS) >= 100
    assert bad == []


def _active(html: str) -> list[str]:
    """What runs, but for the marks and buttons that are ours."""
    return [item for item in active_content(html) if item not in {"svg", "button", "tr[id]"}]


def _outline(rows: list[Row]) -> Outline:
    return Outline(rows=rows, show="all", text="", now=NOW)


def test_without_escaping_the_same_titles_would_be_active() -> None:
    assert sum(bool(_active(f'<a class="t">{payload}</a>')) for payload in PAYLOADS) >= 50


def test_the_address_of_the_incident_is_escaped_too() -> None:
    html = html_of(_outline([row()]), base='/incidents/"><script>/tickets/')
    assert "<script>" not in html
