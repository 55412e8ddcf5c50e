"""The board of an incident: its leaf tickets as cards, in columns by category, in lanes by person or branch.

One query for the tickets (the outline) and one for the statuses; everything else is reckoned from the rows.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.templatetags.treeline import STATES
from people.models import User
from tickets.models import Category
from tickets.models.vocabulary import FIRST, TicketStatus
from tickets.queries.outline import Outline, Row, is_late

SHOWS = {"all": "All", "mine": "Mine", "over": "Overdue", "leads": "Leads", "nobody": "Unassigned"}
GROUPS = {"status": "Status", "person": "Person", "branch": "Branch"}
RECENT = dt.timedelta(hours=24)  # how long what is done stays on the board by itself
MOST = 200  # cards of one column of one lane: nobody reads more
PAGE = 600  # cards of all lanes together, that a browser draws at once
FEWER = (MOST, 100, 50, 30, 20)  # of each column, where many lanes share the page
MOST_BRANCHES = 500
COLUMNS = (Category.TODO, Category.DOING, Category.BLOCKED, Category.DONE)


@dataclass(frozen=True)
class Asked:
    """What the address of a board asks for; whatever makes no sense there is as if it was not asked."""

    show: str = "all"
    group: str = "status"
    branch: int = 0
    all_done: bool = False
    dropped: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A ticket without any below it, and the branches above it from the top."""

    row: Row
    path: str
    person: User | None
    is_late: bool


@dataclass
class Column:
    """What is in one category; `status` is the code that a card dropped here gets, `total` counts the cut ones too."""

    category: Category
    status: str
    cards: list[Card] = field(default_factory=list)
    total: int = 0

    @property
    def state(self) -> str:
        """What its mark is named by, and the class that colours it."""
        return STATES[self.category]

    @property
    def more(self) -> int:
        """How many cards there are beyond those shown."""
        return self.total - len(self.cards)


@dataclass
class Lane:
    """Cards that share a person or a branch; without grouping there is one. `key`: what a drop into it means."""

    key: str
    name: str
    columns: list[Column]
    person: User | None = None

    @property
    def total(self) -> int:
        """All its cards."""
        return sum(column.total for column in self.columns)


@dataclass
class Board:
    """All lanes, the counts of the filters, and what is left out: done long ago, dropped."""

    lanes: list[Lane]
    asked: Asked
    counts: dict[str, int]
    branches: list[Row]
    done_before: int
    dropped: int

    @property
    def pills(self) -> list[tuple[str, str, int]]:
        """Key, words and count of each filter."""
        return [(key, words, self.counts[key]) for key, words in SHOWS.items()]

    @property
    def total(self) -> int:
        """All cards that fit the filter."""
        return sum(lane.total for lane in self.lanes)


def board(outline: Outline, statuses: list[TicketStatus], *, asked: Asked, reader: User) -> Board:
    """The board that is asked for, of the outline's rows; `statuses` are those that tickets can be given, in order."""
    cards, now = _cards(outline), outline.now
    if asked.branch:
        inside = _inside(outline, asked.branch)
        cards = [card for card in cards if card.row.number in inside]
    old = {
        card.row.number for card in cards if card.row.category == Category.DONE and not _recent(card.row, now)
    }  # fmt: skip
    dropped = sum(card.row.category == Category.DROPPED for card in cards)
    cards = [card for card in cards if asked.all_done or card.row.number not in old]
    cards = [card for card in cards if asked.dropped or card.row.category != Category.DROPPED]
    tests = _tests(reader)
    counts = {key: sum(map(test, cards)) for key, test in tests.items()}
    shown = [card for card in cards if tests[asked.show](card)]
    return Board(
        lanes=_lanes(shown, outline, statuses, asked=asked), asked=asked, counts=counts, done_before=len(old),
        branches=[row for row in outline.rows if row.total][:MOST_BRANCHES], dropped=dropped,
    )  # fmt: skip


def _recent(row: Row, now: dt.datetime) -> bool:
    return row.finished_at is not None and now - row.finished_at < RECENT


def _tests(reader: User) -> dict[str, Callable[[Card], bool]]:
    return {
        "all": lambda _: True,
        "mine": lambda card: card.row.assignee_id == reader.pk,
        "over": lambda card: card.is_late,
        "leads": lambda card: card.row.lead,
        "nobody": lambda card: card.row.assignee_id is None,
    }


def _cards(outline: Outline) -> list[Card]:
    """The leaves in tree order, each with its path and its person; people and paths are made once."""
    paths: dict[int | None, str] = {None: ""}
    people: dict[int, User] = {}
    cards = []
    for row in outline.rows:
        if row.total:
            above = paths[row.parent]
            paths[row.number] = f"{above} / {row.title}" if above else row.title
            continue
        late = is_late(row, outline.now)
        cards.append(Card(row=row, path=paths[row.parent], person=_person(row, people), is_late=late))
    return cards


def _person(row: Row, known: dict[int, User]) -> User | None:
    if row.assignee_id is None:
        return None
    if row.assignee_id not in known:
        known[row.assignee_id] = User(
            pk=row.assignee_id, name=row.name or "", username=row.username or "", customer_id=row.customer_id
        )
    return known[row.assignee_id]


def _inside(outline: Outline, number: int) -> set[int]:
    """The numbers of a branch, its head among them."""
    found: set[int] = set()
    for row in outline.rows:
        if row.number == number or row.parent in found:
            found.add(row.number)
    return found


def _top(outline: Outline) -> dict[int, Row | None]:
    """Number of each ticket → the branch at the top that it is in; None for what is at the top without one."""
    found: dict[int, Row | None] = {}
    for row in outline.rows:
        found[row.number] = found[row.parent] if row.parent is not None else row if row.total else None
    return found


def _lanes(cards: list[Card], outline: Outline, statuses: list[TicketStatus], *, asked: Asked) -> list[Lane]:
    """Of people: nobody first, then by name. Of branches: in tree order, what is in none last."""
    if asked.group == "person":
        people = {card.row.assignee_id: card.person for card in cards}
        order = sorted(people.items(), key=lambda one: (one[1] is not None, str(one[1] or "").casefold(), one[0] or 0))
        lanes = {pk: Lane(str(pk or ""), str(person or "Nobody yet"), [], person) for pk, person in order}
        return _filled(lanes, cards, statuses, key=lambda card: card.row.assignee_id, asked=asked)
    if asked.group == "branch":
        top = _top(outline)
        heads = {head.number: head for card in cards if (head := top[card.row.number]) is not None}
        by_branch = {number: Lane(str(number), f"#{number} {head.title}", []) for number, head in heads.items()}
        by_branch[0] = Lane("", "In no branch", [])
        found = _filled(by_branch, cards, statuses, key=lambda card: _number(top[card.row.number]), asked=asked)
        return [lane for lane in found if lane.total or lane.key]
    return _filled({0: Lane("", "", [])}, cards, statuses, key=lambda _: 0, asked=asked)


def _number(head: Row | None) -> int:
    return head.number if head else 0


def _filled(
    lanes: Mapping[Any, Lane], cards: list[Card], statuses: list[TicketStatus], *,
    key: Callable[[Card], object], asked: Asked,
) -> list[Lane]:  # fmt: skip
    """The lanes with all their columns, and each card in its place as far as it is shown."""
    first: dict[str, str] = {str(category): code for category, code in FIRST.items()}
    first |= {status.category: status.code for status in reversed(statuses)}
    names = (*COLUMNS, Category.DROPPED) if asked.dropped else COLUMNS
    for lane in lanes.values():
        lane.columns = [Column(category=name, status=first[name]) for name in names]
    places = {(at, column.category): column for at, lane in lanes.items() for column in lane.columns}
    for card in cards:
        column = places[key(card), Category(card.row.category)]
        column.total += 1
        if len(column.cards) < MOST:
            column.cards.append(card)
    most = _fitting([column.total for column in places.values()])
    for column in places.values():
        del column.cards[most:]
    return list(lanes.values())


def _fitting(totals: list[int]) -> int:
    """How many cards each column shows, so that all lanes together stay one page; the fewest where none fits."""
    return next((most for most in FEWER if sum(min(total, most) for total in totals) <= PAGE), FEWER[-1])
