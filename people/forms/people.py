"""Groups and details of a person."""

from zoneinfo import available_timezones

from django import forms

from core.forms import VisibleText
from people.models import User
from people.models.rights import OURS


class GroupsForm(forms.Form):
    """What one of our own people may do."""

    groups = forms.MultipleChoiceField(
        choices=[(name, name) for name in OURS], required=False, widget=forms.CheckboxSelectMultiple
    )  # fmt: skip


class DetailsForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an admin keeps about a person."""

    name = VisibleText(max_length=120)
    job_title = VisibleText(max_length=120, required=False)
    phone = VisibleText(max_length=40, required=False)

    class Meta:
        model = User
        fields = ["name", "job_title", "phone"]


class ProfileForm(DetailsForm):
    """What a person says and wants, themselves."""

    time_zone = forms.ChoiceField(choices=[(name, name) for name in sorted(available_timezones())])

    class Meta(DetailsForm.Meta):
        fields = ["name", "job_title", "phone", "time_zone", "compact", "hotkeys"]
        labels = {"compact": "Dense rows", "hotkeys": "Single-key shortcuts"}
        help_texts = {"hotkeys": "Letters that do something while no field has the focus; the key ? lists them."}
