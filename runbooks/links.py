"""What documents refer to: `[[slug]]` for readers, `![[runbook:slug]]` for runs; and circles of runbooks."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from runbooks import tasklines
from runbooks.models import DocumentKind, DocumentLink

BASE = "/documents/"
"""`[[slug]]` leads to this and the slug; `core.markdown` makes the link."""

_LINK = re.compile(r"(?<![\\!])\[\[[ \t]*([A-Za-z0-9][A-Za-z0-9_-]{0,79})[ \t]*(?:\|([^\[\]|\n]{1,200}))?\]\]")
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})")
_TICKS = re.compile(r"`+")


@dataclass(frozen=True)
class Found:
    """Slugs that a text refers to: documents to read, and runbooks that are parts of it (with their first line)."""

    links: frozenset[str]
    parts: Mapping[str, int]


def found(kind: str, body: str) -> Found:
    """What a document of this kind with this text refers to; what stands in code refers to nothing."""
    return Found(links=links_in(body), parts=parts_in(body) if kind == DocumentKind.RUNBOOK else {})


def links_in(text: str) -> frozenset[str]:
    """Slugs of `[[slug]]` and `[[slug|words]]`, in small letters."""
    return frozenset(match[1].lower() for line in _prose(text) for match in _LINK.finditer(line))


def worded(text: str) -> str:
    """The text with the words of its links instead of them, for one line that tells what it is about."""
    return _LINK.sub(lambda match: match[2] or match[1], text)


def _prose(text: str) -> Iterator[str]:
    """Lines that are not code, without the code in them."""
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
        elif mark:
            fence = mark[1]
        elif "[[" in line:
            yield _without_code(line)


def _without_code(line: str) -> str:
    """The line without what stands between as many backticks as there are; in one pass, however many there are."""
    runs = [(found.start(), found.end()) for found in _TICKS.finditer(line)]
    closing, nearest = [-1] * len(runs), dict[int, int]()
    for at in range(len(runs) - 1, -1, -1):
        length = runs[at][1] - runs[at][0]
        closing[at] = nearest.get(length, -1)
        nearest[length] = at
    kept, start, at = [], 0, 0
    while at < len(runs):
        end = closing[at]
        if end >= 0:
            kept.append(line[start : runs[at][0]])
            start, at = runs[end][1], end
        at += 1
    return "".join([*kept, line[start:]])


def parts_in(body: str) -> dict[str, int]:
    """The sub-playbooks of a runbook, each with the line where it stands first; of a bad text what can be read."""
    return {task.slug: task.line for task in reversed([*read(body).walk()]) if task.kind == "runbook" and task.slug}


def read(body: str) -> tasklines.Document:
    """The tickets that a runbook describes; of a bad text what can be read of it."""
    try:
        return tasklines.parse(body)
    except tasklines.TaskLinesRefused as refused:
        return refused.document


def parts_in_force() -> dict[str, set[str]]:
    """Which runbook has which others as parts, by the versions in force."""
    rows = DocumentLink.objects.filter(is_part=True, source__active__isnull=False, source__archived_at=None)
    graph: dict[str, set[str]] = {}
    for whole, part in rows.values_list("source__slug", "slug"):
        graph.setdefault(whole, set()).add(part)
    return graph


def reached(slugs: Collection[str], others: Mapping[str, Collection[str]]) -> set[str]:
    """These runbooks and all that are parts of them, however deep."""
    found, left = set(slugs), [*slugs]
    while left:
        new = {*others.get(left.pop(), ())} - found
        found |= new
        left += new
    return found


def circle(slug: str, parts: Collection[str], others: Mapping[str, Collection[str]]) -> list[str]:
    """The way from the runbook `slug`, were these its parts, back to itself; empty where there is none."""
    ways = [[slug, part] for part in sorted(parts)]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        if way[-1] == slug:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways += [[*way, part] for part in sorted(others.get(way[-1], ()))]
    return []
