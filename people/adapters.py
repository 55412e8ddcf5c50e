"""What login does differently here: no signup, one way to an account, secrets sealed, nothing sent in a request."""

from typing import Any
from urllib.parse import quote, urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse

from core.htmx import safe_next
from core.requests import client_ip
from core.work import wake
from people.actions import people as actions
from people.models import AccountMail, User
from people.sealed import seal, unseal

HOMES = ("/accounts/",)  # where a customer's people may be sent after login


class AccountAdapter(DefaultAccountAdapter):
    """People come by invitation only."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: an account begins with an invitation."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address that the journal keeps; headers count only as far as our own proxies wrote them."""
        return client_ip(request) or "0.0.0.0"  # noqa: S104 (a bucket for rate limits, not an address to listen on)

    # -- Logging in ----------------------------------------------------------------------------------------------------
    def authenticate(self, request: HttpRequest, **credentials: Any) -> AbstractBaseUser | None:
        """Ask for one name only: the library would hash the password twice for a known address, which takes longer."""
        name = _user_name(credentials)
        given = {"username": name, "password": credentials.get("password")}
        found: AbstractBaseUser | None = super().authenticate(request, **given)
        return found

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # One limit for each account, by whatever of its names and under whatever host it is tried.
        return f"account:{_user_name(credentials)}"

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Not for who was disabled between password and second factor."""
        if not user.is_active:
            raise ImmediateHttpResponse(self.respond_user_inactive(request, user))
        super().login(request, user)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Our people begin at the incidents, a customer's at their profile."""
        return reverse("people:profile") if getattr(request.user, "customer_id", None) else settings.LOGIN_REDIRECT_URL

    def post_login(self, request: HttpRequest, user: Any, *, redirect_url: str | None, **kwargs: Any) -> HttpResponse:
        """A customer's people are not sent to the team's pages, which would refuse them."""
        if user.customer_id and not (redirect_url or "").startswith(HOMES):
            redirect_url = self.get_login_redirect_url(request)
        response: HttpResponse = super().post_login(request, user, redirect_url=redirect_url, **kwargs)
        return response

    def is_safe_url(self, url: str | None) -> bool:
        """Only a path on this site, by the one rule of core.htmx."""
        asked = HttpRequest()
        asked.GET = QueryDict(urlencode({"next": url or ""}))
        return bool(url) and safe_next(asked, "") == url

    def set_password(self, user: Any, password: str) -> None:
        """Journalled; by somebody logged in it is a change, by anybody else a reset with a link from a mail."""
        forgotten = not context.request.user.is_authenticated
        fresh = actions.set_password(actor=user, person=user, password=password, forgotten=forgotten)
        user.password = fresh.password

    # -- Mail ----------------------------------------------------------------------------------------------------------
    def get_reset_password_from_key_url(self, key: str) -> str:
        """From BASE_URL, whatever the request called us."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.BASE_URL + path.replace("UID-KEY", quote(key))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Leave it to a worker. For an address nobody has, as much is written but nothing sent."""
        known = template_prefix != "account/email/unknown_account"
        told = {**context, "email": email, "base_url": settings.BASE_URL, "request": None}
        mail = self.render_mail(template_prefix, email, told)
        user = context.get("user") or getattr(self.request, "user", None)
        wake(
            AccountMail.write(
                to=email if known else "", subject=mail.subject, text=str(mail.body),
                user=user if isinstance(user, User) else None,
            )
        )  # fmt: skip


def _user_name(credentials: dict[str, Any]) -> str:
    login = str(credentials.get("username") or credentials.get("email") or "").strip().lower()
    found = User.objects.named(login).values_list("username", flat=True).first()
    return found or login


class MFAAdapter(DefaultMFAAdapter):
    """Second-factor secrets are encrypted in the database."""

    def encrypt(self, text: str) -> str:
        """Sealed with a key derived from SECRET_KEY."""
        return seal(text, purpose="mfa")

    def decrypt(self, encrypted_text: str) -> str:
        """The secret; an unreadable one matches no code."""
        return unseal(encrypted_text, purpose="mfa")


class SocialAccountAdapter(DefaultSocialAccountAdapter):
    """Single sign-on logs in people who connected it themselves while logged in; it makes nobody."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Never: an address that an identity provider claims proves nothing about our people."""
        return False
