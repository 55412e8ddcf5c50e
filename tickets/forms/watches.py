"""Whether one wants to hear of a ticket."""

from django import forms


class WatchForm(forms.Form):
    """The button: on, or off."""

    watch = forms.BooleanField(required=False)
