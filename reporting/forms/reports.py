"""What goes into a report."""

from typing import Any

from django import forms

from core import markdown
from incidents.models import Incident
from tickets.models import Comment

MOST = 500


def label(comment: Comment) -> str:
    """A comment by its first words."""
    author = comment.author or "Treeline"
    place = f"#{comment.ticket.number}, {author}, {comment.created_at:%d %b %H:%M} UTC"
    return f"{place}: {markdown.plain(comment.body, 110)}"


class ReportForm(forms.Form):
    """The comments of the incident; those marked on their ticket are chosen already."""

    comments = forms.TypedMultipleChoiceField(
        coerce=int, required=False, widget=forms.CheckboxSelectMultiple, label="Comments in the report"
    )

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Comment.objects.filter(ticket__incident=incident)
        marked = list(rows.filter(in_report=True).order_by("pk").values_list("pk", flat=True)[:MOST])
        # All that are marked can be chosen, however many newer ones there are.
        newest = list(rows.order_by("-pk").values_list("pk", flat=True)[:MOST])
        found = rows.filter(pk__in={*marked, *newest}).select_related("ticket", "author").order_by("ticket__lft", "pk")
        self.marked = len(marked)
        choice: Any = self.fields["comments"]
        choice.choices = [(comment.pk, label(comment)) for comment in found]
        choice.initial = marked
