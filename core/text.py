"""The one validator for text that comes in, from a form, the API or an import."""

import re
import unicodedata

from django.core.exceptions import ValidationError

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Control characters except tab and newline."""
SURROGATES = re.compile("[\ud800-\udfff]")
"""Halves of a character: no database and no UTF-8 takes them."""

_NEWLINES = re.compile("\r\n?|[\u0085\u2028\u2029]")
_DIRECTION_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
_BLANK_LETTERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and symbols by category that show as nothing: Hangul fillers and the empty Braille cell."""


def is_visible(text: str) -> bool:
    """Whether any character leaves ink: a letter, number, punctuation mark or symbol."""
    return any(unicodedata.category(char)[0] in "LNPS" and char not in _BLANK_LETTERS for char in text)


def clean_text(value: str, *, max_length: int | None, multiline: bool, required: bool = True) -> str:
    """The text as it is stored: trimmed, newlines as U+000A; at most `max_length` characters (code points).

    In multiline text other control characters are dropped (pasted terminal output has them, they show nothing) and
    direction overrides are kept. A single line refuses both, and turns a tab into a space. Without `required` an empty
    text is fine; a text of invisible characters never is.

    Raises:
        ValidationError: says in words what is wrong; codes `null_characters`, `surrogate`, `control`, `newline`,
            `direction`, `max_length`, `invisible`.
    """
    if "\x00" in value:
        raise ValidationError("Null characters are not allowed.", code="null_characters")
    if SURROGATES.search(value):
        raise ValidationError("This text is not valid Unicode.", code="surrogate")
    text = _NEWLINES.sub("\n", value)
    text = CONTROLS.sub("", text).strip() if multiline else _single_line(text)
    if not text and not required:
        return ""
    if not is_visible(text):
        raise ValidationError("This must contain visible text.", code="invisible")
    if max_length is not None and len(text) > max_length:
        raise ValidationError(
            "Use at most %(max)d characters (this has %(length)d).",
            code="max_length",
            params={"max": max_length, "length": len(text)},
        )
    return text


def _single_line(text: str) -> str:
    text = text.replace("\t", " ").strip()
    if "\n" in text:
        raise ValidationError("This must be a single line.", code="newline")
    if CONTROLS.search(text):
        raise ValidationError("Control characters are not allowed here.", code="control")
    if _DIRECTION_OVERRIDES.search(text):
        raise ValidationError(
            "Characters that change the direction of writing are not allowed here: they hide what a name says.",
            code="direction",
        )
    return text
