"""What differs between two texts, for somebody who must choose between them: lines, and in changed lines the words.

difflib's work grows with the square of what it is given, or worse. So what both texts begin and end with is set aside,
and what is left is compared only within bounds: words, else lines, else not at all.
"""

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

MOST_LINES = 5000  # of both texts together, without what they begin and end with
MOST_WORDS = 4000  # of all changed lines together
MOST_PAIRS = 20_000  # how often a line (or word) of the one meets the same in the other
CONTEXT = 2  # lines shown before and after a change
ALIKE = 0.3  # lines with less in common than this are replaced as a whole: words in between would be chance
_WORD = re.compile(r"\n|\S+[^\S\n]*|[^\S\n]+")


@dataclass(frozen=True)
class Piece:
    """A part of the texts: "same", "del" (only in the old one), "ins" (only in the new one), "gap" (lines left out)."""

    kind: str
    text: str = ""
    lines: int = 0


def difference(old: str, new: str) -> list[Piece] | None:
    """The pieces that lead from `old` to `new`; none where only the ends of lines differ.

    None instead of a list if they differ so much that comparing them would cost seconds (and tell nobody anything).
    """
    a, b = [[f"{line}\n" for line in text.rstrip().splitlines()] for text in (old, new)]
    head = _common(a, b)
    tail = _common(a[head:][::-1], b[head:][::-1])
    middle = a[head : len(a) - tail], b[head : len(b) - tail]
    if not any(middle):
        return []
    if not _bearable(*middle, most=MOST_LINES):
        return None
    pieces = [*_fold(a[:head], first=True), *_compared(*middle), *_fold(a[len(a) - tail :], last=True)]
    return list(_joined(pieces))


def _common(a: Sequence[str], b: Sequence[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _bearable(a: Sequence[str], b: Sequence[str], *, most: int) -> bool:
    if len(a) + len(b) > most:
        return False
    there = Counter(b)
    return sum(count * there[item] for item, count in Counter(a).items()) <= MOST_PAIRS


def _compared(a: Sequence[str], b: Sequence[str]) -> Iterator[Piece]:
    words = MOST_WORDS
    for kind, i1, i2, j1, j2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            yield from _fold(a[i1:i2])
            continue
        was, now = ("".join(part) for part in (a[i1:i2], b[j1:j2]))
        before, after = _WORD.findall(was), _WORD.findall(now)
        if was and now and _bearable(before, after, most=words):
            words -= len(before) + len(after)
            yield from _worded(before, after)
        else:
            yield from (Piece("del", was), Piece("ins", now))


def _worded(a: Sequence[str], b: Sequence[str]) -> Iterator[Piece]:
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < ALIKE:
        yield from (Piece("del", "".join(a)), Piece("ins", "".join(b)))
        return
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            yield Piece("same", "".join(a[i1:i2]))
        else:
            yield from (Piece("del", "".join(a[i1:i2])), Piece("ins", "".join(b[j1:j2])))


def _fold(lines: Sequence[str], *, first: bool = False, last: bool = False) -> Iterator[Piece]:
    """Lines that are the same: only those next to a change, and how many were left out."""
    before, after = 0 if first else CONTEXT, 0 if last else CONTEXT
    gap = len(lines) - before - after
    if gap < 2:
        yield Piece("same", "".join(lines))
        return
    yield Piece("same", "".join(lines[:before]))
    yield Piece("gap", lines=gap)
    yield Piece("same", "".join(lines[len(lines) - after :]))


def _joined(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Without empty pieces, neighbours of one kind as one."""
    kept: Piece | None = None
    for piece in pieces:
        if piece.kind != "gap" and not piece.text:
            continue
        if kept and kept.kind == piece.kind == "same":
            kept = Piece("same", kept.text + piece.text)
            continue
        if kept:
            yield kept
        kept = piece
    if kept:
        yield kept
