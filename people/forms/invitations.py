"""Inviting, and accepting an invitation."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import ASCIIUsernameValidator
from django.core.exceptions import ValidationError

from core.forms import VisibleText
from people.models import Customer, Invitation, User
from people.models.rights import CUSTOMER, OURS

NEW_PASSWORD = forms.PasswordInput(attrs={"autocomplete": "new-password"})


class InviteForm(forms.Form):
    """Whom, and what they may do: groups for our own people, a customer for a customer's."""

    email = forms.EmailField(label="E-mail", max_length=254)
    name = VisibleText(max_length=120)
    customer = forms.ModelChoiceField(
        Customer.objects.none(), required=False, empty_label="None: one of our own people",
        help_text="A customer's people see only what was shared with their organisation.",
    )  # fmt: skip
    groups = forms.MultipleChoiceField(
        choices=[(name, name) for name in OURS], required=False, widget=forms.CheckboxSelectMultiple,
        help_text="What one of our own people may do.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["customer"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 (tells the type)
        field.queryset = Customer.objects.active()

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        groups = data.get("groups", [])
        if data.get("customer") and groups:
            self.add_error("groups", "A customer's person belongs to no group of ours.")
        elif data.get("customer"):
            data["groups"] = [CUSTOMER]
        elif not groups and "customer" in data:
            self.add_error("groups", "Choose at least one group, or a customer.")
        return data


class AcceptForm(forms.Form):
    """What an invited person sets."""

    name = VisibleText(label="Your name", max_length=120)
    username = forms.CharField(
        label="User name", max_length=60, validators=[ASCIIUsernameValidator()],
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
        help_text="Letters, digits and . _ - +",
    )  # fmt: skip
    password = forms.CharField(widget=NEW_PASSWORD, strip=False, max_length=256, help_text="At least 12 characters.")
    again = forms.CharField(label="Password again", widget=NEW_PASSWORD, strip=False, max_length=256)

    def __init__(self, *args: Any, invitation: Invitation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invitation = invitation

    def clean_username(self) -> str:
        username = str(self.cleaned_data["username"])
        if "@" in username:
            raise ValidationError("A user name holds no @: you can log in with your address anyway.")
        return username

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        password = data.get("password")
        if password and password != data.get("again"):
            self.add_error("again", "The two passwords differ.")
        if password:
            person = User(
                email=self.invitation.email, name=data.get("name", ""), username=data.get("username", "")
            )  # fmt: skip
            try:
                validate_password(password, person)
            except ValidationError as weak:
                self.add_error("password", weak)
        return data
