"""The map of a tree as one SVG: boxes, and lines from each to those below it. Built as the rows of tickets.rows are.

On a page style sheet and sprite dress it, and each box is a link. Printed (in a report) it stands alone: a laid-out
document takes no style sheet into its drawings, so everything is said by attributes, and nothing is a link.
"""

from collections.abc import Sequence

from django.templatetags.static import static
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from tickets.queries.map import GAP, HEIGHT, WIDTH, Box, places, tree_top
from tickets.textwidth import fitted

TITLE_SIZE, ABOUT_SIZE = 11.5, 10
LEFT, RIGHT = 26, 6  # of the text in its box
EDGE = 2  # around the drawing, for frames
MORE = 40  # room for the link to what is below a box that is cut off

INK, GREY, PAPER, SOFT, LINE = "#151c27", "#5a6576", "#ffffff", "#f0f2f5", "#c6cdd6"
LEAD, OVER, DONE, BUSY, NONE = "#5a3ec0", "#ad0f2c", "#0b6a51", "#1a5bb0", "#e4e8ed"
STATE_INKS = {"open": GREY, "doing": BUSY, "waiting": "#855600", "done": DONE, "dropped": GREY}
RING = '<circle cx="8" cy="8" r="6.25" fill="none" stroke="{ink}" stroke-width="1.5"/>'
DISC = '<circle cx="8" cy="8" r="7" fill="{ink}"/>'
SHAPES = {  # the marks of static/icons.svg, for where no other file can be asked
    "open": RING,
    "doing": RING + '<path d="M8 4a4 4 0 0 1 0 8z" fill="{ink}"/>',
    "waiting": RING + '<path d="M6.3 5.7v4.6M9.7 5.7v4.6" fill="none" stroke="{ink}" stroke-width="1.6"/>',
    "done": DISC + '<path d="m4.8 8.2 2.2 2.2 4.2-4.6" fill="none" stroke="#ffffff" stroke-width="1.8"/>',
    "dropped": RING + '<path d="m5.8 5.8 4.4 4.4m0-4.4-4.4 4.4" fill="none" stroke="{ink}" stroke-width="1.5"/>',
    "root": RING + '<circle cx="8" cy="8" r="2.5" fill="{ink}"/>',
}


def svg(root: Box, boxes: Sequence[Box], *, label: str, base: str, here: str) -> SafeString:
    """The map for a page. `base` is the URL of the incident's tickets, `here` that of its map.

    The root's box has no ticket: it leads to the outline, and what is dropped on it goes to the top.
    """
    tops = places([box.level for box in boxes])
    edges = _edges(root, boxes, tops)
    drawn = [_link(root, tree_top([box.level for box in boxes], tops), base=base, here=here)]
    drawn += [_link(box, top, base=base, here=here) for box, top in zip(boxes, tops, strict=True)]
    has_more = any(box.left_out for box in boxes)
    wide, high = size(boxes, tops)
    return mark_safe(
        f'<svg class="map" id="map-drawing" viewBox="{-EDGE} {-EDGE} {wide + (MORE if has_more else 0)} {high}"'
        f' width="{wide + (MORE if has_more else 0)}" height="{high}" role="group" aria-label="{escape(label)}">'
        f'<path class="edge" d="{edges}"/>{"".join(drawn)}</svg>'
    )


def printed(root: Box, boxes: Sequence[Box], *, label: str) -> SafeString:
    """The same drawing for a document: nothing outside it is needed, nothing in it is a link."""
    tops = places([box.level for box in boxes])
    drawn = [_plain(root, tree_top([box.level for box in boxes], tops))]
    drawn += [_plain(box, top) for box, top in zip(boxes, tops, strict=True)]
    wide, high = size(boxes, tops)
    return mark_safe(
        f'<svg class="map" viewBox="{-EDGE} {-EDGE} {wide} {high}" width="{wide}" height="{high}" role="img"'
        f' aria-label="{escape(label)}"><g font-family="Segoe UI, Inter, Noto Sans, sans-serif">'
        f'<path fill="none" stroke="{LINE}" stroke-width="1.5" d="{_edges(root, boxes, tops)}"/>'
        f"{''.join(drawn)}</g></svg>"
    )


def size(boxes: Sequence[Box], tops: Sequence[float]) -> tuple[int, int]:
    """Width and height of the drawing."""
    columns = 1 + max((box.level for box in boxes), default=0)
    lowest = max(tops, default=0.0)
    return columns * (WIDTH + GAP) - GAP + 2 * EDGE, round(lowest) + HEIGHT + 2 * EDGE


def _edges(root: Box, boxes: Sequence[Box], tops: Sequence[float]) -> str:
    """One path: from the right side of each box to the left side of each of its children."""
    levels = [box.level for box in boxes]
    above = {root.level: tree_top(levels, tops)}
    lines = []
    for level, top in zip(levels, tops, strict=True):
        above[level] = top
        x = level * (WIDTH + GAP)
        y, up = top + HEIGHT / 2, above[level - 1] + HEIGHT / 2
        lines.append(f"M{x - GAP} {up:.1f}H{x - GAP // 2}V{y:.1f}H{x}")
    return "".join(lines)


def _texts(box: Box) -> tuple[str, str]:
    """Title and the line below it, cut where the box ends."""
    room = WIDTH - LEFT - RIGHT
    title, about = fitted(box.title, size=TITLE_SIZE, room=room), fitted(box.about, size=ABOUT_SIZE, room=room)
    return escape(title), escape(about)


def _place(box: Box, top: float) -> str:
    return f'transform="translate({box.level * (WIDTH + GAP)} {top:.1f})"'


def _bars(box: Box, *, none: str, done: str, busy: str) -> str:
    """What is below it at the foot of the box: all, what is done, what is worked on; each with its dress."""
    if not box.total:
        return ""
    long = WIDTH - 10
    first, second = box.done / box.total * long, box.busy / box.total * long
    at = f'y="{HEIGHT - 4}" height="3"'
    return (
        f'<rect {none} x="5" {at} width="{long}"/><rect {done} x="5" {at} width="{first:.1f}"/>'
        f'<rect {busy} x="{5 + first:.1f}" {at} width="{second:.1f}"/>'
    )


def _more(box: Box, here: str) -> str:
    """Behind a box that is cut off: how much is below it, as a link to the map of that branch."""
    if not box.left_out:
        return ""
    words = f"Map of the {box.left_out} below #{box.number}"
    return (
        f'<a class="more" href="{escape(here)}?branch={box.number}"><title>{words}</title>'
        f'<rect x="{WIDTH + 3}" y="4" width="{MORE - 4}" height="{HEIGHT - 8}" rx="4"/>'
        f'<text x="{WIDTH + 1 + MORE / 2}" y="20" text-anchor="middle">+{box.left_out}</text></a>'
    )


def _link(box: Box, top: float, *, base: str, here: str) -> str:
    kinds = [("is-lead", box.is_lead), ("is-over", box.is_over), ("is-done", box.is_ended), ("is-root", not box.number)]
    css = " ".join(["node", f"c-{box.state}", *(name for name, fits in kinds if fits)])
    title, about = _texts(box)
    where = f"{base}{box.number}/" if box.number else f"{base.removesuffix('tickets/')}tree/"
    bars = _bars(box, none='class="bar"', done='class="fill"', busy='class="fillp"')
    return (
        f'<g {_place(box, top)}><a class="{css}" id="m{box.number}" data-id="{box.number}" data-level="{box.level}"'
        f' data-version="{box.version}" href="{escape(where)}">'
        f'<title>{escape(box.words)}</title><rect class="box" width="{WIDTH}" height="{HEIGHT}" rx="5"/>{bars}'
        f'<use href="{escape(static("icons.svg"))}#{box.mark}" x="8" y="5" width="12" height="12"/>'
        f'<text x="{LEFT}" y="14">{title}</text><text class="sub" x="{LEFT}" y="25.5">{about}</text></a>'
        f"{_more(box, here)}</g>"
    )


def _plain(box: Box, top: float) -> str:
    frame, thick = (OVER, 2) if box.is_over else (LEAD, 1.6) if box.is_lead else (LINE, 1)
    title, about = _texts(box)
    bars = _bars(box, none=f'fill="{NONE}"', done=f'fill="{DONE}"', busy=f'fill="{BUSY}"')
    shape = SHAPES.get(box.state, SHAPES["root"]).format(ink=STATE_INKS.get(box.state, GREY))
    return (
        f'<g {_place(box, top)}><rect width="{WIDTH}" height="{HEIGHT}" rx="5" fill="{SOFT if box.is_ended else PAPER}"'
        f' stroke="{frame}" stroke-width="{thick}"/>{bars}<g transform="translate(8 5) scale(0.75)">{shape}</g>'
        f'<text x="{LEFT}" y="14" font-size="{TITLE_SIZE}" fill="{INK}">{title}</text>'
        f'<text x="{LEFT}" y="25.5" font-size="{ABOUT_SIZE}" fill="{GREY}">{about}</text></g>'
    )
