"""Which characters are refused where, without Django: for core.text, and for what must be readable without it."""

import re
import unicodedata

NEWLINES = re.compile("\r\n?|[\u0085\u2028\u2029]")
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters except tab and newline."""
SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of a character: no database and no UTF-8 takes them."""
OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of writing: they hide what a title or an automation says."""

_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by category that show as nothing: Hangul fillers and the empty Braille cell."""


def is_visible(text: str) -> bool:
    """Whether any character leaves ink: a letter, number, punctuation mark or symbol."""
    return any(unicodedata.category(char)[0] in "LNPS" and char not in _BLANK_LETTERS for char in text)
