"""The starter library: documents to begin with, as text files in folders named after their kinds.

A file is `<kinds>/<slug>.md`: header lines `name: value`, a line `---`, then the text as it will be version 1. Lists
are separated by commas; `escalate: condition => what to do` may stand several times.

    title: Phishing
    summary: A malicious mail reached mailboxes: who got it, who fell for it, and what came of it.
    types: phishing
    review: yearly
    escalate: affectedUsers > 50 => Escalate to the executive sponsor
    ---
    Use this when …
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incidents.models import Role
from incidents.models.lifecycle import IncidentType, Severity
from runbooks.models import DocumentKind, ReviewCycle

FOLDER = Path(__file__).parent
END = "---"
_LISTS = {"types": IncidentType.values, "severities": Severity.values, "roles": Role.values}
_WORDS = ("tags", "related")  # lists of slugs
_LINES = ("title", "summary", "review", "subject")
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_MOST = {"title": 200, "summary": 300, "subject": 200, "escalate": 300}


class Unreadable(ValueError):
    """A file of the library is not what it should be; the text names file and line."""


@dataclass
class Starter:
    """One document of the library."""

    kind: DocumentKind
    slug: str
    title: str = ""
    summary: str = ""
    subject: str = ""  # of message templates
    review: str = ""
    types: list[str] = field(default_factory=list)
    severities: list[str] = field(default_factory=list)
    roles: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    related: list[str] = field(default_factory=list)
    escalations: list[dict[str, str]] = field(default_factory=list)
    body: str = ""

    @property
    def facts(self) -> dict[str, Any]:
        """Columns of its document, but for those that `load_approved` asks for by name."""
        return {
            "review_cycle": self.review, "incident_types": self.types, "severities": self.severities,
            "roles": self.roles, "escalations": self.escalations,
        }  # fmt: skip


def starters(folder: Path = FOLDER) -> list[Starter]:
    """All documents, by kind and then by name, so that every load says the same.

    Raises:
        Unreadable: one of the files is wrong.
    """
    found = [_read(path, kind) for kind in DocumentKind for path in sorted((folder / kind.plural).glob("*.md"))]
    if twice := sorted({one.slug for one in found if sum(other.slug == one.slug for other in found) > 1}):
        raise Unreadable(f"Two documents have the same name: {', '.join(twice)}.")
    return found


def _read(path: Path, kind: DocumentKind) -> Starter:
    if not _SLUG.fullmatch(path.stem):
        raise Unreadable(f"{path.name}: a file name has small letters, digits and -.")
    lines = path.read_text(encoding="utf-8").split("\n")
    if END not in lines:
        raise Unreadable(f"{path.name}: a line {END} ends the header.")
    end = lines.index(END)
    one = Starter(kind=kind, slug=path.stem, body="\n".join(lines[end + 1 :]).strip("\n") + "\n")
    seen: set[str] = set()
    for number, line in enumerate(lines[:end], 1):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if problem := _take(one, name, value, again=name in seen) if colon and value else "write name: value":
            raise Unreadable(f"{path.name}, line {number}: {problem}.")
        seen.add(name)
    for problem in _missing(one):
        raise Unreadable(f"{path.name}: {problem}.")
    return one


def _take(one: Starter, name: str, value: str, *, again: bool) -> str:
    """Put the value where it belongs; what is wrong with it, if anything is."""
    if again and name != "escalate":
        return f"“{name}” is there twice"
    if len(value) > _MOST.get(name, len(value)):
        return f"“{name}” has more than {_MOST[name]} characters"
    if name == "escalate":
        condition, arrow, words = (part.strip() for part in value.partition("=>"))
        one.escalations.append({"condition": condition, "action": words})
        return "" if arrow and condition and words else "write escalate: condition => what to do"
    if name == "review" and value not in set(ReviewCycle.values) - {ReviewCycle.NEVER, ReviewCycle.DAYS}:
        return "review is monthly, quarterly or yearly"
    if name in _LINES:
        setattr(one, name, value)
        return ""
    if name in _LISTS or name in _WORDS:
        values = [word.strip() for word in value.split(",")]
        wrong = [word for word in values if word not in _LISTS.get(name, [word]) or not re.fullmatch(r"[\w-]+", word)]
        setattr(one, name, values)
        return f"“{wrong[0]}” cannot be one of the {name}" if wrong else ""
    return f"there is no “{name}”"


def _missing(one: Starter) -> Iterator[str]:
    for name in ("title", "summary", "review"):
        if not getattr(one, name):
            yield f"“{name}” is missing"
    if bool(one.subject) != (one.kind == DocumentKind.TEMPLATE):
        yield "a subject belongs to message templates, and to nothing else"
    if not one.body.strip():
        yield "the text is missing"
