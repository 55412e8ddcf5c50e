"""What the login library tells about logins, written into the journal. The one place that listens to signals."""

from typing import Any

from allauth.account.signals import user_logged_in
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed, authenticator_reset
from allauth.socialaccount.signals import social_account_added, social_account_removed
from allauth.usersessions.models import UserSession
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.signals import user_logged_out, user_login_failed
from django.http import HttpRequest

from people.actions import logins, people
from people.models import User

Told = Any


def _logged_in(user: User, request: HttpRequest, **_: Told) -> None:
    methods = [record.get("method", "") for record in request.session.get("account_authentication_methods", [])]
    logins.note(actor=user, verb="person.logged_in", person=user, methods=methods)


def _logged_out(user: User | None, request: HttpRequest | None, **_: Told) -> None:
    if user is not None and user.pk:
        reason = getattr(request, "session_over", "")
        logins.note(actor=user, verb="person.logged_out", person=user, **({"reason": reason} if reason else {}))


def _login_failed(credentials: dict[str, Any], **_: Told) -> None:
    login = str(credentials.get("username") or credentials.get("email") or "")
    logins.note_failure(actor=logins.OUTSIDER, person=User.objects.named(login).first())


def _second_factor_failed(user: User, **_: Told) -> None:
    logins.note_failure(actor=logins.OUTSIDER, person=user, step="second factor")


def _keep_this_session_only(request: HttpRequest, user: User) -> None:
    """A new or a lost second factor ends every other session: they were begun under other rules."""
    fresh = people.end_sessions(actor=user, person=user)
    user.session_round = fresh.session_round
    if request.user.pk == user.pk:
        update_session_auth_hash(request, fresh)
        UserSession.objects.create_from_request(request)


def _factor_added(request: HttpRequest, user: User, authenticator: Authenticator, **_: Told) -> None:
    logins.note(actor=user, verb="person.second_factor_added", person=user, type=authenticator.type)
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        _keep_this_session_only(request, user)


def _factor_removed(request: HttpRequest, user: User, authenticator: Authenticator, **_: Told) -> None:
    logins.note(actor=user, verb="person.second_factor_removed", person=user, type=authenticator.type)
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        _keep_this_session_only(request, user)


def _codes_renewed(user: User, **_: Told) -> None:
    logins.note(actor=user, verb="person.recovery_codes_renewed", person=user)


def _sign_on_connected(sociallogin: Told, **_: Told) -> None:
    logins.note(
        actor=sociallogin.user, verb="person.sign_on_connected", person=sociallogin.user,
        provider=sociallogin.account.provider,
    )  # fmt: skip


def _sign_on_disconnected(socialaccount: Told, **_: Told) -> None:
    user = socialaccount.user
    logins.note(actor=user, verb="person.sign_on_disconnected", person=user, provider=socialaccount.provider)


def listen() -> None:
    """Connect everything; called once, when the app is ready."""
    for signal, receiver in (
        (user_logged_in, _logged_in),
        (user_logged_out, _logged_out),
        (user_login_failed, _login_failed),
        (authentication_failed, _second_factor_failed),
        (authenticator_added, _factor_added),
        (authenticator_removed, _factor_removed),
        (authenticator_reset, _codes_renewed),
        (social_account_added, _sign_on_connected),
        (social_account_removed, _sign_on_disconnected),
    ):
        signal.connect(receiver, dispatch_uid=f"people.logins.{receiver.__name__}")
