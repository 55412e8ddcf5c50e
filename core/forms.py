"""Form fields that pass everything typed through core/text.py."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.markdown import LIMIT
from core.text import clean_text

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_BIGGEST = 2**63 - 1


class VisibleText(forms.CharField):
    """One line: a title, a name, a tag."""

    multiline = False

    def to_python(self, value: Any) -> str:
        if value in self.empty_values:
            return ""
        return clean_text(str(value), max_length=self.max_length, multiline=self.multiline, required=False)


class MultilineText(VisibleText):
    """Text of several lines, Markdown or plain; at most core.markdown.LIMIT characters unless told otherwise."""

    multiline = True
    widget = forms.Textarea

    def __init__(self, *, max_length: int = LIMIT, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)


class AsciiIntegerField(forms.IntegerField):
    """A whole number in the digits 0 to 9 that fits a 64-bit column; digits of other scripts mislead the eye."""

    def __init__(self, *, min_value: int = -_BIGGEST, max_value: int = _BIGGEST, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str):
            value = value.strip()
            if value and not _INTEGER.fullmatch(value):
                raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)
