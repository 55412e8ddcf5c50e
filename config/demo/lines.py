"""The demo's trees as text: a ticket on each line, and under it what people said, supposed and did."""

from dataclasses import dataclass, field

TITLE_PARTS = 6


@dataclass
class Line:
    """One ticket of a tree; times are hours after the incident began."""

    depth: int
    title: str
    who: str = "-"
    state: str = "open"
    marks: frozenset[str] = frozenset()
    due: float | None = None
    waiting_for: str = ""
    added: float = 0.0
    worked: float = 0.0
    said: list[tuple[str, str, bool]] = field(default_factory=list)
    hypothesis: str = ""
    grew_from: str = ""
    reason: str = ""
    headline: str = ""
    tags: list[str] = field(default_factory=list)
    watchers: list[str] = field(default_factory=list)
    waits_for: list[str] = field(default_factory=list)
    times: list[tuple[str, int, str]] = field(default_factory=list)

    def note(self, mark: str, words: str) -> None:
        """What a line below the ticket says, by its first character (see texts.py)."""
        if mark == ">":
            who, said = words.lstrip("> ").split(": ", 1)
            self.said.append((who, said, words.startswith(">")))
        elif mark == "@":
            self.added, self.worked = (float(hours) for hours in (words.split() * 2)[:2])
        elif mark == "+":
            who, minutes, note = words.split(" ", 2)
            self.times.append((who, int(minutes), note))
        elif mark in LISTS:
            getattr(self, LISTS[mark]).extend([words] if mark == "&" else words.split())
        else:
            setattr(self, WORDS[mark], words)


WORDS = {"?": "hypothesis", "^": "grew_from", "!": "reason", "=": "headline"}
LISTS = {"#": "tags", "*": "watchers", "&": "waits_for"}


def read(text: str) -> list[Line]:
    """The lines of a tree, each with what stands below it; a branch begins no sooner than the branch above it."""
    lines: list[Line] = []
    above: list[Line] = []
    for raw in text.strip("\n").splitlines():
        body = raw.strip()
        if body[0] in ">@+" or body[0] in WORDS or body[0] in LISTS:
            lines[-1].note(body[0], body[1:].removeprefix(" "))
            continue
        title, who, state, marks, due, waiting = (part.strip() for part in (body + " |" * 5).split("|")[:TITLE_PARTS])
        depth = (len(raw) - len(raw.lstrip())) // 2
        del above[depth:]
        lines.append(
            Line(depth, title, who, state or "open", frozenset(marks.split()), float(due) if due else None, waiting)
        )
        if above:
            lines[-1].added, lines[-1].worked = above[-1].added, above[-1].added
        above.append(lines[-1])
    return lines
