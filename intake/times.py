"""Bring the times tools write into UTC, without guessing and without ever raising.

Only spellings that are listed here are read. What cannot be a time of an incident (unset markers, absurd years) becomes
None with a note that keeps the original text, so that a person can judge.
"""

import math
import re
from datetime import UTC, datetime, timedelta, timezone

EARLIEST_YEAR = 1980  # nothing an alert describes is older; an earlier year means a wrong unit or an unset field
LATEST_YEAR = 2099
_MAX_OFFSET = timedelta(hours=15)  # the real ones lie between -12:00 and +14:00

_TEXT = re.compile(
    r"""(?P<year>[0-9]{4,6})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})
    (?:[Tt\ ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,12}))?)?
    \ ?(?P<zone>[Zz]|UTC|[+-][0-9]{2}(?:[:.]?[0-9]{2})?)?)?""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"-?[0-9]{1,22}(?:\.[0-9]{1,12})?")
# 1601: FILETIME zero; 1970: epoch zero; 0001: .NET's DateTime.MinValue; 9999: "never"
_UNSET_YEARS = {1: "0001", 1601: "1601", 9999: "9999"}

Parsed = tuple[datetime | None, str | None]


def parse_time(value: object) -> Parsed:
    """Return (aware UTC datetime or None, note or None).

    Accepted: RFC 3339 and its usual dialects (offset without colon, blank before the zone, no zone, 1-12 digits of
    fraction, only a day), epoch numbers or digits as text, told apart by size: below 1e11 seconds, 1e14 milliseconds,
    1e17 microseconds, else nanoseconds. A note says what was assumed, or why there is no time.
    """
    if value is None or value == "":
        return None, None
    if isinstance(value, bool):
        return None, f"{str(value).lower()} is not a time"
    if isinstance(value, datetime):
        return _in_range(value if value.tzinfo else value.replace(tzinfo=UTC), value.isoformat())
    if isinstance(value, int | float):
        return _epoch(value, str(value)[:64]) if _finite(value) else (None, "a number too large to be a time")
    if not isinstance(value, str):
        return None, f"a {type(value).__name__} is not a time"
    text = value.strip()
    if _NUMBER.fullmatch(text):
        return _epoch(float(text) if "." in text else int(text), text)
    return _written(text)


def _finite(value: float) -> bool:
    return abs(value) < 10**30 if isinstance(value, int) else math.isfinite(value)


def _epoch(number: float, original: str) -> Parsed:
    size = abs(number)
    if size == 0:
        return None, "0 means unset"
    per_second = 1 if size < 1e11 else 10**3 if size < 1e14 else 10**6 if size < 1e17 else 10**9
    try:
        if isinstance(number, int):
            whole, rest = divmod(number, per_second)
            moment = datetime.fromtimestamp(whole, tz=UTC) + timedelta(microseconds=rest * 10**6 // per_second)
        else:
            moment = datetime.fromtimestamp(number / per_second, tz=UTC)
    except (OverflowError, ValueError, OSError):
        return None, f"{original} is out of range"
    return _in_range(moment, original)


def _written(text: str) -> Parsed:
    match = _TEXT.fullmatch(text) if len(text) <= 64 else None
    if match is None:
        return None, f"not understood as a time: {_shown(text)}"
    year = int(match["year"])
    if year in _UNSET_YEARS:
        return None, f"{_shown(text)} means unset"
    if not EARLIEST_YEAR - 10 <= year <= LATEST_YEAR + 1:
        return None, f"{_shown(text)} is not between {EARLIEST_YEAR} and {LATEST_YEAR}"
    zone, note = _zone(match["zone"], text)
    if zone is None:
        return None, note
    leap = match["second"] == "60"
    try:
        moment = datetime(
            year=year,
            month=int(match["month"]),
            day=int(match["day"]),
            hour=int(match["hour"] or 0),
            minute=int(match["minute"] or 0),
            second=59 if leap else int(match["second"] or 0),
            microsecond=int((match["fraction"] or "0")[:6].ljust(6, "0")),
            tzinfo=zone,
        )
    except ValueError:
        return None, f"no such time: {_shown(text)}"
    if leap:
        moment, note = moment + timedelta(seconds=1), f"leap second {_shown(text)} counted as the next second"
    if match["hour"] is None:
        note = f"{_shown(text)} names only a day; midnight UTC assumed"
    parsed, absurd = _in_range(moment, text)
    return parsed, absurd or note


def _zone(text: str | None, original: str) -> tuple[timezone | None, str | None]:
    if text is None:
        return UTC, f"{_shown(original)} names no zone; UTC assumed"
    if text in ("Z", "z", "UTC"):
        return UTC, None
    digits = re.sub(r"[^0-9]", "", text).ljust(4, "0")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if int(digits[2:]) > 59 or offset > _MAX_OFFSET:
        return None, f"no such zone: {_shown(original)}"
    return timezone(-offset if text[0] == "-" else offset), None


def _in_range(moment: datetime, original: str) -> Parsed:
    if not EARLIEST_YEAR <= moment.year <= LATEST_YEAR:
        if moment.timestamp() == 0:
            return None, f"{_shown(original)} means unset"
        return None, f"{_shown(original)} is not between {EARLIEST_YEAR} and {LATEST_YEAR}"
    return moment.astimezone(UTC), None


def _shown(text: str) -> str:
    """The original text, safe to put into a note."""
    clean = "".join(c if c.isprintable() else "?" for c in text[:64])
    return f"“{clean}”" + ("…" if len(text) > 64 else "")


def to_rfc3339(moment: datetime | None) -> str | None:
    """`2018-03-23T20:03:55.908596Z`; None stays None."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
