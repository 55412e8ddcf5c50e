"""The tree as drawings for pages of a report: as deep as it stays readable, and no more pages than somebody turns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tickets.map import printed
from tickets.queries.map import Box

LINES = 22  # boxes one above the other on a page: more would be too small to read
LEVELS = 3  # beside the root: so many columns are as wide as a page of so many lines is high
PAGES = 6


@dataclass(frozen=True)
class Sheet:
    """One page: the drawing, which it is of how many, and how many tickets after or below its boxes are not drawn."""

    drawing: str  # SVG, safe to show
    number: int
    pages: int
    missing: int


def sheets(root: Box, boxes: Sequence[Box]) -> list[Sheet]:
    """The drawings of a tree, whose boxes come in tree order with nothing left out; none of an empty one."""
    every = pages(boxes)
    drawn = sum(len(page) for page in every)
    beyond = len(boxes) - drawn - sum(box.left_out for page in every for box in page)  # on pages there are none of
    found = []
    for number, page in enumerate(every, 1):
        words = f"Map of the tickets, page {number} of {len(every)}"
        missing = sum(box.left_out for box in page) + (beyond if number == len(every) else 0)
        found.append(Sheet(printed(root, page, label=words), number, len(every), missing))
    return found


def pages(boxes: Sequence[Box]) -> list[list[Box]]:
    """The boxes of each page, at the deepest level that gives few enough pages; of even more, the first pages."""
    branches = list(_branches(boxes))
    found: list[list[Box]] = []
    for levels in range(LEVELS, 0, -1):
        found = list(_packed([_cut(branch, levels) for branch in branches]))
        if len(found) <= PAGES:
            return found
    return found[:PAGES]


def _branches(boxes: Sequence[Box]) -> Iterator[list[Box]]:
    """Each ticket of the highest level with all below it."""
    branch: list[Box] = []
    for box in boxes:
        if box.level == 1 and branch:
            yield branch
            branch = []
        branch.append(box)
    if branch:
        yield branch


def _cut(branch: list[Box], levels: int) -> list[Box]:
    """The branch down to `levels`, or less deep if it fills more than a page."""
    for depth in range(levels, 0, -1):
        kept = [replace(box, left_out=box.total) if box.level == depth else box for box in branch if box.level <= depth]
        if lines(kept) <= LINES:
            return kept
    return [replace(branch[0], left_out=branch[0].total)]


def _packed(branches: Sequence[list[Box]]) -> Iterator[list[Box]]:
    """Branches in order, as many on each page as its lines hold."""
    page: list[Box] = []
    for branch in branches:
        if page and lines(page) + lines(branch) > LINES:
            yield page
            page = []
        page = [*page, *branch]
    if page:
        yield page


def lines(boxes: Sequence[Box]) -> int:
    """How many boxes stand one above the other: the leaves of what is drawn."""
    return sum(at + 1 == len(boxes) or boxes[at + 1].level <= box.level for at, box in enumerate(boxes))
