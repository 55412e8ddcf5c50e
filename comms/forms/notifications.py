"""Which notifications somebody has read."""

from django import forms


class ReadForm(forms.Form):
    """One by its key, or all of them where none is named."""

    notification = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
