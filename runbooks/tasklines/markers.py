"""The line of a ticket: a title, with markers before and after it.

A marker is a word (between spaces) that begins with one of `@ # ! ~`. Only words before the first and after the
last word of a title are markers: “Ask @ada about #109” is a title. A backslash before the sign makes any word text.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from runbooks.tasklines.characters import OVERRIDES, is_visible, named
from runbooks.tasklines.document import MOST_TITLE, Task

MOST_MINUTES = 365 * 24 * 60
MOST_TAGS = 20
MOST_TAG = 40
MOST_NAME = 150
MOST_MARKERS = MOST_TAGS + 4
MOST_LINE = 4_000
"""Characters of a title with its markers; more is never right, and not worth taking apart."""

_WORD = re.compile(r"\S+")
_ESCAPED = re.compile(r"(?<!\S)\\(\\*[@#!~])")
_NAME = re.compile(r"@([A-Za-z0-9_](?:[A-Za-z0-9_.@+-]*[A-Za-z0-9_+-])?)")
_TAG = re.compile(r"#([^\W\d_](?:[^\W_]|-)*)")
_LIMIT = re.compile(r"!(?=[0-9])(?:([0-9]{1,3})d)?(?:([0-9]{1,4})h)?(?:([0-9]{1,6})m)?")
_MEANT = re.compile(r"@[^\W\d]|#[^\W\d_]|![0-9]|!\[\[runbook:|~[^\W\d_]")
"""Begins like a marker: if it is none, somebody mistyped it."""


class _Found(NamedTuple):
    start: int
    word: str
    kind: str
    value: str | int


@dataclass(slots=True)
class Line:
    """A title with its markers."""

    title: str = ""
    who: str = ""
    minutes: int | None = None
    lead: bool = False
    shared: bool = False
    tags: dict[str, None] = field(default_factory=dict)


def read(text: str, *, loose: bool, refuse: Callable[[int, str], None]) -> Line:
    """The title and markers in `text`; `refuse(position, message)` hears what is wrong, positions from 0.

    Where it is `loose`, what is no good marker is part of the title.
    """
    line = Line()
    if len(text) > MOST_LINE:
        refuse(0, _too_long(len(text)))
        return line
    words = list(_WORD.finditer(text))
    taken: list[_Found] = []
    last, first = len(words), 0
    while last and len(taken) <= MOST_MARKERS and (found := _marker(words[last - 1], taken, loose=loose)):
        taken.append(found)
        last -= 1
    while first < last and len(taken) <= MOST_MARKERS and (found := _marker(words[first], taken, loose=loose)):
        taken.append(found)
        first += 1
    if len(taken) > MOST_MARKERS:
        refuse(
            words[0].start(), f"This ticket has too many markers: a name, a time limit and {MOST_TAGS} tags are enough."
        )
        return line
    for found in sorted(taken):
        _apply(line, found, refuse=refuse)
    if first < last:
        start = words[first].start()
        written = text[start : words[last - 1].end()]
        _check_overrides(written, start, refuse=refuse)
        line.title = _ESCAPED.sub(r"\1", written).replace("\t", " ")
    if first < last or not any(found.kind == "wrong" for found in taken):
        _check_title(line.title, words[first].start() if first < last else 0, refuse=refuse)
    return line


def written(task: Task) -> str:
    """The line of a ticket: its title, then its markers."""
    words = [_written_title(task.title)]
    words += [f"@{task.who}"] if task.who else []
    words += [written_limit(task.minutes)] if task.minutes is not None else []
    words += ["#lead"] if task.lead else []
    words += [f"#{tag}" for tag in task.tags]
    words += ["~customer"] if task.shared else []
    return " ".join(words)


def written_limit(minutes: int) -> str:
    """A time limit with its longest units first: 90 is `!1h30m`."""
    days, rest = divmod(minutes, 24 * 60)
    parts = zip((days, *divmod(rest, 60)), "dhm", strict=True)
    return "!" + ("".join(f"{number}{unit}" for number, unit in parts if number) or "0m")


def _written_title(title: str) -> str:
    text = _ESCAPED.sub(r"\\\g<0>", title)
    words = list(_WORD.finditer(text))
    for at in sorted({word.start() for word in (*words[:1], *words[-1:]) if _sort(word[0])}, reverse=True):
        text = f"{text[:at]}\\{text[at:]}"
    return text


def _marker(word: re.Match[str], taken: list[_Found], *, loose: bool) -> _Found | None:
    sort = _sort(word[0])
    if sort is None:
        return None
    kind, value = sort
    again = kind in {"who", "minutes"} and any(found.kind == kind for found in taken)
    return None if loose and (again or kind == "wrong") else _Found(word.start(), word[0], kind, value)


def _sort(word: str) -> tuple[str, str | int] | None:
    """What sort of marker a word is and what it says; "wrong" with a message; nothing where it is text."""
    sign = word[0]
    if sign not in "@#!~":
        return None
    if sign == "@" and len(word) <= MOST_NAME + 1 and (match := _NAME.fullmatch(word)):
        return "who", match[1]
    if sign == "#" and (match := _TAG.fullmatch(word)):
        return ("lead", "") if match[1].lower() == "lead" else ("tag", match[1])
    if sign == "!" and (match := _LIMIT.fullmatch(word)):
        days, hours, minutes = (int(part or 0) for part in match.groups())
        return "minutes", days * 24 * 60 + hours * 60 + minutes
    if word.lower() == "~customer":
        return "shared", ""
    return ("wrong", _mistake(word)) if _MEANT.match(word) else None


def _mistake(word: str) -> str:
    shown = word if len(word) <= 30 else f"{word[:30]}…"
    how = {
        "@": "is not a name: letters, digits and . _ - + @, ended by a letter or digit",
        "#": "is not a tag: letters, digits and -",
        "!": "is not a time limit: write !30m, !2h, !1h30m or !3d",
        "~": "is not known: only ~customer is",
    }[word[0]]
    if word.startswith("!["):
        how = "does not belong here: a sub-playbook stands alone on its line"
    return f"“{shown}” {how}. Write \\{word[0]} where you mean the sign itself."


def _apply(line: Line, found: _Found, *, refuse: Callable[[int, str], None]) -> None:
    if found.kind == "wrong":
        refuse(found.start, str(found.value))
    elif found.kind == "who":
        if line.who:
            refuse(found.start, f"This ticket is for @{line.who} already: one name for each ticket.")
        line.who = line.who or str(found.value)
    elif found.kind == "minutes":
        if line.minutes is not None:
            refuse(found.start, "This ticket has a time limit already: write one.")
        elif not 0 < int(found.value) <= MOST_MINUTES:
            refuse(found.start, "A time limit is between 1 minute and 365 days.")
        line.minutes = int(found.value)
    elif found.kind == "tag":
        _add_tag(line, str(found.value), found.start, refuse=refuse)
    line.lead |= found.kind == "lead"
    line.shared |= found.kind == "shared"


def _add_tag(line: Line, tag: str, position: int, *, refuse: Callable[[int, str], None]) -> None:
    if len(tag) > MOST_TAG:
        refuse(position, f"A tag has at most {MOST_TAG} characters (this has {len(tag)}).")
    elif len(line.tags) >= MOST_TAGS and tag not in line.tags:
        refuse(position, f"A ticket has at most {MOST_TAGS} tags.")
    else:
        line.tags[tag] = None


def _check_overrides(text: str, start: int, *, refuse: Callable[[int, str], None]) -> None:
    bad = OVERRIDES.search(text)
    if bad:
        char = named(bad[0])
        refuse(start + bad.start(), f"{char} changes the direction of writing and hides what a title says: remove it.")


def _check_title(title: str, start: int, *, refuse: Callable[[int, str], None]) -> None:
    if not is_visible(title):
        refuse(start, "This ticket has no title: write what is to be done.")
    elif len(title) > MOST_TITLE:
        refuse(start, _too_long(len(title)))


def _too_long(length: int) -> str:
    return (
        f"A title has at most {MOST_TITLE} characters (this has {length}): "
        "put the rest below it, indented by two spaces, as its description."
    )
