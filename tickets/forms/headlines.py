"""The line in which a branch says how it stands."""

from django import forms

from core.forms import VisibleText
from tickets.forms.tickets import VersionForm
from tickets.queries.headlines import MOST


class HeadlineForm(VersionForm):
    """One line, or none."""

    headline = VisibleText(
        required=False, max_length=MOST, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text="How this branch stands, in one line for those who read only the top of the tree.",
    )  # fmt: skip
