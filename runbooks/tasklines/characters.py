"""Which characters are refused where; the rules of core.text, which needs Django and so cannot be asked here."""

import re
import unicodedata

NEWLINES = re.compile("\r\n?|[\u0085\u2028\u2029]")
UNSTORABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters except tab and newline, and halves of characters."""
OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
"""Characters that change the direction of writing: they hide what a title or an automation says."""

_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")


def is_visible(text: str) -> bool:
    """Whether any character leaves ink."""
    return any(unicodedata.category(char)[0] in "LNPS" and char not in _BLANK_LETTERS for char in text)


def named(char: str) -> str:
    """The character for a message: `U+202E`."""
    return f"U+{ord(char):04X}"
