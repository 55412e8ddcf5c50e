"""Triage."""

from django import forms

from core.forms import VisibleText
from incidents.models import Severity


class PromoteForm(forms.Form):
    """Open an incident."""

    alike = forms.BooleanField(label="and all that say the same", required=False, initial=True)


class JoinForm(PromoteForm):
    """Put into an incident, named by its number."""

    number = VisibleText(label="Incident number", max_length=24)


class DismissForm(PromoteForm):
    """Say why it needs no incident."""

    reason = VisibleText(label="Why it needs no incident", max_length=300)


class PutBackForm(forms.Form):
    """Which dismissal is taken back: the number of its entry in the journal; none for one alert alone."""

    entry = forms.IntegerField(required=False, min_value=1, max_value=2**62)


class AlertFilter(forms.Form):
    """What the list shows; anything else in the query string is ignored."""

    state = forms.ChoiceField(
        required=False,
        choices=[("", "To triage"), ("incident", "In an incident"), ("dismissed", "Dismissed"), ("all", "All")],
    )
    severity = forms.ChoiceField(
        required=False,
        choices=[("", "Any severity"), *reversed(Severity.choices)],
        widget=forms.Select(attrs={"class": "form-select w-auto"}),
    )
    q = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={
                "class": "form-control w-auto",
                "type": "search",
                "placeholder": "Words in the title",
                "data-hotkey": "/",
            }
        ),
    )
