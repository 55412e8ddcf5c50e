"""A button without fields: a form all the same, to carry why it did nothing."""

from django import forms


class NoFields(forms.Form):
    """Nothing is asked."""
