"""The one validator for text that comes in, from a form, the API or an import."""

from django.core.exceptions import ValidationError

from core.characters import CONTROLS, NEWLINES, OVERRIDES, SURROGATES, is_visible


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
    text = NEWLINES.sub("\n", value)
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
    if OVERRIDES.search(text):
        raise ValidationError(
            "Characters that change the direction of writing are not allowed here: they hide what a name says.",
            code="direction",
        )
    return text
