"""Form fields of this room: lists typed one per line, tags, moments in UTC."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from core.forms import VisibleText
from core.text import clean_text

MOST_LINES = 200
MOST_TAGS = 20
YEARS = range(1990, 2101)


class Lines(forms.CharField):
    """A list of short texts, typed one per line: at most 200, each visible and at most 200 characters, each once."""

    widget = forms.Textarea(attrs={"rows": 4})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(str(item) for item in value) if isinstance(value, (list, tuple)) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list, where CharField has a text
        lines = [] if value in self.empty_values else str(value).splitlines()
        found = [clean_text(line, max_length=200, multiline=False, required=False) for line in lines if line.strip()]
        if len(found) > MOST_LINES:
            raise ValidationError(f"At most {MOST_LINES} lines (this has {len(found)}).", code="lines")
        return list(dict.fromkeys(found))


class Tags(VisibleText):
    """Words separated by commas; at most 20, each at most 40 characters. With script they are chips (js/tags.js)."""

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        found: dict[str, Any] = super().widget_attrs(widget)
        return found if widget.is_hidden else {**found, "data-tags": ""}

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, (list, tuple)) else value

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]  # a list, where CharField has a text
        found = [word.strip() for word in super().to_python(value).split(",") if word.strip(" #")]
        if len(found) > MOST_TAGS:
            raise ValidationError(f"At most {MOST_TAGS} tags (these are {len(found)}).", code="tags")
        if long := next((word for word in found if len(word) > 40), None):
            raise ValidationError(f"A tag has at most 40 characters: {long[:40]}…", code="tags")
        return found


class Moment(forms.DateTimeField):
    """A moment in UTC to the second, of a sane year; with `past` it cannot lie ahead."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")
    default_error_messages = {"invalid": "Write it as 2026-11-17T17:00 (UTC)."}

    def __init__(self, *, past: bool = False, **kwargs: Any) -> None:
        self.past = past
        super().__init__(**kwargs)

    def to_python(self, value: Any) -> dt.datetime | None:
        try:
            found = super().to_python(value)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error
        if found is None:
            return None
        if found.year not in YEARS:
            raise ValidationError(f"The year must be from {YEARS[0]} to {YEARS[-1]}.", code="year")
        if self.past and found > timezone.now() + dt.timedelta(minutes=10):
            raise ValidationError("This lies in the future.", code="future")
        return found.replace(microsecond=0)
