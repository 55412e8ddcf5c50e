"""The words a ticket is found by."""

from django import forms

from incidents.forms.fields import Tags


class TagsForm(forms.Form):
    """Words separated by commas; `seen` are those that the form began with, so that nobody loses what others added."""

    tags = Tags(
        required=False, max_length=900, help_text="Separated by commas.",
        widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off", "list": "known-tags"}),
    )  # fmt: skip
    seen = Tags(required=False, max_length=900, widget=forms.HiddenInput)
