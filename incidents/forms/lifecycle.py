"""Steps of the life cycle, severity, restriction, approval."""

from typing import Any

from django import forms

from core.forms import MultilineText
from incidents.models import Incident, Severity, Status
from incidents.models.guards import leads_guard
from incidents.models.lifecycle import Resolution

REASON = forms.Textarea(attrs={"rows": 3})
ENDS = [("", "Resolved"), (Resolution.FALSE_POSITIVE.value, Resolution.FALSE_POSITIVE.label)]


class StepForm(forms.Form):
    """A step; `seen` is the status the person saw when they decided. `may_sign`: whether they answer for open leads."""

    seen = forms.ChoiceField(choices=Status.choices, widget=forms.HiddenInput)
    status = forms.ChoiceField(label="New stage", choices=Status.choices)
    resolution = forms.ChoiceField(
        choices=ENDS, required=False, label="How it ended", help_text="Counts only for Closed."
    )
    leads_reason = MultilineText(
        required=False, max_length=2000, widget=REASON, label="I sign that open leads stay open, because",
        help_text="Stands in the journal under your name.",
    )  # fmt: skip
    reason = MultilineText(
        required=False, max_length=2000, widget=REASON,
        help_text="Needed for every step but the next one: back, ahead, or to reopen.",
    )  # fmt: skip

    def __init__(self, *args: Any, incident: Incident, may_sign: bool = False, **kwargs: Any) -> None:
        following = incident.stage.next or Status.REVIEW  # reopening goes one step back
        kwargs.setdefault("initial", {"seen": incident.status, "status": following.value})
        super().__init__(*args, **kwargs)
        if not incident.is_open:
            del self.fields["resolution"]
            self.fields["reason"].required = True
        if not (may_sign and incident.leads_open and leads_guard(incident.stage, Status.CLOSED)):
            del self.fields["leads_reason"]
        steps = self.fields["status"]
        assert isinstance(steps, forms.ChoiceField)  # noqa: S101 (says its type)
        if not self.is_bound:
            steps.choices = [
                (one.value, f"{one.label} (next)" if one is incident.stage.next else one.label)
                for one in Status
                if one is not incident.stage
            ]

    def clean(self) -> dict[str, Any]:
        """An ending belongs to Closed alone."""
        data = super().clean() or {}
        if data.get("resolution") and data.get("status") not in (None, Status.CLOSED):
            self.add_error("resolution", "A false positive is closed as such: choose Closed.")
        return data


class SeverityForm(forms.Form):
    """How bad it is, said by a person."""

    severity = forms.ChoiceField(choices=list(reversed(Severity.choices)), widget=forms.RadioSelect)
    reason = MultilineText(required=False, max_length=2000, widget=REASON)


class RestrictForm(forms.Form):
    """Hide it from everybody without a role, or open it again; why is written down."""

    restricted = forms.TypedChoiceField(
        choices=[("yes", "yes"), ("no", "no")], coerce=lambda value: value == "yes", widget=forms.HiddenInput
    )
    reason = MultilineText(max_length=2000, widget=REASON)


class ApproveForm(forms.Form):
    """The approval of the text named by `seen`."""

    seen = forms.RegexField(r"\A[0-9a-f]{64}\Z", widget=forms.HiddenInput)
    comment = MultilineText(required=False, max_length=2000, widget=REASON)
