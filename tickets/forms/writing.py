"""What a field asks for while somebody writes in it."""

from django import forms

from core.forms import MultilineText, VisibleText


class PreviewForm(forms.Form):
    """A text as it stands now."""

    body = MultilineText(required=False)


class NamedForm(forms.Form):
    """The beginning of a name or of a ticket, with its sign: "@bo", "#10", "#disk"."""

    q = VisibleText(required=False, max_length=60)
