"""From text to tickets, in one pass over its lines."""

import re
from dataclasses import dataclass, field

from runbooks.tasklines import descriptions, markers
from runbooks.tasklines.characters import NEWLINES, UNSTORABLE, is_visible, named
from runbooks.tasklines.descriptions import BOX, HEADING, RUNBOOK, RUNBOOK_MEANT, Lines
from runbooks.tasklines.document import (
    MOST_BYTES,
    MOST_LEVELS,
    MOST_LINES,
    MOST_TASKS,
    Document,
    EnoughErrors,
    Kind,
    Problems,
    Task,
    TaskLinesRefused,
)

STEP = 2
"""Spaces by which a ticket is indented below another, at least."""

_BULLET = re.compile(r"(?:[-*+•]|[0-9]{1,9}[.)])(?:[ \t]+|$)")
_BARE_BOX = re.compile(r"\[([ xX])\](?:[ \t]+|$)")
_DECORATION = "-=_*~• \t"
"""What a line that only divides is made of."""
_STRAY = (
    "This line belongs to no ticket: write - [ ] before it to make it one, or put it right below the line of "
    "the ticket that it tells about, indented by two spaces more."
)


@dataclass(slots=True)
class _Node:
    """A ticket while its lines come in; the root stands for the document."""

    kind: Kind | None
    indent: int
    line: int = 0
    level: int = 0
    """Of a heading, 1 to 6."""
    depth: int = 0
    marks: markers.Line = field(default_factory=markers.Line)
    done: bool = False
    slug: str = ""
    children: list["_Node"] = field(default_factory=list)
    beside: int | None = None
    """Where the tickets right below begin, once the first is there."""
    text: Lines = field(default_factory=lambda: Lines(flat=False))

    @property
    def is_container(self) -> bool:
        return self.kind in (None, "group")


def parse(text: str, *, loose: bool = False) -> Document:
    """The tickets that the text describes.

    `loose` is for what people paste: items of any list and plain lines are tickets, indentation need not be even, and
    what is no good marker is text. Otherwise every line must be what the notation says.

    Raises:
        TaskLinesRefused: something is wrong; it tells all of it (at most MOST_ERRORS), and holds what could be read.
    """
    problems = Problems()
    reader = _Reader(problems, loose=loose)
    document = Document()
    try:
        reader.read(text)
        document = reader.document()
    except EnoughErrors:
        pass
    if problems.found:
        raise TaskLinesRefused(tuple(sorted(problems.found)), document)
    return document


class _Reader:
    def __init__(self, problems: Problems, *, loose: bool) -> None:
        self.problems = problems
        self.loose = loose
        self.root = _Node(kind=None, indent=-STEP, text=Lines(flat=True))
        self.open = [self.root]
        self.latest = self.root
        self.total = 0
        self.fence = ""
        """The marks of the code fence that the line stands in."""
        self.stray = False
        """The lines before belong to no ticket, and that was said."""

    def read(self, text: str) -> None:
        if len(text) > MOST_BYTES or len(text.encode(errors="surrogatepass")) > MOST_BYTES:
            self.problems.add(1, 1, f"The text is larger than {MOST_BYTES // 1024 // 1024} MB: divide it.")
            return
        lines = NEWLINES.sub("\n", text.removeprefix("\ufeff")).split("\n")
        if len(lines) > MOST_LINES:
            self.problems.add(MOST_LINES + 1, 1, f"A text has at most {MOST_LINES:,} lines: divide it here.")
            return
        if UNSTORABLE.search(text):
            self.check_characters(lines)
        for number, line in enumerate(lines, 1):
            body = line.lstrip(" \t")
            if self.fence:
                self.fenced(number, line, body)
            elif not body.strip():
                if self.latest.text.numbered:
                    self.latest.text.numbered.append((number, line))
            else:
                self.line(number, line, body)

    def check_characters(self, lines: list[str]) -> None:
        for number, line in enumerate(lines, 1):
            for bad in UNSTORABLE.finditer(line):
                what = "Null characters are" if bad[0] == "\x00" else f"The character {named(bad[0])} is"
                self.problems.add(number, bad.start() + 1, f"{what} not allowed in a text: remove it.")

    def fenced(self, number: int, line: str, body: str) -> None:
        # An open fence ends with what it stands in, as in Markdown: who forgot to close one hears of that line only.
        leaves = self.latest.kind == "task" and body.strip() and descriptions.indent_of(line) <= self.latest.indent
        if leaves:
            self.fence = ""
            self.line(number, line, body)
            return
        if not self.stray:
            self.latest.text.numbered.append((number, line))
        if descriptions.closes(body, self.fence):
            self.fence = ""

    def line(self, number: int, line: str, body: str) -> None:
        """A line that is neither empty nor in a code block."""
        indent = 0 if body is line else descriptions.indent_of(line)
        column = len(line) - len(body) + 1
        if body[0] in "-*+" and (box := BOX.match(body)):
            self.ticket(number, indent, column, body, box)
        elif body.startswith(RUNBOOK_MEANT):
            self.runbook(number, indent, column, body)
        elif body[0] == "#" and (heading := HEADING.match(body)) and self.may_head(indent):
            self.heading(number, column, body, heading)
        elif self.loose:
            self.loose_line(number, line, indent, column)
        elif indent > self.latest.indent:
            self.text(number, line, column)
        else:
            self.refuse_stray(number, column, body)

    def loose_line(self, number: int, line: str, indent: int, column: int) -> None:
        """A line that says by itself neither that it is a ticket nor that it is none."""
        body = line[column - 1 :]
        bullet = _BULLET.match(body)
        below = self.latest.kind is not None and indent > max(self.latest.indent, 0)
        if not body.strip(_DECORATION):
            if below:
                self.text(number, line, column)
        elif bullet or (box := _BARE_BOX.match(body)):
            inner = _BARE_BOX.match(body, bullet.end()) if bullet else box
            self.ticket(number, indent, column, body, inner or bullet)
        elif below:
            self.text(number, line, column)
        elif descriptions.fence_of(body):
            self.refuse_stray(number, column, body)
        elif is_visible(body):
            self.ticket(number, indent, column, body, None)

    def may_head(self, indent: int) -> bool:
        return indent == 0 or (self.loose and indent <= self.latest.indent)

    def ticket(self, number: int, indent: int, column: int, body: str, start: re.Match[str] | None) -> None:
        """A ticket whose title begins where `start`, a bullet or a box, ends."""
        at = start.end() if start else 0
        if self.loose and RUNBOOK.fullmatch(body, at):
            self.runbook(number, indent, column + at, body[at:])
            return
        node = _Node(kind="task", indent=indent, line=number)
        node.done = bool(start and start.lastindex and start[1] != " ")
        self.place(node, column)
        self.title(node, body, at, column)

    def heading(self, number: int, column: int, body: str, heading: re.Match[str]) -> None:
        node = _Node(kind="group", indent=-STEP, line=number, level=len(heading[1]), text=Lines(flat=True))
        while not self.open[-1].is_container or self.open[-1].level >= node.level:
            self.open.pop()
        self.attach(node, column)
        self.title(node, body, heading.end(), column)

    def runbook(self, number: int, indent: int, column: int, body: str) -> None:
        node = _Node(kind="runbook", indent=indent, line=number)
        self.place(node, column)
        match = RUNBOOK.fullmatch(body)
        if match:
            node.slug = match[1]
        else:
            how = "small letters, digits, - and _, and nothing else on the line"
            self.problems.add(number, column, f"Write a sub-playbook as ![[runbook:its-name]]: {how}.")

    def title(self, node: _Node, body: str, start: int, column: int) -> None:
        def refuse(position: int, message: str) -> None:
            self.problems.add(node.line, column + start + position, message)

        node.marks = markers.read(body[start:], loose=self.loose, refuse=refuse)

    def place(self, node: _Node, column: int) -> None:
        """Find what the ticket stands below, by its indentation."""
        slack = STEP - 1 if self.loose else 0
        while not self.open[-1].is_container and node.indent <= self.open[-1].indent + slack:
            self.open.pop()
        parent = self.open[-1]
        beside = parent.beside
        if self.loose:
            node.indent = node.indent if beside is None else min(node.indent, beside)
        elif beside is not None and node.indent != beside:
            how = f"Indent this line by {beside} spaces, like the tickets beside it"
            self.problems.add(node.line, column, f"{how}, or by {beside + STEP} to put it below the one above.")
            node.indent = beside
        elif not parent.is_container and node.indent < parent.indent + STEP:
            self.problems.add(node.line, column, f"Indent by at least {STEP} spaces to put one ticket below another.")
        parent.beside = node.indent
        self.attach(node, column)

    def attach(self, node: _Node, column: int) -> None:
        """Put it below the innermost that is open, and open it."""
        self.total += 1
        if self.total > MOST_TASKS:
            self.problems.add(node.line, column, f"A text has at most {MOST_TASKS:,} tickets: divide it here.")
            raise EnoughErrors
        parent = self.open[-1]
        if parent.kind == "runbook":
            self.problems.add(node.line, column, "Nothing stands below a sub-playbook: indent this line like it.")
        node.depth = parent.depth + 1
        parent.children.append(node)
        self.latest, self.stray = node, False
        self.open.append(node)
        if node.depth == MOST_LEVELS + 1:  # said of the first; what stands below it moves with it
            self.problems.add(node.line, column, f"Tickets go at most {MOST_LEVELS} deep: move this one up.")

    def text(self, number: int, line: str, column: int) -> None:
        """A line of the description of the latest ticket."""
        fence = descriptions.fence_of(line[column - 1 :])
        self.fence = fence[0] if fence else ""
        if self.latest.kind == "runbook":
            self.refuse_once(number, column, "A sub-playbook has no text here: write it into the runbook itself.")
        elif fence and fence[1] == "action" and self.latest.kind is None:
            self.refuse_once(number, column, "An automation belongs to a ticket: put it below the line of one.")
        else:
            self.latest.text.numbered.append((number, line))

    def refuse_stray(self, number: int, column: int, body: str) -> None:
        fence = descriptions.fence_of(body)
        self.fence = fence[0] if fence else ""
        self.refuse_once(number, column, _STRAY)

    def refuse_once(self, number: int, column: int, message: str) -> None:
        if not self.stray:
            self.problems.add(number, column, message)
        self.stray = True

    def document(self) -> Document:
        introduction, _ = descriptions.read(self.root.text, refuse=self.problems.add)
        return Document(tasks=tuple(map(self.task, self.root.children)), introduction=introduction)

    def task(self, node: _Node) -> Task:
        """The node as it is handed out, with all below it (at most MOST_LEVELS deep)."""
        description, action = descriptions.read(node.text, refuse=self.problems.add)
        return Task(
            title=node.marks.title,
            done=node.done,
            who=node.marks.who,
            minutes=node.marks.minutes,
            lead=node.marks.lead,
            tags=tuple(node.marks.tags),
            shared=node.marks.shared,
            description=description,
            action=action,
            children=tuple(map(self.task, node.children)) if node.depth < MOST_LEVELS else (),
            kind=node.kind or "task",
            slug=node.slug,
            line=node.line,
        )
