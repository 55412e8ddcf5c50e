"""A branch or a run as text that its writer looks over before it is saved: everybody of ours can read a runbook."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from core.forms import AsciiIntegerField, VisibleText
from runbooks.forms.quick import RawText
from runbooks.tasklines import TaskLinesRefused, parse


class _TextForm(forms.Form):
    """The text, which has to read well; its problems are told by line and column."""

    body = RawText(
        label="Text", strip=False,
        widget=forms.Textarea(attrs={"rows": 16, "spellcheck": "false", "class": "mono"}),
    )  # fmt: skip

    def clean_body(self) -> str:
        text = str(self.cleaned_data["body"]).replace("\r\n", "\n")
        try:
            found = parse(text)
        except TaskLinesRefused as refused:
            raise ValidationError([str(one) for one in refused.errors]) from refused
        if not found.tasks:
            raise ValidationError("A runbook needs a step: write - [ ] before a line.")
        return text


class SaveForm(_TextForm):
    """A new runbook."""

    title = VisibleText(label="Title", max_length=200, widget=forms.TextInput(attrs={"autofocus": True}))
    slug = forms.SlugField(label="Name in addresses", max_length=80, help_text="Small letters, digits and -.")
    summary = VisibleText(label="Summary", max_length=300, required=False)
    field_order = ("title", "slug", "summary", "body")


class UpdateForm(_TextForm):
    """The next version; `version` is the row of the draft that was seen, empty where there was none."""

    version = AsciiIntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    change_note = VisibleText(label="What is new", max_length=300, required=False)
    field_order = ("change_note", "body", "version")

    def clean(self) -> dict[str, Any]:
        return {**self.cleaned_data, "change_note": self.cleaned_data.get("change_note") or ""}
