"""What people say on a ticket."""

from django import forms

from core.forms import MultilineText
from tickets.forms.tickets import VersionForm

SHARED = "Shared with the customer"
HELP = "Markdown. @name tells somebody."


class CommentForm(forms.Form):
    """A new comment."""

    body = MultilineText(
        label="Comment",
        help_text=HELP,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "Comment, Markdown, @name"}),
    )
    shared = forms.BooleanField(label=SHARED, required=False)


class EditCommentForm(VersionForm):
    """One's own comment, changed."""

    body = MultilineText(label="Comment", help_text=HELP, widget=forms.Textarea(attrs={"rows": 6, "autofocus": True}))
    shared = forms.BooleanField(label=SHARED, required=False)


class ReportForm(forms.Form):
    """Whether a comment stands in the report."""

    in_report = forms.BooleanField(required=False)
