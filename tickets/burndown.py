"""The chart of a burn-down as figures for its SVG: the template draws what is measured here."""

import datetime as dt
from dataclasses import dataclass

from tickets.queries.leads import Day

WIDTH, HEIGHT = 340, 170
LEFT, RIGHT, TOP, BOTTOM = 24, 8, 10, 22
WIDEST = 14.0  # of one bar
MOST_TICKS = 5
MOST_LABELS = 5


@dataclass(frozen=True)
class Bar:
    """Opened or disposed on one day, with its words for whoever points at it."""

    x: str
    y: str
    width: str
    height: str
    words: str


@dataclass(frozen=True)
class Chart:
    """Bars of two series, the line of what is open, and the axes; all in units of the view box."""

    opened: list[Bar]
    disposed: list[Bar]
    line: str  # points of a polyline
    dots: list[tuple[str, str, str]]  # x, y, words
    ticks: list[tuple[str, int]]  # y, count
    labels: list[tuple[str, dt.date]]  # x, day
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    base: int = HEIGHT - BOTTOM


def chart(days: list[Day]) -> Chart | None:
    """The chart of these days; None without any."""
    if not days:
        return None
    most = max(1, *(max(day.opened, day.disposed, day.left) for day in days))
    every = -(-most // (MOST_TICKS - 1))
    top = every * -(-most // every)
    room, tall = (WIDTH - LEFT - RIGHT) / len(days), HEIGHT - TOP - BOTTOM
    wide = min(room * 0.38, WIDEST)

    def height(count: int) -> float:
        return tall * count / top

    def bar(at: int, count: int, side: int, words: str) -> Bar:
        middle = LEFT + room * (at + 0.5)
        x = middle - wide - 0.5 if side == 0 else middle + 0.5
        return Bar(_f(x), _f(TOP + tall - height(count)), _f(wide), _f(height(count)), words)

    points = [(_f(LEFT + room * (at + 0.5)), _f(TOP + tall - height(day.left))) for at, day in enumerate(days)]
    skip = -(-len(days) // MOST_LABELS)
    return Chart(
        opened=[bar(at, day.opened, 0, f"{day.opened} opened") for at, day in enumerate(days) if day.opened],
        disposed=[bar(at, day.disposed, 1, f"{day.disposed} disposed") for at, day in enumerate(days) if day.disposed],
        line=" ".join(f"{x},{y}" for x, y in points),
        dots=[(x, y, f"{day.left} open") for (x, y), day in zip(points, days, strict=True)],
        ticks=[(_f(TOP + tall - height(count)), count) for count in range(0, top + 1, every)],
        labels=[(points[at][0], day.day) for at, day in enumerate(days) if at % skip == 0],
    )


def _f(number: float) -> str:
    return f"{number:.1f}"
