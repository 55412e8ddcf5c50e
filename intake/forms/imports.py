"""Handing in a file."""

from django import forms

from core.forms import VisibleText
from intake.adapters import all_adapters


class UploadForm(forms.Form):
    """A file of alerts and, where it cannot be told from the content, its format."""

    file = forms.FileField(label="File", max_length=200)
    format = forms.ChoiceField(label="Format", required=False, choices=[])
    sensor = VisibleText(
        label="Which sensor or site",
        required=False,
        max_length=120,
        help_text="Only if the alerts do not say it themselves: it keeps equal ids of two installations apart.",
    )

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        known = [(name, adapter.label) for name, adapter in all_adapters().items()]
        self.fields["format"] = forms.ChoiceField(
            label="Format", required=False, choices=[("", "Tell it from the content"), *known]
        )
