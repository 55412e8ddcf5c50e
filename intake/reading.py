"""Tolerant reading of hostile values: ask for a text, get a clean bounded text or None, and a warning in the record.

A list where an object is expected, a number where a text is, JSON inside a text, a missing branch: none of them
raises. Adapters read through `Reader` only.
"""

import ipaddress
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from intake.guarded_json import parse
from intake.records import MAX_ITEMS, MAX_NAME, MAX_VALUE, Remark
from intake.times import parse_time

MAX_WARNINGS = 50
_MAX_EMBEDDED = 256 * 1024  # bytes of JSON inside a text

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_SPACE = re.compile(r"[\t\n\r\u2028\u2029]+")
_HEX = re.compile(r"[0-9a-f]+")
_HASHES: dict[int, Literal["md5", "sha1", "sha256", "sha512"]] = {32: "md5", 40: "sha1", 64: "sha256", 128: "sha512"}
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_TECHNIQUE = re.compile(r"T[0-9]{4}(?:\.[0-9]{3})?")

Place = Literal["public", "private", "none"]


class Notes:
    """Warnings and remarks about times, collected while one record is read."""

    def __init__(self) -> None:
        self.warnings: list[Remark] = []
        self.times: list[str] = []

    def warn(self, code: str, path: str, text: str) -> None:
        warning = Remark(code=code, path=path[:MAX_NAME], text=text[:MAX_NAME])
        if len(self.warnings) < MAX_WARNINGS and warning not in self.warnings:
            self.warnings.append(warning)

    def remark(self, text: str) -> None:
        if len(self.times) < MAX_WARNINGS and text not in self.times:
            self.times.append(text)


class Reader:
    """One JSON object with the path that leads to it. Keys are found in snake_case, camelCase and run together."""

    def __init__(self, value: object, *, path: str = "", notes: Notes | None = None) -> None:
        self.notes = notes if notes is not None else Notes()
        self.path = path
        self.value: dict[str, Any] = self._as_object(value, path)

    def __bool__(self) -> bool:
        return bool(self.value)

    def where(self, path: str) -> str:
        return f"{self.path}.{path}" if self.path else path

    def at(self, path: str) -> Any:
        """The value at a dotted path; None when a part of the way is missing or no object."""
        here: Any = self.value
        parts = path.split(".")
        for depth, key in enumerate(parts):
            if depth:
                here = self._as_object(here, self.where(".".join(parts[:depth])))
            here = _lookup(here, key)
            if here is None:
                return None
        return here

    def sub(self, path: str) -> "Reader":
        """The object at a path; an empty reader when there is none."""
        return Reader(self.at(path), path=self.where(path), notes=self.notes)

    def each(self, path: str) -> Iterator["Reader"]:
        """The objects of the list at a path; a single object counts as a list of one."""
        value = self._unpacked(self.at(path))
        if isinstance(value, dict):
            value = [value]
        for index, item in enumerate(self._items(value, path)):
            reader = Reader(item, path=f"{self.where(path)}[{index}]", notes=self.notes)
            if reader:
                yield reader

    def text(self, path: str, *, limit: int = MAX_NAME, lines: bool = False) -> str | None:
        """A clean text of at most `limit` characters; numbers are written out; None when empty or missing."""
        return self._clean(self.at(path), path, limit=limit, lines=lines)

    def first(self, *paths: str, limit: int = MAX_NAME, lines: bool = False) -> str | None:
        """The first of several texts that is there."""
        found = (self.text(path, limit=limit, lines=lines) for path in paths)
        return next((text for text in found if text is not None), None)

    def texts(self, path: str, *, limit: int = MAX_NAME) -> list[str]:
        """The texts of a list; a single one counts as a list of one."""
        value = self.at(path)
        if not isinstance(value, list):
            value = [] if value is None else [value]
        items = (self._clean(item, path, limit=limit) for item in self._items(value, path))
        return [item for item in items if item is not None]

    def integer(self, path: str) -> int | None:
        """A whole number, also when written as a text."""
        value = self.at(path)
        if value is None or value == "":
            return None
        if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
            value = int(value)
        if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}", value.strip()):
            value = int(value.strip())
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 10**18:
            self.notes.warn("not_a_number", self.where(path), f"expected a number, found a {type(value).__name__}")
            return None
        return value

    def time(self, path: str) -> datetime | None:
        moment, note = parse_time(self.at(path))
        if note:
            self.notes.remark(f"{self.where(path)}: {note}")
        return moment

    def _clean(self, value: object, path: str, *, limit: int, lines: bool = False) -> str | None:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if isinstance(value, bool):
            value = str(value).lower()
        if isinstance(value, int | float):
            value = str(value) if not isinstance(value, int) or abs(value) < 10**40 else None
        if value is None:
            return None
        if not isinstance(value, str):
            self.notes.warn("not_a_text", self.where(path), f"expected a text, found a {type(value).__name__}")
            return None
        clean = clean_text(value[: limit * 4 + 64], lines=lines)
        if len(clean) > limit or len(value) > limit * 4 + 64:
            self.notes.warn("cut", self.where(path), f"cut to {limit:,} of {len(value):,} characters")
            clean = clean[: limit - 1] + "…"
        if _CONTROL.search(value):
            self.notes.warn("cleaned", self.where(path), "control characters were taken out")
        return clean or None

    def _items(self, value: object, path: str) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            self.notes.warn("not_a_list", self.where(path), f"expected a list, found a {type(value).__name__}")
            return []
        if len(value) > MAX_ITEMS:
            self.notes.warn("too_many", self.where(path), f"only {MAX_ITEMS} of {len(value):,} entries are used")
        return value[:MAX_ITEMS]

    def _unpacked(self, value: object) -> object:
        """JSON written into a text, as some exporters do; other texts stay as they are."""
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "[") and len(value) <= _MAX_EMBEDDED:
            parsed = parse(value.encode("utf-8", "replace"))
            return value if parsed.problem else parsed.value
        return value

    def _as_object(self, value: object, path: str) -> dict[str, Any]:
        value = self._unpacked(value)
        if isinstance(value, dict):
            return value
        if value not in (None, "", []):
            self.notes.warn("not_an_object", path, f"expected an object, found a {type(value).__name__}")
        return {}


def _lookup(value: dict[str, Any], key: str) -> Any:
    found = value.get(key)
    if found is None and "_" in key:
        head, *tail = key.split("_")
        found = value.get(head + "".join(part.capitalize() for part in tail))
        if found is None:
            found = value.get(head + "".join(tail))
    return found


def clean_text(text: str, *, lines: bool = False) -> str:
    """Without NUL, control characters and lone surrogates; on one line unless `lines`. Otherwise as it was written."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if not lines:
        text = _SPACE.sub(" ", text)
    return text.strip()


def ip_of(text: str | None) -> str | None:
    """The canonical spelling of an IP address; None when it is none. A mapped IPv4 address comes out as such."""
    if not text or len(text) > 64:
        return None
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            return None
        address = address.ipv4_mapped or address
    return str(address)


# What RFC 5737 and 3849 reserve for examples stands for somebody else's address wherever it is written.
_EXAMPLES = [ipaddress.ip_network(n) for n in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]


def place_of(ip: str) -> Place:
    """Whether an address is out on the Internet, inside, or names no machine at all (multicast, loopback, any)."""
    address = ipaddress.ip_address(ip)
    if address.is_multicast or address.is_unspecified or address.is_loopback or str(address) == "255.255.255.255":
        return "none"
    if any(address in network for network in _EXAMPLES):
        return "public"
    return "public" if address.is_global else "private"


def domain_of(text: str | None) -> str | None:
    """A host name with at least two labels, lower case, without the root dot; None when it is none."""
    if not text or len(text) > 253:
        return None
    name = text.strip().rstrip(".").lower()
    try:
        ascii_name = name if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    labels = ascii_name.split(".")
    plausible = len(labels) > 1 and len(ascii_name) <= 253 and not labels[-1].isdigit()
    return ascii_name if plausible and all(_LABEL.fullmatch(label) for label in labels) else None


def url_of(text: str | None) -> str | None:
    """An http or https address without blanks and control characters; None when it is none."""
    if not text or len(text) > MAX_VALUE or not text.isprintable() or re.search(r"\s", text):
        return None
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return None
    return text if usable else None


def hash_of(text: str | None) -> tuple[Literal["md5", "sha1", "sha256", "sha512"], str] | None:
    """Which hash a text is by its length, and its spelling in lower case without colons."""
    digits = (text or "").strip().lower().replace(":", "")
    kind = _HASHES.get(len(digits))
    return (kind, digits) if kind and _HEX.fullmatch(digits) else None


def technique_of(text: str | None) -> str | None:
    """An ATT&CK technique id (`T1059.001`) as written or inside something like `T1059 - Name`."""
    found = _TECHNIQUE.match((text or "").strip().upper())
    return found.group() if found else None
