"""What people say on a ticket."""

from django import forms

from core.forms import MultilineText
from tickets.forms.tickets import VersionForm, markdown_area

SHARED = "The customer will read this"
HELP = "Markdown. @name tells somebody, #101 names a ticket."


class CommentForm(forms.Form):
    """A new comment."""

    body = MultilineText(
        label="Comment",
        help_text=HELP,
        widget=markdown_area(2, placeholder="Comment, Markdown, @name"),
    )
    shared = forms.BooleanField(label=SHARED, required=False)


class EditCommentForm(VersionForm):
    """One's own comment, changed."""

    body = MultilineText(label="Comment", help_text=HELP, widget=markdown_area(6, autofocus=True))
    shared = forms.BooleanField(label=SHARED, required=False)


class ReportForm(forms.Form):
    """Whether a comment stands in the report."""

    in_report = forms.BooleanField(required=False)
