"""Filtering the list of incidents: an explicit list of parameters; what is not understood is left out and named."""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import CharFilter, ChoiceFilter, DateFilter, FilterSet

from core.forms import VisibleText
from incidents.models import Incident, Severity, Status
from incidents.models.lifecycle import IncidentType
from incidents.queries.incidents import Choices

BESIDE = {"show", "sort", "page"}  # parameters of the list that are no filters
MOST_WORDS = 10
Rows = QuerySet[Incident]


class TextFilter(CharFilter):  # type: ignore[misc]  # django-filter has no types
    """A text that passes core/text.py first."""

    field_class = VisibleText


def _day(**extra: Any) -> DateFilter:
    return DateFilter(widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **extra)


class IncidentFilter(FilterSet):  # type: ignore[misc]  # django-filter has no types
    """What the list may be narrowed by."""

    q = TextFilter(method="with_words", label="Words", max_length=200)
    severity = ChoiceFilter(label="Severity", choices=list(reversed(Severity.choices)), empty_label="Any")
    type = ChoiceFilter(label="Type", choices=IncidentType.choices, empty_label="Any")
    status = ChoiceFilter(choices=Status.choices, label="Stage", empty_label="Any")
    customer = ChoiceFilter(label="Customer", empty_label="Any", null_label="None: our own")
    commander = ChoiceFilter(label="Commander", empty_label="Anybody", null_label="Nobody yet")
    tag = TextFilter(method="with_tag", max_length=60, label="Tag")
    exercise = ChoiceFilter(
        choices=[("no", "Real ones"), ("yes", "Exercises")], method="exercises", label="Exercise", empty_label="Both"
    )
    since = _day(method="from_day", label="Detected from")
    until = _day(method="to_day", label="Detected to")

    def __init__(self, data: QueryDict, rows: Rows, *, choices: Choices) -> None:
        super().__init__(data, rows)
        self.filters["customer"].extra["choices"] = choices.customers
        self.filters["commander"].extra["choices"] = choices.commanders

    def with_words(self, rows: Rows, name: str, value: str) -> Rows:
        """Every word must occur, in any case; #word is a tag."""
        for word in value.casefold().split()[:MOST_WORDS]:
            rows = rows.filter(folded__contains=word)
        return rows

    def with_tag(self, rows: Rows, name: str, value: str) -> Rows:
        """Exactly this tag."""
        return rows.filter(tags__name="-".join(value.lstrip("#").casefold().split()))

    def exercises(self, rows: Rows, name: str, value: str) -> Rows:
        """Only exercises, or none of them."""
        return rows.filter(exercise=value == "yes")

    def from_day(self, rows: Rows, name: str, value: dt.date) -> Rows:
        """Detected on this UTC day or later."""
        return rows.filter(detected_at__gte=dt.datetime.combine(value, dt.time.min, dt.UTC))

    def to_day(self, rows: Rows, name: str, value: dt.date) -> Rows:
        """Detected on this UTC day or earlier."""
        return rows.filter(detected_at__lte=dt.datetime.combine(value, dt.time.max, dt.UTC))


def understood(data: QueryDict, rows: Rows, choices: Choices) -> tuple[IncidentFilter, list[str]]:
    """The filter made of what makes sense in the query string, and the names of what does not."""
    refused = [name for name in data if name not in IncidentFilter.base_filters and name not in BESIDE]
    found = IncidentFilter(data, rows, choices=choices)
    if bad := list(found.form.errors):
        kept = data.copy()
        for name in bad:
            kept.pop(name, None)
        found = IncidentFilter(kept, rows, choices=choices)
        found.form.is_valid()
    return found, refused + bad
