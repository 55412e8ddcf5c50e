"""Security keys: the library's forms; an answer that no browser would make is a wrong answer like any other."""

from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn import forms as library
from django import forms
from django.core.exceptions import ValidationError

LONGEST = 20_000  # characters; a key's answer has about a thousand
MALFORMED = (ValueError, TypeError, KeyError, AttributeError, RecursionError)


class KeyAnswer(forms.JSONField):
    """What the browser's key answered, as JSON; ValueError and RecursionError are what nonsense does to the parser."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Any:
        """An object, or what is wrong with it."""
        try:
            if isinstance(value, str) and len(value) > LONGEST:
                raise ValueError(f"{len(value)} characters are no answer of a key.")
            found = super().to_python(value)
        except (ValueError, RecursionError) as problem:
            raise ValidationError("This is no answer of a security key.", code="invalid") from problem
        if found not in self.empty_values and not isinstance(found, dict):
            raise ValidationError("This is no answer of a security key.", code="invalid")
        return found

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What the form shows again: nothing, since a key answers each question once."""
        return None


class _Answering(forms.Form):
    """Turns what the library stumbles over into its own words for a wrong answer."""

    def clean_credential(self) -> Any:
        """The key, by the library's check."""
        try:
            return super().clean_credential()  # type: ignore[misc]
        except MALFORMED as problem:
            raise get_adapter().validation_error("incorrect_code") from problem


class LoginForm(_Answering, library.LoginWebAuthnForm):  # type: ignore[misc]
    """Logging in with a key alone."""

    credential = KeyAnswer()


class AuthenticateForm(_Answering, library.AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A key as second factor."""

    credential = KeyAnswer()


class ReauthenticateForm(_Answering, library.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A key again, before something that matters."""

    credential = KeyAnswer()


class AddForm(library.AddWebAuthnForm):  # type: ignore[misc]
    """A new key."""

    credential = KeyAnswer()

    def clean(self) -> Any:
        """The key, by the library's check."""
        try:
            return super().clean()
        except MALFORMED as problem:
            raise get_adapter().validation_error("incorrect_code") from problem
