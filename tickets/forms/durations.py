"""A field for lengths of time as people write them."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import VisibleText
from tickets.durations import in_words, minutes_of

MOST_LIMIT = 365 * 24 * 60


class Minutes(VisibleText):
    """A length of time, kept in whole minutes: from one to `most`; None where it is left empty."""

    def __init__(self, *, most: int = MOST_LIMIT, **kwargs: Any) -> None:
        self.most = most
        kwargs.setdefault("widget", forms.TextInput(attrs={"placeholder": "1h 30m", "autocomplete": "off", "size": 8}))
        super().__init__(max_length=40, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return in_words(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:  # type: ignore[override]  # a number, where CharField has a text
        if isinstance(value, int):
            return value
        text = super().to_python(value)
        if not text:
            return None
        found = minutes_of(text)
        if found is None:
            raise ValidationError("Write it as 2h, 1h 30m or 45m.", code="length")
        if not 1 <= found <= self.most:
            raise ValidationError(f"Give a time between one minute and {in_words(self.most)}.", code="length")
        return found

    def run_validators(self, value: Any) -> None:
        """A number has no length in characters."""
