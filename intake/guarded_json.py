"""Read one JSON text from a stranger: bounded, strict where meaning would be lost, with reasons in plain words.

The standard parser takes NaN and 1e999, lets the last of two equal keys win, and raises RecursionError on deep
nesting. Here each of these is a reason instead. Shape: bytes in, `Parsed` out, never an exception.
"""

import json
import math
import re
from typing import Any, NamedTuple

MAX_DEPTH = 64
MAX_DIGITS = 40  # Suricata flow ids have 16 digits, 128-bit ids 39; a number beyond that is an attack or a mistake

JsonObject = dict[str, Any]

_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NOT_BRACKETS = bytes(b for b in range(256) if b not in b"{}[]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Parsed(NamedTuple):
    """`value` is what was read; `problem` says why nothing could be; exactly one of both is meant to be used."""

    value: Any
    problem: str | None
    cleaned: bool = False  # NUL characters or lone surrogates were taken out of strings


class _Refused(ValueError):
    """A text that is JSON by the letter but must not be accepted."""


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    value = dict(pairs)
    if len(value) != len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise _Refused(f"the key {json.dumps(key[:80])} appears twice in one object")
            seen.add(key)
    return value


def _constant(text: str) -> float:
    raise _Refused(f"{text} is not a JSON number")


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise _Refused(f"a number has {len(text):,} digits; at most {MAX_DIGITS} are accepted")
    return int(text)


def _real(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _Refused("a number is too large to be represented")
    return value


# strict=False: a raw tab inside a string is a blemish, not a reason to lose an alert
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_real, strict=False
)


def too_deep(raw: bytes) -> bool:
    """Whether brackets nest deeper than `MAX_DEPTH`, without recursion; strings do not count."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    depth = 0
    for byte in _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS):
        if byte in b"{[":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        else:
            depth -= 1
    return False


def parse(raw: bytes) -> Parsed:
    """Read one JSON value. The caller bounds the length of `raw`."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return Parsed(None, f"not UTF-8: byte 0x{raw[error.start]:02x} at position {error.start + 1}")
    if too_deep(raw):
        return Parsed(None, f"nested too deep: more than {MAX_DEPTH} levels")
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno} of the record"
        return Parsed(None, f"not valid JSON: {error.msg[:1].lower()}{error.msg[1:]} at {where}")
    except _Refused as refusal:
        return Parsed(None, str(refusal))
    if b"\\u" in raw or b"\x00" in raw:
        cleaned = _storable(value)
        return Parsed(cleaned, None, cleaned != value)
    return Parsed(value, None)


def _storable(value: Any) -> Any:
    """The value without what a database or UTF-8 cannot hold; depth is bounded by the parser."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_UNSTORABLE.sub("", key): _storable(item) for key, item in value.items()}
    return value
