"""Secrets as dots: in every text that is kept of an execution, however the other side wrote them down again."""

import base64
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

from runbooks.queries.automations import DOTS
from runbooks.registry import Hidden

LEAST_OF_IT = 4  # characters at the end of a text that was cut off, which a secret begins with


def masked(text: str, hidden: Iterable[Hidden]) -> str:
    """The text with dots where a secret stands, in capitals or small letters, also as others encode it."""
    for one in hidden:
        for spelling in _spellings(one.value):
            if spelling.lower() in text.lower():
                text = re.sub(re.escape(spelling), DOTS, text, flags=re.IGNORECASE)
            text = _without_beginning(text, spelling)
    return text


def masked_data(value: Any, hidden: tuple[Hidden, ...]) -> Any:
    """The same for data, names in it among them."""
    if isinstance(value, str):
        return masked(value, hidden)
    if isinstance(value, dict):
        return {masked(key, hidden): masked_data(item, hidden) for key, item in value.items()}
    return [masked_data(item, hidden) for item in value] if isinstance(value, list) else value


@lru_cache(maxsize=64)
def _spellings(value: str) -> tuple[str, ...]:
    """How it may be written, the longest first."""
    found = {value, quote(value), quote(value, safe=""), quote(value, safe="/?:@!$&'()*+,;=-._~%[]"), quote_plus(value)}
    for text in (json.dumps(value, ensure_ascii=False)[1:-1], json.dumps(value)[1:-1]):
        found |= {text, text.replace("/", "\\/")}
    web = escape(value)
    found |= {web, escape(value, quote=False), web.replace("&#x27;", "&#39;"), web.replace("&quot;", "&#34;")}
    found |= {value.encode().hex(), *_in_base64(value.encode())}
    return tuple(sorted(found, key=len, reverse=True))


def _in_base64(value: bytes) -> Iterator[str]:
    """The signs that it alone decides, wherever it stands in what was encoded (as the password in user:password)."""
    for before, of_others in ((0, 0), (1, 2), (2, 3)):
        whole = base64.b64encode(b"\0" * before + value).decode().rstrip("=")
        own = whole[of_others : (before + len(value)) * 8 // 6]
        yield own
        yield own.translate(str.maketrans("+/", "-_"))


def _without_beginning(text: str, spelling: str) -> str:
    """Where the text was cut off within a secret, its beginning goes as well."""
    end = text[-len(spelling) :].rstrip("\ufffd").lower()
    start = spelling.lower()
    if start[:LEAST_OF_IT] not in end:
        return text
    for length in range(min(len(end), len(start) - 1), LEAST_OF_IT - 1, -1):
        if end.endswith(start[:length]):
            return text.rstrip("\ufffd")[:-length] + DOTS
    return text
