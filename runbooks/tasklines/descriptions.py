"""Text under a ticket: kept as it stands, but for the backslash before what would otherwise be a line of its own.

Reader and writer agree here on which lines of a text mean something: boxes, sub-playbooks and code fences, and headings
where the text is not indented. Inside a closed code fence nothing means anything.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from runbooks.tasklines import automation
from runbooks.tasklines.automation import Automation

MOST_TEXT = 64 * 1024
"""Characters of one description: what the renderer of Markdown takes (core.markdown)."""
TAB = 4

BOX = re.compile(r"[-*+][ \t]+\[([ xX])\](?:[ \t]+|$)")
RUNBOOK = re.compile(r"!\[\[runbook:([a-z0-9][a-z0-9_-]{0,99})\]\][ \t]*")
HEADING = re.compile(r"(#{1,6})(?:[ \t]+|$)")
_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*(.*)")
RUNBOOK_MEANT = "![[runbook:"
_BACKSLASHES = re.compile(r"\\+")
_LEADING = " \t"

Refuse = Callable[[int, int, str], None]
"""Hears what is wrong: line, column and message."""


@dataclass(slots=True)
class Lines:
    """Lines of one text with their numbers, as they were typed; `flat` where headings would count in it."""

    flat: bool
    numbered: list[tuple[int, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Block:
    """An open code fence; without marks, none is open."""

    marks: str = ""
    line: int = 0
    column: int = 0
    is_action: bool = False
    lines: list[tuple[int, str]] = field(default_factory=list)


def indent_of(line: str) -> int:
    """Columns before the first character that is no space; a tab goes to the next multiple of TAB."""
    column = 0
    for char in line:
        if char == " ":
            column += 1
        elif char == "\t":
            column += TAB - column % TAB
        else:
            break
    return column


def fence_of(body: str) -> tuple[str, str] | None:
    """The marks that open a code fence and the word after them, if this line opens one."""
    if not body.startswith(("```", "~~~")):
        return None
    match = _FENCE.match(body)
    if match is None or (match[1][0] == "`" and "`" in match[2]):
        return None
    return match[1], match[2].strip()


def closes(body: str, marks: str) -> bool:
    """Whether this line closes a fence opened by `marks`."""
    rest = body.strip(_LEADING)
    return bool(marks) and len(rest) >= len(marks) and rest.startswith(marks) and not rest.strip(marks[0])


def means_something(body: str, *, flat: bool) -> bool:
    """Whether a line of a text, without its indentation, is more than text; `flat`: headings count."""
    if body.startswith(("-", "*", "+")):
        return BOX.match(body) is not None
    if body.startswith("#"):
        return flat and HEADING.match(body) is not None
    return body.startswith(RUNBOOK_MEANT) or fence_of(body) is not None


def read(lines: Lines, *, refuse: Refuse) -> tuple[str, Automation | None]:
    """The description and the automation that these lines hold."""
    if not lines.numbered:
        return "", None
    first = lines.numbered[0][0]
    base = indent_of(lines.numbered[0][1])
    text: list[str] = []
    blocks: list[_Block] = []
    block = _Block()
    for number, line in lines.numbered:
        body = line.lstrip(_LEADING)
        inside, ends = bool(block.marks), closes(body, block.marks)
        if not inside and (fence := fence_of(body)):
            block = _Block(fence[0], line=number, column=len(line) - len(body) + 1, is_action=fence[1] == "action")
        if not block.marks:
            text.append(_unescaped(_dedented(line, base), flat=lines.flat and not line.startswith(tuple(_LEADING))))
        elif not block.is_action:
            text.append(_dedented(line, base))
        elif ends:
            blocks.append(block)
        elif inside:
            block.lines.append((number, line))
        block = _Block() if ends else block
    if block.marks:
        refuse(block.line, block.column, f"This code block is never closed: write {block.marks[:3]} below it.")
    description = "\n".join(text).strip()
    if len(description) > MOST_TEXT:
        refuse(first, 1, f"A description has at most {MOST_TEXT:,} characters (this has {len(description):,}).")
    return description, _automation(blocks, refuse=refuse)


def written(text: str, *, indent: int, flat: bool) -> list[str]:
    """The lines of a description, indented, that read back as this text."""
    lines = text.split("\n")
    closed = _closed_later(lines)
    result, marks = [], ""
    for number, line in enumerate(lines):
        body = line.lstrip(_LEADING)
        if marks:
            marks = "" if closes(body, marks) else marks
        else:
            fence = fence_of(body)
            if fence and fence[1] != "action" and closed[number].get(fence[0][0], 0) >= len(fence[0]):
                marks = fence[0]
            else:
                line = _escaped(line, flat=flat and not line.startswith(tuple(_LEADING)))  # noqa: PLW2901
        result.append(" " * indent + line if line else "")
    return result


def _closed_later(lines: Sequence[str]) -> list[dict[str, int]]:
    """For each line, how long the longest line of ` or ~ alone below it is: what may still be closed there."""
    longest: dict[str, int] = {}
    found = []
    for line in reversed(lines):
        found.append(longest)
        marks = line.strip(_LEADING)
        if marks.startswith(("```", "~~~")) and not marks.strip(marks[0]) and len(marks) > longest.get(marks[0], 0):
            longest = {**longest, marks[0]: len(marks)}
    return found[::-1]


def _dedented(line: str, columns: int) -> str:
    """The line without its first columns of indentation; a tab that reaches beyond them leaves spaces."""
    if line.startswith(" " * columns):
        return line[columns:]
    column = 0
    for at, char in enumerate(line):
        if column >= columns or char not in _LEADING:
            return " " * (column - columns) + line[at:]
        column += TAB - column % TAB if char == "\t" else 1
    return " " * (column - columns)


def _unescaped(line: str, *, flat: bool) -> str:
    body = line.lstrip(_LEADING)
    slashes = _BACKSLASHES.match(body)
    if slashes is None or not means_something(body[slashes.end() :], flat=flat):
        return line
    return line[: len(line) - len(body)] + body[1:]


def _escaped(line: str, *, flat: bool) -> str:
    body = line.lstrip(_LEADING)
    if not means_something(body.lstrip("\\"), flat=flat):
        return line
    return f"{line[: len(line) - len(body)]}\\{body}"


def _automation(blocks: Sequence[_Block], *, refuse: Refuse) -> Automation | None:
    for block in blocks[1:]:
        refuse(block.line, block.column, "This ticket has an automation already: put this one into another ticket.")
    if not blocks:
        return None
    block = blocks[0]
    text = "\n".join(line for _, line in block.lines)
    try:
        return replace(automation.read(text), line=block.line, column=block.column)
    except automation.Unreadable as error:
        before = text[: error.position]
        line = block.lines[before.count("\n")][0] if block.lines else block.line
        refuse(line, error.position - before.rfind("\n") if block.lines else block.column, error.message)
        return None
