"""The tree as boxes: which are drawn, what stands in them, and where. Reckoned from an outline's rows, no queries."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.templatetags.treeline import LEADS, STAGES, STATES, duration
from incidents.models import Incident
from tickets.models import Ticket
from tickets.queries.outline import Outline, Row, is_late

MOST = 300  # boxes of one map: more are neither drawn nor found by anybody
WIDTH, HEIGHT = 304, 33  # of a box
GAP, STEP, APART = 34, 6, 6  # between columns, between boxes of one column, more between the branches at the top
ROOT = 0  # the number of the box that stands for the whole tree


@dataclass(frozen=True, slots=True)
class Box:
    """One ticket as drawn. `words` are for screen readers; `left_out` counts what is below it and not drawn."""

    number: int
    level: int  # 1 for the highest; 0 is the root
    title: str
    about: str
    words: str
    state: str  # class that colours its mark
    mark: str  # in static/icons.svg
    is_lead: bool = False
    is_over: bool = False
    is_ended: bool = False
    total: int = 0
    done: int = 0
    busy: int = 0
    left_out: int = 0
    version: int = 0


@dataclass(frozen=True)
class Drawing:
    """The boxes of a map in tree order without the root; `missing` counts the tickets that have none."""

    root: Box
    boxes: list[Box]
    levels: int  # how deep it is drawn
    missing: int
    is_cut: bool  # whether more was asked for than one map holds


def places(levels: Sequence[int]) -> list[float]:
    """The upper edge of each box, of a tree given by the levels of its boxes in tree order (the first is 1).

    Each leaf has a line of its own, in order; a branch stands in the middle between its first and its last child.
    """
    tops = [0.0] * len(levels)
    y = 0.0
    for at, level in enumerate(levels):
        if at and level == min(levels):
            y += APART
        if at + 1 == len(levels) or levels[at + 1] <= level:  # a leaf
            tops[at] = y
            y += HEIGHT + STEP
    first: dict[int, float] = {}  # level → the highest child seen, going up
    last: dict[int, float] = {}
    for at in range(len(levels) - 1, -1, -1):
        level = levels[at]
        if level + 1 in first:
            tops[at] = (first.pop(level + 1) + last.pop(level + 1)) / 2
        first[level] = tops[at]
        last.setdefault(level, tops[at])
    return tops


def tree_top(levels: Sequence[int], tops: Sequence[float]) -> float:
    """Where the root stands: in the middle between the first and the last box of the highest level."""
    highest = [top for level, top in zip(levels, tops, strict=True) if level == 1]
    return (highest[0] + highest[-1]) / 2 if highest else 0.0


def depth_within(levels: Sequence[int], most: int) -> int:
    """The deepest level down to which there are at most so many boxes; at least 1."""
    sizes, seen, depth = Counter(levels), 0, 0
    for level in sorted(sizes):
        seen += sizes[level]
        if seen > most:
            break
        depth = level
    return max(depth, 1)


def drawing(outline: Outline, incident: Incident, *, levels: int, branch: Ticket | None = None) -> Drawing:
    """The boxes down to `levels` (0: as deep as one map holds), of the whole tree or of one branch."""
    rows = outline.rows
    deepest = max((row.level for row in rows), default=1)
    fits = depth_within([row.level for row in rows], MOST)
    wanted = min(levels or deepest, deepest)
    depth = min(wanted, fits)
    shown = [row for row in rows if row.level <= depth][:MOST]
    boxes = [_box(row, outline.now, left_out=row.total if row.level == depth else 0) for row in shown]
    root = root_of(incident, outline)
    if branch is not None:
        state = STATES.get(branch.category, "open")
        root = replace(root, title=str(branch), words=f"{branch}: {root.about}", state=state, mark=f"tk-{state}")
    missing = len(rows) - len(boxes)
    return Drawing(root=root, boxes=boxes, levels=depth, missing=missing, is_cut=missing > 0 and depth < wanted)


def root_of(incident: Incident, outline: Outline) -> Box:
    """The box that stands for all of it."""
    total, leads = len(outline.rows), outline.counts.get("leads", 0)
    return stage_box(incident, f"{outline.done} of {total} done · leads {outline.leads_done} of {leads}")


def stage_box(incident: Incident, about: str) -> Box:
    """The box of the incident itself: its title, its stage, and a line about it."""
    stage, words = list(STAGES).index(incident.status) + 1, f"{incident.title}: {about.replace(' · ', ', ')}"
    return Box(
        number=ROOT, level=0, title=incident.title, about=about, words=words,
        state=STAGES[incident.status][0], mark=f"stage-{stage}",
    )  # fmt: skip


def _box(row: Row, now: dt.datetime, *, left_out: int) -> Box:
    who = row.name or row.username or "nobody yet"
    late = is_late(row, now)
    over = f"{duration(now - row.clock_at)} over" if late and row.clock_at else ""
    return ticket_box(
        number=row.number, level=row.level, title=row.title, who=who, over=over, category=row.category,
        status=row.status, lead=LEADS.get(row.disposition, LEADS[""])[1].lower() if row.lead else "",
        is_ended=row.is_ended, total=row.total, done=row.done, busy=row.busy, left_out=left_out, version=row.version,
    )  # fmt: skip


def ticket_box(
    *, number: int, level: int, title: str, who: str, over: str, category: str, status: str, lead: str, is_ended: bool,
    total: int, done: int, busy: int, left_out: int = 0, version: int = 0,
) -> Box:  # fmt: skip
    """The box of a ticket; `over` and `lead` are words, empty where it is not late or no lead."""
    below = f"{done} of {total} done below" if total else ""
    more = f"{left_out} not drawn" if left_out else ""
    about = " · ".join(filter(None, [f"#{number}", who, over, lead, more]))
    words = ", ".join(filter(None, [f"#{number} {title}", lead, who, status, over, below, more, f"level {level}"]))
    state = STATES.get(category, "open")
    return Box(
        number=number, level=level, title=title, about=about, words=words, state=state, mark=f"tk-{state}",
        is_lead=bool(lead), is_over=bool(over), is_ended=is_ended, total=total, done=done, busy=busy,
        left_out=left_out, version=version,
    )  # fmt: skip
