"""Lengths of time as people write them: 2h, 1h30m, 1 h 20 m, 45 (minutes), 1d."""

import re

from core.templatetags.treeline import minutes

LENGTH = re.compile(
    r"(?=[0-9])(?:([0-9]{1,4}) ?d(?:ays?)?)? ?(?:([0-9]{1,4}) ?h(?:ours?)?)? ?(?:([0-9]{1,6}) ?(?:m|min|minutes?)?)?"
)


def minutes_of(text: str) -> int | None:
    """The minutes a text means; None if it means none."""
    found = LENGTH.fullmatch(" ".join(text.lower().split()))
    if not found:
        return None
    days, hours, rest = (int(part or 0) for part in found.groups())
    return days * 1440 + hours * 60 + rest


def in_words(count: int | None) -> str:
    """90 as "1h 30m"; empty for None."""
    return minutes(count)
