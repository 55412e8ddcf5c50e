"""How wide a line of text is, told without a browser: good enough to cut it before it leaves its box.

The widths are those of DejaVu Sans, which is wider than the other fonts that pages and reports are shown in: text that
fits here fits there.
"""

import unicodedata

FIRST, LAST = 32, 126
# fmt: off
WIDTHS = (  # of the printable ASCII characters, in thousandths of the font's size
    318, 401, 460, 838, 636, 950, 780, 275, 390, 390, 500, 838, 318, 361, 318, 337,
    636, 636, 636, 636, 636, 636, 636, 636, 636, 636, 337, 337, 838, 838, 838, 531,
    1000, 684, 686, 698, 770, 632, 575, 775, 752, 295, 295, 656, 557, 863, 748, 787,
    603, 787, 695, 635, 611, 732, 684, 989, 685, 611, 685, 390, 337, 390, 838, 500,
    500, 613, 635, 550, 635, 615, 352, 635, 634, 278, 278, 579, 278, 974, 634, 612,
    635, 635, 411, 521, 392, 634, 592, 818, 592, 592, 525, 636, 337, 636, 838,
)
# fmt: on
USUAL, CAPITAL, WIDE = 700, 800, 1050  # of other scripts: letters, capitals, and what takes a whole square
MARKS = ("Mn", "Me", "Cf")  # drawn on the letter before, or not at all
ELLIPSIS = "…"


def width(text: str, size: float) -> float:
    """How wide the text is at this font size, in the same unit."""
    return sum(map(_thousandths, text)) * size / 1000


def fitted(text: str, *, size: float, room: float) -> str:
    """The text on one line, and cut with an ellipsis where it would be wider than `room`."""
    line, used = " ".join(text.split()), 0.0
    limit = room * 1000 / size
    kept, cut = 0, 0  # what fits whole, and what fits with the ellipsis behind it
    for at, letter in enumerate(line, 1):
        used += _thousandths(letter)
        if used <= limit:
            kept = at
        if used + _thousandths(ELLIPSIS) <= limit:
            cut = at
        if used > limit:
            break
    if kept == len(line):
        return line
    return line[:cut].rstrip(" ,:;-\u200d") + ELLIPSIS


def _thousandths(letter: str) -> int:
    code = ord(letter)
    if FIRST <= code <= LAST:
        return WIDTHS[code - FIRST]
    kind = unicodedata.category(letter)
    if kind in MARKS:
        return 0
    if unicodedata.east_asian_width(letter) in "WF" or code > 0xFFFF or kind == "So":
        return WIDE
    return WIDE if letter == ELLIPSIS else CAPITAL if kind == "Lu" else USUAL
