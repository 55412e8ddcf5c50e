"""Plain data: what templates see, what actions give, and what every database keeps."""

import json
import math
from collections.abc import Mapping
from typing import Any

MOST_ITEMS, DEEPEST_DATA = 10_000, 20
"""Values in one piece of data, and how deep they nest."""
MOST_INTEGER = 2**63

Data = Any
"""None, bool, int, float, str, and lists and dicts (with texts as keys) of them."""


class ExpressionError(ValueError):
    """A template or condition that is not allowed, or cannot be worked out; the text is for people."""


def plain(value: Any) -> Data:
    """A copy that is nothing but data and that every database keeps: what else it holds becomes text.

    Raises:
        ExpressionError: it is too deep or too large.
    """
    return _plain(value, [MOST_ITEMS], 0)


def _plain(value: Any, left: list[int], depth: int) -> Data:
    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST_DATA:
        raise ExpressionError("There are too many values, or they nest too deep.")
    if value is None or value is True or value is False:
        return value
    if isinstance(value, Mapping):
        return {_word(str(key)): _plain(item, left, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, left, depth + 1) for item in value]
    if isinstance(value, int) and -MOST_INTEGER <= value < MOST_INTEGER:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, int):
        raise ExpressionError("A number is too large.")
    return _word(str(value))


def _word(text: str) -> str:
    """A text without what no database keeps: NUL and halves of characters; an exact `str`, whatever it was."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def text_of(value: Data) -> str:
    """A value as it stands within a text: nothing for None, lists and mappings as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
