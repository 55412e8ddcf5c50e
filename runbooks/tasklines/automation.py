"""The automation of a ticket: `name: {parameters}`, in a grammar of its own.

Parameters look like a YAML flow mapping and are less: words, quoted strings, numbers, true, false, null, lists and
mappings, nothing that means something else than it shows. No tags, anchors, comments or dates.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from runbooks.tasklines.characters import OVERRIDES, UNSTORABLE, named

Value: TypeAlias = "bool | int | float | str | list[Value] | dict[str, Value] | None"

MOST_TEXT = 64 * 1024
"""Characters of a block."""
MOST_NUMBER = 32
"""Characters of a number; every float is written in fewer."""
MOST_DEPTH = 20
"""Lists and mappings inside one another."""

_SPACES = frozenset(" \t\n")
_SPACE = re.compile(r"[ \t\n]*")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BARE = re.compile(r"[^\s,:{}\[\]\"']+")
_WORD = re.compile(r"[\w/][\w./@+-]*")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_DOUBLE = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"')
_SINGLE = re.compile(r"'[^'\n]*(?:''[^'\n]*)*'")
_TEMPLATE = re.compile(r"\{\{[^{}\n]*\}\}")
_BACKSLASH = 'In double quotes a backslash stands only in \\" \\\\ \\n \\t and \\u00e9: write \\\\ for one.'
_CONSTANTS: dict[str, Value] = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Automation:
    """What a ticket does by itself: the name of an action and its parameters, as JSON would hold them."""

    name: str
    parameters: dict[str, Value] = field(default_factory=dict)
    line: int = field(default=0, compare=False, repr=False)
    """Where its block was read, line and column from 1; two are equal wherever they stand."""
    column: int = field(default=1, compare=False, repr=False)


class Unreadable(ValueError):
    """The block is wrong at `position` (characters from its start); the message says how to write it."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position
        self.message = message


def strings_of(value: Value) -> Iterator[str]:
    """Every text in the parameters, keys left out, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value if isinstance(value, list) else value.values():
            yield from strings_of(part)


def read(text: str) -> Automation:
    """The automation that a block says.

    Raises:
        Unreadable: it says none, or more than one, or something else.
    """
    if len(text) > MOST_TEXT:
        raise Unreadable(0, f"An automation has at most {MOST_TEXT:,} characters.")
    if bad := _forbidden(text):
        raise Unreadable(bad.start(), _not_allowed(bad[0]))
    block = _Block(text)
    block.skip_space()
    name = _NAME.match(text, block.at)
    if name is None:
        raise block.wrong("Write the automation as name: {parameter: value}; the name has small letters, digits and _.")
    block.at = name.end()
    block.expect(":", "Write a colon after the name, and the parameters in braces: name: {parameter: value}.")
    block.skip_space()
    if not text.startswith("{", block.at):
        raise block.wrong("Write the parameters in braces after the colon; {} where there are none.")
    parameters = block.mapping(depth=1)
    block.skip_space()
    if block.at < len(text):
        raise block.wrong("Nothing may follow the closing brace: one automation for each ticket.")
    return Automation(name=name[0], parameters=parameters)


def written(automation: Automation) -> str:
    """The automation in one line that reads back the same."""
    return f"{automation.name}: {_written(automation.parameters)}"


def _written(value: Value) -> str:
    if isinstance(value, dict):
        pairs = (f"{key if _WORD.fullmatch(key) else _quoted(key)}: {_written(part)}" for key, part in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, str):
        return value if _is_plain(value) else _quoted(value)
    return json.dumps(value)


def _is_plain(text: str) -> bool:
    return bool(_WORD.fullmatch(text)) and not _NUMBER.fullmatch(text) and text.lower() not in _CONSTANTS


def _quoted(text: str) -> str:
    # Line separators would end the line where the text is read again.
    return json.dumps(text, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _number(word: str, *, is_whole: bool) -> int | float | None:
    """The number, if 64 bits hold it."""
    if len(word) > MOST_NUMBER:
        return None
    value = int(word) if is_whole else float(word)
    return value if math.isfinite(value) and (not is_whole or abs(value) < 2**63) else None


def _forbidden(text: str) -> re.Match[str] | None:
    return UNSTORABLE.search(text) or OVERRIDES.search(text)


def _not_allowed(char: str) -> str:
    return f"The character {named(char)} is not allowed in an automation: remove it."


class _Block:
    """A position in the text of a block, and what can be read from there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def wrong(self, message: str) -> Unreadable:
        return Unreadable(self.at, message)

    def skip_space(self) -> None:
        if self.text[self.at : self.at + 1] in _SPACES:
            space = _SPACE.match(self.text, self.at)
            self.at = space.end() if space else self.at

    def taken(self, char: str) -> bool:
        """Whether the next character but space is this one; then it is passed."""
        self.skip_space()
        if not self.text.startswith(char, self.at):
            return False
        self.at += 1
        return True

    def expect(self, char: str, message: str) -> None:
        if not self.taken(char):
            raise self.wrong(message)

    def mapping(self, *, depth: int) -> dict[str, Value]:
        self.open("{", depth=depth)
        pairs: dict[str, Value] = {}
        while not self.taken("}"):
            start = self.at
            key = self.key()
            if key in pairs:
                raise Unreadable(start, f"“{key}” is there twice: keep one of them.")
            self.expect(":", "Write a colon and a value after the name of the parameter.")
            pairs[key] = self.value(depth=depth)
            if not self.taken(","):
                self.expect("}", "Write a comma before the next parameter, or a closing brace.")
                break
        return pairs

    def list(self, *, depth: int) -> "list[Value]":
        self.open("[", depth=depth)
        parts: list[Value] = []
        while not self.taken("]"):
            parts.append(self.value(depth=depth))
            if not self.taken(","):
                self.expect("]", "Write a comma before the next value, or a closing bracket.")
                break
        return parts

    def open(self, char: str, *, depth: int) -> None:
        if depth > MOST_DEPTH:
            raise self.wrong(f"Lists and mappings go at most {MOST_DEPTH} deep.")
        self.expect(char, f"Write {char} here.")

    def key(self) -> str:
        if self.text.startswith(('"', "'"), self.at):
            return self.quoted()
        word = self.bare()
        if not _WORD.fullmatch(word):
            raise self.wrong("Put quotes around this name.")
        self.at += len(word)
        return word

    def value(self, *, depth: int) -> Value:
        self.skip_space()
        char = self.text[self.at : self.at + 1]
        if char == "{":
            template = _TEMPLATE.match(self.text, self.at)
            if template is None:
                return self.mapping(depth=depth + 1)
            self.at = template.end()
            return template[0]
        if char == "[":
            return self.list(depth=depth + 1)
        return self.quoted() if char in {'"', "'"} else self.plain()

    def plain(self) -> Value:
        word = self.bare()
        value: Value = _CONSTANTS.get(word.lower(), word)
        if number := _NUMBER.fullmatch(word):
            value = _number(word, is_whole=number[1] is None and number[2] is None)
            if value is None:
                raise self.wrong("This number is too large: put quotes around it to keep it as text.")
        elif not _WORD.fullmatch(word):
            raise self.wrong('Put quotes around this text: "like this".')
        self.at += len(word)
        return value

    def bare(self) -> str:
        word = _BARE.match(self.text, self.at)
        if word is None:
            raise self.wrong("Something is missing here: a word, a number or a text in quotes.")
        return word[0]

    def quoted(self) -> str:
        double = self.text[self.at] == '"'
        match = (_DOUBLE if double else _SINGLE).match(self.text, self.at)
        if match is None:
            raise self.wrong(f"This text has no closing {self.text[self.at]} on its line.")
        try:
            text: str = json.loads(match[0]) if double else match[0][1:-1].replace("''", "'")
        except json.JSONDecodeError as error:
            raise Unreadable(self.at + error.pos, _BACKSLASH) from error
        if bad := _forbidden(text):  # hidden by an escape
            raise self.wrong(_not_allowed(bad[0]))
        self.at = match.end()
        return text
