"""Which characters are refused where: the rules of all texts (core.characters), as a line of tasks needs them."""

import re

from core.characters import CONTROLS, NEWLINES, OVERRIDES, SURROGATES, is_visible

UNSTORABLE = re.compile(f"{CONTROLS.pattern}|{SURROGATES.pattern}")
"""Control characters except tab and newline, and halves of characters."""

__all__ = ["NEWLINES", "OVERRIDES", "UNSTORABLE", "is_visible", "named"]


def named(char: str) -> str:
    """The character for a message: `U+202E`."""
    return f"U+{ord(char):04X}"
