"""Declaring an incident, and editing it part by part. Each form lists its fields: nothing else can be set."""

from typing import Any, ClassVar
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from core.forms import AsciiIntegerField, MultilineText, VisibleText
from incidents.forms.fields import Lines, Moment, Tags
from incidents.models import Incident, Severity
from incidents.models.lifecycle import IncidentType, Tlp
from people.models import Customer, User

TEXT = {"rows": 10, "data-markdown": ""}  # components/field.html puts a preview beside it
NOT_FIELDS = {"version", "tags", "seen_tags"}


def _key() -> str:
    return uuid4().hex


class DeclareForm(forms.Form):
    """Only the title is needed. `key` names this form: sent twice, it makes one incident."""

    key = forms.RegexField(r"\A[0-9a-f]{32}\Z", required=False, initial=_key, widget=forms.HiddenInput)
    title = VisibleText(
        max_length=200, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}),
        help_text="What is going on, in one line. Everything else can follow later.",
    )  # fmt: skip
    type = forms.ChoiceField(choices=IncidentType.choices, required=False, initial=IncidentType.OTHER)
    severity = forms.ChoiceField(
        choices=[("", "Not assessed yet"), *reversed(Severity.choices)], required=False,
        help_text="Leave it open if nobody can say yet: then it stands at Medium until somebody assesses it.",
    )  # fmt: skip
    customer = forms.ModelChoiceField(
        Customer.objects.filter(active=True), required=False, empty_label="None: our own incident"
    )
    commander = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Nobody yet")
    tlp = forms.ChoiceField(label="TLP", choices=Tlp.choices, required=False, initial=Tlp.AMBER)
    detected_at = Moment(label="Detected (UTC)", required=False, past=True, help_text="Empty: now.")
    detection_source = VisibleText(label="Detected by", max_length=120, required=False)
    summary = MultilineText(
        required=False, widget=forms.Textarea(attrs={"rows": 5, "data-markdown": "bare"}), help_text="Markdown."
    )
    tags = Tags(required=False, max_length=900, help_text="Separated by commas.")
    restricted = forms.BooleanField(
        required=False, label="Restricted", help_text="Only people with a role in this incident will see it."
    )
    exercise = forms.BooleanField(required=False, label="Exercise", help_text="A planned drill, not a real incident.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        people = self.fields["commander"]
        assert isinstance(people, forms.ModelChoiceField)  # noqa: S101 (says its type)
        people.queryset = User.objects.team()

    def opened(self) -> dict[str, Any]:
        """Arguments of open_incident; a severity left open is not assessed."""
        data = {name: value for name, value in self.cleaned_data.items() if name != "key"}
        data["assessed"] = bool(data["severity"])
        data["severity"] = data["severity"] or Severity.MEDIUM
        data["type"] = data["type"] or IncidentType.OTHER
        data["tlp"] = data["tlp"] or Tlp.AMBER
        return data


class PartForm(forms.Form):
    """Some fields of an incident, as they stood in `version`."""

    heading: ClassVar[str]
    wide: ClassVar[bool] = False
    version = AsciiIntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        self.incident = incident
        kwargs["initial"] = {name: self.present(name) for name in self.base_fields}
        super().__init__(*args, **kwargs)

    def present(self, name: str) -> Any:
        """The field's value now."""
        return getattr(self.incident, name)

    def submitted(self) -> dict[str, Any]:
        """Fields of the incident as they were sent."""
        return {name: value for name, value in self.cleaned_data.items() if name not in NOT_FIELDS}


class SummaryForm(PartForm):
    """What actually happened."""

    heading = "Summary"
    wide = True
    summary = MultilineText(required=False, widget=forms.Textarea(attrs=TEXT), help_text="Markdown.")


class SituationForm(PartForm):
    """Where we stand."""

    heading = "Where do we stand"
    wide = True
    situation = MultilineText(
        required=False, label="Where do we stand", widget=forms.Textarea(attrs=TEXT),
        help_text="Markdown. Write it for somebody who comes in now: what is known, what is open, what happens next.",
    )  # fmt: skip


class FactsForm(PartForm):
    """Title, kind, customer, times and tags."""

    heading = "Facts"
    title = VisibleText(max_length=200)
    type = forms.ChoiceField(choices=IncidentType.choices)
    customer = forms.ModelChoiceField(Customer.objects.none(), required=False, empty_label="None: our own incident")
    tlp = forms.ChoiceField(label="TLP", choices=Tlp.choices)
    detected_at = Moment(label="Detected (UTC)", past=True)
    detection_source = VisibleText(label="Detected by", max_length=120, required=False)
    occurred_at = Moment(label="Attacker began (UTC)", required=False, past=True)
    tags = Tags(required=False, max_length=900, help_text="Separated by commas.")
    seen_tags = Tags(required=False, max_length=900, widget=forms.HiddenInput)

    def __init__(self, *args: Any, incident: Incident, **kwargs: Any) -> None:
        self._tags = list(incident.tags.values_list("name", flat=True))
        super().__init__(*args, incident=incident, **kwargs)
        customers = self.fields["customer"]
        assert isinstance(customers, forms.ModelChoiceField)  # noqa: S101 (says its type)
        customers.queryset = Customer.objects.filter(Q(active=True) | Q(pk=incident.customer_id))

    def present(self, name: str) -> Any:
        """Tags are a list of names; the moments are those of the row."""
        return self._tags if name in ("tags", "seen_tags") else super().present(name)


class ImpactForm(PartForm):
    """What is affected, and what it costs."""

    heading = "Impact"
    wide = True
    affected_systems = Lines(required=False, help_text="One per line.")
    affected_services = Lines(required=False, help_text="One per line.")
    data_types = Lines(required=False, label="Data concerned", help_text="Kinds of data, one per line.")
    affected_users = AsciiIntegerField(required=False, min_value=0, max_value=2**31 - 1, label="People affected")
    financial_amount = forms.DecimalField(required=False, min_value=0, max_digits=14, decimal_places=2, label="Cost")
    financial_currency = VisibleText(required=False, max_length=3, label="Currency", help_text="Three letters: EUR.")
    business_impact = MultilineText(
        required=False, widget=forms.Textarea(attrs={**TEXT, "rows": 6}), help_text="Markdown."
    )

    def clean_financial_currency(self) -> str:
        """An ISO 4217 code in capitals."""
        code: str = self.cleaned_data["financial_currency"].upper()
        if code and not (code.isascii() and code.isalpha() and len(code) == 3):
            raise ValidationError("A currency has three letters, such as EUR.")
        return code

    def clean(self) -> dict[str, Any]:
        """An amount needs its currency."""
        data = super().clean() or {}
        if data.get("financial_amount") is not None and data.get("financial_currency") == "":
            self.add_error("financial_currency", "Say in which currency.")
        return data


class ReviewForm(PartForm):
    """Why it happened and what follows from it."""

    heading = "Review"
    wide = True
    root_cause = MultilineText(required=False, widget=forms.Textarea(attrs={**TEXT, "rows": 6}), help_text="Markdown.")
    contributing_factors = MultilineText(
        required=False, widget=forms.Textarea(attrs={**TEXT, "rows": 5}), help_text="Markdown."
    )
    lessons_learned = MultilineText(
        required=False, widget=forms.Textarea(attrs={**TEXT, "rows": 6}), help_text="Markdown."
    )


PARTS: dict[str, type[PartForm]] = {
    "summary": SummaryForm,
    "situation": SituationForm,
    "facts": FactsForm,
    "impact": ImpactForm,
    "review": ReviewForm,
}
