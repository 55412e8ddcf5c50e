"""How the time went, as figures for a drawing 680 units wide: undetected, until contained, since then."""

import datetime as dt
from dataclasses import dataclass
from itertools import pairwise

from core.templatetags.treeline import duration
from incidents.models import Incident

WIDTH = 680
GAP = 2
LEAST = 88  # wide enough for the time above it and a duration inside
LETTER = 7.2  # units of one letter of a label, a little more than it takes
BEFORE, OPEN, SINCE = "#8d1f6c", "#c2470a", "#1a5bb0"


@dataclass(frozen=True)
class Stretch:
    """One coloured part: where it begins, how wide it is, and what is written in it (empty if it does not fit)."""

    x: int
    width: int
    colour: str
    label: str
    words: str


@dataclass(frozen=True)
class Mark:
    """One moment: the time above the bar and what happened below it; `end` marks stand left of their place."""

    x: int
    time: str
    name: str
    end: bool = False


@dataclass(frozen=True)
class Course:
    """The whole drawing; `words` says the same for who cannot see it."""

    stretches: list[Stretch]
    marks: list[Mark]
    words: str


def _moments(incident: Incident, now: dt.datetime) -> list[tuple[dt.datetime, str, str, str]]:
    """(moment, its name, colour and name of what begins there), in order; the last one only ends."""
    found = []
    if incident.occurred_at and incident.occurred_at < incident.detected_at:
        found.append((incident.occurred_at, "first act", BEFORE, "Undetected"))
    contained = (
        incident.contained_at if incident.contained_at and incident.contained_at > incident.detected_at else None
    )
    found.append((incident.detected_at, "detected", OPEN, "Until contained" if contained else "Not contained"))
    if contained:
        found.append((contained, "contained", SINCE, "Contained"))
    end = max(incident.closed_at or now, found[-1][0])
    return [*found, (end, "closed" if incident.closed_at else "as of", "", "")]


def _widths(lengths: list[float]) -> list[int]:
    """Shares of the width, none too small to be read."""
    room, least = WIDTH - GAP * (len(lengths) - 1), LEAST
    total = sum(lengths) or 1.0
    shares = [max(least, room * length / total) for length in lengths]
    widest = shares.index(max(shares))
    shares[widest] -= sum(shares) - room
    return [round(share) for share in shares]


def _marks(moments: list[tuple[dt.datetime, str, str, str]], places: list[int]) -> list[Mark]:
    # Two labels need twice the room in the last stretch: where it is narrow, only its end is marked by time.
    wide = WIDTH - places[-1] >= 2 * LEAST
    marks = [
        Mark(x=x, time=_time(at) if wide or x != places[-1] else "", name=name)
        for (at, name, _, _), x in zip(moments, places, strict=False)
    ]
    end, name, *_ = moments[-1]
    return [*marks, Mark(x=WIDTH, time=_time(end), name=name, end=True)]


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%d %b %H:%M")


def course(incident: Incident, now: dt.datetime) -> Course:
    """The drawing for an incident as it stood at `now`."""
    moments = _moments(incident, now)
    lengths = [(after[0] - before[0]).total_seconds() for before, after in pairwise(moments)]
    stretches, x = [], 0
    for (begin, _, colour, name), (end, *_), width in zip(moments, moments[1:], _widths(lengths), strict=False):
        took = duration(end - begin)
        going = "" if incident.closed_at or end != moments[-1][0] else " so far"
        words = f"{name}, {took}{going}"
        fits = next((text for text in (words, f"{name}, {took}", took) if LETTER * len(text) + 16 <= width), "")
        stretches.append(Stretch(x=x, width=width, colour=colour, label=fits, words=words))
        x += width + GAP
    marks = _marks(moments, [stretch.x for stretch in stretches])
    return Course(stretches=stretches, marks=marks, words="; ".join(stretch.words for stretch in stretches))
