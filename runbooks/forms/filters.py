"""Filtering documents: an explicit list of parameters; what is not understood is left out."""

from typing import Any

from django import forms
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.http import QueryDict
from django.utils import timezone

from core.forms import AsciiIntegerField, VisibleText
from incidents.models import Severity
from incidents.models.lifecycle import IncidentType
from runbooks.models import Document, DocumentKind, VersionState

MOST_WORDS = 10
STATES = [
    ("", "Any"), ("active", "In force"), ("none", "Not in force yet"), ("draft", "With a draft"),
    ("in_review", "In review"), ("approved", "Approved, not in force"), ("archived", "Archived"),
]  # fmt: skip


class DocumentFilter(forms.Form):
    """What the list may be narrowed by."""

    q = VisibleText(required=False, max_length=200, label="Words")
    kind = forms.ChoiceField(choices=[("", "Any"), *DocumentKind.choices], required=False)
    state = forms.ChoiceField(choices=STATES, required=False)
    type = forms.ChoiceField(choices=[("", "Any"), *IncidentType.choices], required=False, label="Type of incident")
    severity = forms.ChoiceField(choices=[("", "Any"), *reversed(Severity.choices)], required=False)
    owner = AsciiIntegerField(required=False, min_value=1, widget=forms.Select)
    tag = VisibleText(required=False, max_length=60)
    overdue = forms.BooleanField(required=False, label="Review is late")

    def __init__(self, data: QueryDict, *, kind: str = "", owners: list[tuple[int, str]]) -> None:
        super().__init__(data)
        if kind:
            del self.fields["kind"]
        self.fields["owner"].widget.choices = [("", "Anybody"), *owners]
        self.is_valid()  # what makes no sense is left out of cleaned_data

    @property
    def asked(self) -> dict[str, Any]:
        """What narrows the list, by name."""
        return {name: value for name, value in self.cleaned_data.items() if value}

    def narrowed(self, rows: QuerySet[Document]) -> QuerySet[Document]:
        """Those that fit. Archived ones are shown only where they are asked for."""
        asked = self.asked
        for word in asked.get("q", "").casefold().split()[:MOST_WORDS]:
            rows = rows.filter(folded__contains=word)
        for name, column in (("kind", "kind"), ("owner", "owner")):
            if name in asked:
                rows = rows.filter(**{column: asked[name]})
        for name, column in (("type", "incident_types"), ("severity", "severities")):
            if name in asked:  # a list in JSON: its text holds the value in quotes on both databases
                text = f"{column}_text"
                rows = rows.annotate(**{text: _as_text(column)})
                rows = rows.filter(Q(**{f"{text}__contains": f'"{asked[name]}"'}) | Q(**{column: []}))
        if "tag" in asked:
            rows = rows.filter(tags__name="-".join(asked["tag"].lstrip("#").casefold().split()))
        if "overdue" in asked:
            rows = rows.filter(archived_at=None, review_due__lt=timezone.localdate())
        return _in_state(rows, asked.get("state", ""))


def _as_text(column: str) -> Any:
    return Cast(column, TextField())


def _in_state(rows: QuerySet[Document], state: str) -> QuerySet[Document]:
    if state == "archived":
        return rows.filter(archived_at__isnull=False)
    rows = rows.filter(archived_at=None)
    if state in ("active", "none"):
        return rows.filter(active__isnull=state == "none")
    if state in (VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.APPROVED):
        return rows.filter(versions__state=state)
    return rows
