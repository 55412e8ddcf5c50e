"""Files that people put on a ticket."""

from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError


class AttachForm(forms.Form):
    """One file; its name and type are what the sender claims."""

    file = forms.FileField(label="File", allow_empty_file=True, max_length=1000)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = settings.ATTACHMENT_MAX_BYTES
        self.fields["file"].widget.attrs["data-max-bytes"] = str(most)
        self.fields["file"].help_text = f"At most {most // 2**20} MB."

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if (file.size or 0) > settings.ATTACHMENT_MAX_BYTES:
            most, size = settings.ATTACHMENT_MAX_BYTES / 2**20, (file.size or 0) / 2**20
            raise ValidationError(f"The file has {size:.1f} MB; at most {most:.0f} MB can be attached.")
        return file
