"""How a run ends: what one thought of the runbook, or why it is stopped."""

from django import forms

from core.forms import AsciiIntegerField, MultilineText, VisibleText
from runbooks.models import SuggestionState

RATINGS = [("5", "5, just right"), ("4", "4"), ("3", "3"), ("2", "2"), ("1", "1, no use")]
WORKED = [("yes", "Yes"), ("no", "No")]


class FinishForm(forms.Form):
    """Rating and what was learned."""

    version = AsciiIntegerField(min_value=1, widget=forms.HiddenInput)
    rating = forms.ChoiceField(label="How well did it serve?", choices=RATINGS, widget=forms.RadioSelect)
    worked = forms.ChoiceField(label="Did it do what it is for?", choices=WORKED, widget=forms.RadioSelect)
    notes = MultilineText(
        label="Notes", required=False, max_length=10_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="What went well, what did not, what took long.",
    )  # fmt: skip
    suggestion = MultilineText(
        label="For the next version", required=False, max_length=5_000, widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown on the page of the runbook to whoever may see this incident.",
    )  # fmt: skip

    def clean_rating(self) -> int:
        return int(self.cleaned_data["rating"])

    def clean_worked(self) -> bool:
        return bool(self.cleaned_data["worked"] == "yes")


class AnswerForm(forms.Form):
    """What becomes of a suggestion."""

    state = forms.ChoiceField(
        choices=[(one.value, one.label) for one in (SuggestionState.TAKEN, SuggestionState.DECLINED)]
    )

    def clean_state(self) -> SuggestionState:
        return SuggestionState(self.cleaned_data["state"])


class StopForm(forms.Form):
    """Why."""

    reason = VisibleText(label="Reason", max_length=300, widget=forms.TextInput(attrs={"autofocus": True}))
