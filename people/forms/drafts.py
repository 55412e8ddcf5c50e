"""A text that is not finished."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import AsciiIntegerField, MultilineText
from people.models.drafts import MOST_ADDRESS

MOST_BYTES = 256 * 1024


class DraftForm(forms.Form):
    """`draft` names the field of the form at `path` in which the text stands; `version` is the form's own."""

    draft = forms.ChoiceField()
    text = MultilineText(required=False, max_length=MOST_BYTES)
    version = AsciiIntegerField(required=False, min_value=0, max_value=2**31 - 1)

    def __init__(self, *args: Any, path: str, fields: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.path = path
        self.fields["draft"].choices = [(name, name) for name in fields]  # type: ignore[attr-defined]

    def clean_text(self) -> str:
        """At most 256 kB as it is stored."""
        text: str = self.cleaned_data["text"]
        if len(text.encode()) > MOST_BYTES:
            raise ValidationError(f"A draft has at most {MOST_BYTES // 1024} kB.")
        return text

    def clean(self) -> dict[str, Any]:
        """An address that is longer than any of ours is none."""
        if len(self.path) > MOST_ADDRESS:
            raise ValidationError("There is no form at this address.")
        return super().clean() or {}
