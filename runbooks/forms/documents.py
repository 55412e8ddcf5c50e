"""Writing documents, what is known of them, and decisions about their versions."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify

from core.forms import AsciiIntegerField, MultilineText, VisibleText
from incidents.forms.fields import Lines, Tags
from incidents.models import Role, Severity
from incidents.models.lifecycle import IncidentType
from people.models import User
from runbooks.expressions import check_condition
from runbooks.models import Document, DocumentKind, ReviewCycle
from runbooks.problems import longest

ARROW = re.compile(r"\s*(?:→|->)\s*")
SETS = {"tags", "related", "approvers", "version"}  # of the facts, what is no column
NO_SPELLING = {"spellcheck": "false"}


class SomeOf(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]  # the class takes none when it runs
    """Rows by their keys; a number that no key can be is refused before the database is asked for it."""

    def clean(self, value: Any) -> Any:
        if any(not (str(one).isascii() and str(one).isdigit() and len(str(one)) < 19) for one in value or []):
            raise ValidationError("Choose from the list.")
        return super().clean(value)


class Slugs(VisibleText):
    """Names of documents, as they stand in their addresses, separated by commas."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(one.slug for one in value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> list[Document]:  # type: ignore[override]  # a list, where CharField has a text
        names = list(dict.fromkeys(word.strip(" []").lower() for word in super().to_python(value).split(",")))
        names = [name for name in names if name]
        found = {one.slug: one for one in Document.objects.filter(slug__in=names).defer("folded")}
        if missing := [name for name in names if name not in found]:
            raise ValidationError(f"There is no document “{missing[0]}”.", code="missing")
        return [found[name] for name in names]


class Escalations(Lines):
    """One rule in a line: `affectedUsers > 50 → Tell the executive sponsor`."""

    def prepare_value(self, value: Any) -> Any:
        rows = [f"{one['condition']} → {one['action']}" for one in value] if isinstance(value, list) else value
        return super().prepare_value(rows)

    def to_python(self, value: Any) -> list[dict[str, str]]:  # type: ignore[override]  # rules, where it has lines
        found = []
        for line in super().to_python(value):
            condition, *rest = ARROW.split(str(line), maxsplit=1)
            if not rest or not condition or not rest[0]:
                raise ValidationError(f"Write “condition → what to do”: {line}", code="rule")
            check_condition(condition)
            found.append({"condition": condition, "action": rest[0]})
        return found


class TextForm(forms.Form):
    """The text of a draft; `version` is that of the draft's row, empty where there is none yet."""

    version = AsciiIntegerField(required=False, min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)
    subject = VisibleText(required=False, max_length=200)
    body = MultilineText(required=False, label="Text")
    change_note = VisibleText(
        required=False, max_length=300, label="What is new", help_text="One line for the list of versions."
    )

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = kind
        if kind != DocumentKind.TEMPLATE:
            del self.fields["subject"]
        is_code = kind in (DocumentKind.RUNBOOK, DocumentKind.TEMPLATE)
        attrs = {"rows": 26, "data-markdown": "bare", **(NO_SPELLING if is_code else {})}
        widget = forms.Textarea(attrs={**attrs, "class": "mono"} if kind == DocumentKind.RUNBOOK else attrs)
        self.fields["body"] = MultilineText(required=False, label="Text", max_length=longest(kind), widget=widget)


class NewForm(TextForm):
    """A document that begins."""

    title = VisibleText(max_length=200, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}))
    slug = VisibleText(
        required=False, max_length=80, label="Name in its address",
        help_text="Small letters, digits and -; it stays, and [[name]] links to it. Empty: made from the title.",
    )  # fmt: skip
    summary = VisibleText(required=False, max_length=300, help_text="One line: when to use it.")
    tags = Tags(required=False, max_length=900, help_text="Separated by commas.")
    field_order = ("title", "slug", "summary", "tags", "subject", "body")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["change_note"]
        del self.fields["version"]

    def clean(self) -> dict[str, Any]:
        """The slug from the title, where there is none."""
        data = super().clean() or {}
        if "title" in data and not data.get("slug"):
            data["slug"] = slugify(data["title"])[:80].strip("-")
        return data


def _several(choices: list[tuple[str, str]], label: str) -> forms.MultipleChoiceField:
    widget = forms.CheckboxSelectMultiple
    return forms.MultipleChoiceField(choices=choices, label=label, required=False, widget=widget)


class FactsForm(forms.Form):
    """What is known of a document besides its text."""

    version = AsciiIntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)
    title = VisibleText(max_length=200)
    summary = VisibleText(required=False, max_length=300)
    owner = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Nobody")
    tags = Tags(required=False, max_length=900, help_text="Separated by commas.")
    review_cycle = forms.ChoiceField(choices=ReviewCycle.choices, required=False, label="Review")
    review_days = AsciiIntegerField(
        required=False, min_value=1, max_value=3650, label="Days between reviews", help_text="For “every … days”."
    )
    incident_types = _several(IncidentType.choices, "Types of incident")
    severities = _several(Severity.choices, "Severities")
    roles = _several(Role.choices, "Roles")
    departments = Lines(required=False, help_text="One in a line.", widget=forms.Textarea(attrs={"rows": 2}))
    related = Slugs(
        required=False, max_length=2000, label="Related documents", help_text="Names in their addresses, with commas."
    )
    starts_by_itself = forms.BooleanField(
        required=False, label="Starts by itself", help_text="When an incident opens that it applies to."
    )
    escalations = Escalations(
        required=False, label="Escalate",
        help_text="One rule in a line, such as: affectedUsers > 50 → Tell the executive sponsor",
    )  # fmt: skip
    approvals_needed = AsciiIntegerField(min_value=1, max_value=9, label="Approvals needed")
    approvers = SomeOf(
        User.objects.none(), required=False, label="Named approvers", help_text="Each of them has to agree."
    )

    def __init__(self, *args: Any, document: Document, may_govern: bool, **kwargs: Any) -> None:
        names = [name for name in self.base_fields if name not in ("related", "approvers", "tags")]
        initial = {name: getattr(document, name) for name in names}
        initial |= {"related": list(document.related.all()), "approvers": document.approvers.all()}
        initial["tags"] = list(document.tags.values_list("name", flat=True))
        super().__init__(*args, **{**kwargs, "initial": initial})
        self.fields["owner"].queryset = User.objects.team()  # type: ignore[attr-defined]
        self.fields["approvers"].queryset = User.objects.team()  # type: ignore[attr-defined]
        hidden = {"approvals_needed", "approvers"} if not may_govern else set()
        if document.kind != DocumentKind.RUNBOOK:
            hidden |= {"starts_by_itself", "escalations"}
        for name in hidden:
            del self.fields[name]

    def _some(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names if name in self.fields]

    @property
    def wide(self) -> list[forms.BoundField]:
        """What is as wide as the page: the first of its four parts, in the order they are filled in."""
        return self._some("title", "summary", "tags")

    @property
    def short(self) -> list[forms.BoundField]:
        """Who and how often."""
        return self._some("owner", "review_cycle", "review_days", "approvals_needed", "approvers")

    @property
    def scope(self) -> list[forms.BoundField]:
        """What it is for, in long lists of boxes."""
        return self._some("incident_types", "severities", "roles")

    @property
    def rest(self) -> list[forms.BoundField]:
        """What comes after that."""
        return self._some("departments", "related", "starts_by_itself", "escalations")

    def changes(self) -> dict[str, Any]:
        """Arguments of edit_facts."""
        data = dict(self.cleaned_data)
        sets: dict[str, Any] = {name: data[name] for name in ("tags", "related", "approvers") if name in data}
        if "approvers" in sets:
            sets["approvers"] = list(sets["approvers"])
        fields = {name: value for name, value in data.items() if name not in SETS}
        return {"version": data["version"], "fields": fields, **sets}


class DecideForm(forms.Form):
    """What an approver says to the version that `seen` names."""

    seen = forms.RegexField(r"\A[0-9]{1,9}\.[0-9]{1,9}\Z", widget=forms.HiddenInput)
    comment = MultilineText(max_length=4000, widget=forms.Textarea(attrs={"rows": 3}))
    activate = forms.BooleanField(required=False, initial=True, label="Put it in force as soon as it is approved")


class ReviewForm(forms.Form):
    """That somebody looked at it."""

    note = MultilineText(
        required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What you checked. A review counts although nothing had to change.",
    )  # fmt: skip


class ReasonForm(forms.Form):
    """Why a document goes out of use."""

    reason = MultilineText(max_length=2000, widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}))
