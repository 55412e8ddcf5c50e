"""The values that message templates may name: `{{ incident.title }}`. A fixed list, filled as plain text.

Most are facts of the incident and its people. What no column knows is `by_hand`: whoever sends the message says it.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.core.exceptions import ValidationError

_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_LINE_END = re.compile(r"\n")
_LEFT_OVER = re.compile(r"\{\{|\}\}|\{%|%\}")


@dataclass(frozen=True)
class Placeholder:
    """What it stands for, and what it might say."""

    label: str
    example: str
    by_hand: bool = False


PLACEHOLDERS: dict[str, Placeholder] = {
    "incident.number": Placeholder("Number of the incident", "IR-2026-1120-001"),
    "incident.title": Placeholder("Title of the incident", "Ransomware on the file server"),
    "incident.type": Placeholder("Its type", "Malware"),
    "incident.severity": Placeholder("Its severity", "High"),
    "incident.status": Placeholder("Its status", "Contained"),
    "incident.summary": Placeholder("What happened", "Files on the server FS-2 were encrypted."),
    "incident.situation": Placeholder("Where we stand", "The server is off the network; backups are being checked."),
    "incident.detected_at": Placeholder("When it was detected (UTC)", "2026-11-20 08:14 UTC"),
    "incident.affected_systems": Placeholder("Affected systems", "FS-2, FS-3"),
    "incident.affected_services": Placeholder("Affected services", "File shares"),
    "incident.affected_users": Placeholder("How many people are affected", "120"),
    "incident.data_types": Placeholder("Data that may be affected", "Contracts"),
    "incident.tlp": Placeholder("Who may be told (TLP)", "TLP:AMBER"),
    "incident.url": Placeholder("Address of the incident", "https://treeline.example/incidents/IR-2026-1120-001/"),
    "customer.name": Placeholder("Name of the customer", "Customer A"),
    "commander.name": Placeholder("Name of the incident commander", "Alice Example"),
    "commander.email": Placeholder("Address of the incident commander", "alice@demo.example"),
    "sender.name": Placeholder("Name of who sends it", "Carol Example"),
    "sender.email": Placeholder("Address of who sends it", "carol@demo.example"),
    "next_update": Placeholder("When the reader hears of it again", "2026-11-20 18:00 UTC", by_hand=True),
    "today": Placeholder("The day on which it is sent", "2026-11-20"),
}
EXAMPLES = {name: one.example for name, one in PLACEHOLDERS.items()}


@dataclass(frozen=True)
class Unknown:
    """Braces that name none of them; line and column from 1."""

    line: int
    column: int
    text: str


def _closed(text: str) -> int:
    """Where the last braces close: what comes after is not looked through once for each `{{`."""
    return text.rfind("}}") + 2 if "}}" in text else 0


def unknown(text: str) -> Iterator[Unknown]:
    """What stands in braces and is no placeholder, and braces without a partner."""
    lines = [0, *(found.end() for found in _LINE_END.finditer(text))]
    rest = []
    last = 0
    for match in _BRACES.finditer(text, 0, _closed(text)):
        rest.append((last, match.start()))
        last = match.end()
        if match[1].strip() not in PLACEHOLDERS:
            yield _at(lines, match.start(), match[0])
    rest.append((last, len(text)))
    for start, end in rest:
        for mark in _LEFT_OVER.finditer(text, start, end):
            yield _at(lines, mark.start(), mark[0])


def _at(lines: list[int], position: int, what: str) -> Unknown:
    """`lines`: where each begins."""
    line = bisect_right(lines, position)
    return Unknown(line, position - lines[line - 1] + 1, " ".join(what.split())[:60])


def used(*texts: str) -> dict[str, Placeholder]:
    """Those that stand in the texts, by name, in the order of the list."""
    names = {found.strip() for text in texts for found in _BRACES.findall(text, 0, _closed(text))}
    return {name: one for name, one in PLACEHOLDERS.items() if name in names}


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its placeholders replaced, once: a value that looks like a placeholder stays what it is.

    What is no placeholder stays as it is written: no version with such a text comes into force (`problems`).

    Raises:
        ValidationError: one of them has no value, or an empty one: no message goes out with braces or gaps in it.
    """
    if missing := [one.label for name, one in used(text).items() if not values.get(name, "").strip()]:
        raise ValidationError([f"Say what this message needs: {label}." for label in missing])
    end = _closed(text)
    return _BRACES.sub(lambda match: values.get(match[1].strip(), match[0]), text[:end]) + text[end:]
