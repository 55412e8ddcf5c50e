"""Sessions end, some groups must have a second factor, and a login page never lands inside a fragment."""

import time
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import AuthenticationMiddleware, get_user
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from core.htmx import done, is_htmx
from people.models import User
from people.sessions import lacking_factor, person_of

Handler = Callable[[HttpRequest], HttpResponse]
MFA_PATHS = ("/accounts/", "/static/", "/health/")
ONCE_A = 60  # seconds between two writes of "last seen"


class Authentication(AuthenticationMiddleware):
    """Django's, with the person that came with the session; where anything about it is odd, Django decides."""

    def process_request(self, request: HttpRequest) -> None:
        """Say who asks, when somebody wants to know."""
        super().process_request(request)
        request.user = SimpleLazyObject(lambda: person_of(request.session) or get_user(request))  # type: ignore[assignment]


def session_limits(get_response: Handler) -> Handler:
    """Log out after SESSION_IDLE_SECONDS without a real request (polling is none), SESSION_COOKIE_AGE after login."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            began = request.session.setdefault("began", now)
            seen = request.session.setdefault("seen", now)
            if now - seen > settings.SESSION_IDLE_SECONDS or now - began > settings.SESSION_COOKIE_AGE:
                request.session_over = "idle" if now - seen > settings.SESSION_IDLE_SECONDS else "too old"  # type: ignore[attr-defined]
                logout(request)
            elif "HX-PTag" not in request.headers and now - seen >= ONCE_A:
                request.session["seen"] = now
        return get_response(request)

    return middleware


def demand_mfa(get_response: Handler) -> Handler:
    """Who is in a group of MFA_REQUIRED_GROUPS and has no second factor may only set one up."""

    def middleware(request: HttpRequest) -> HttpResponse:
        wanted = settings.MFA_REQUIRED_GROUPS
        user = request.user
        asked = wanted and not request.path.startswith(MFA_PATHS)
        if asked and user.is_authenticated and _lacks_factor(user):
            return done(request, reverse("mfa_index"))
        return get_response(request)

    return middleware


def _lacks_factor(user: User) -> bool:
    if user.lacks_factor is None:
        user.lacks_factor = User.objects.filter(lacking_factor("pk"), pk=user.pk).exists()
    return user.lacks_factor


def _page_of(request: HttpRequest) -> str:
    """The path of the page that htmx asked from, to come back to after login."""
    address = urlsplit(request.headers.get("HX-Current-URL", ""))
    here = address.netloc == request.get_host() and address.path.startswith("/") and not address.path.startswith("//")
    return (address.path + (f"?{address.query}" if address.query else "")) if here else "/"


def login_for_fragments(get_response: Handler) -> Handler:
    """Where htmx would follow a redirect to the login, answer 401 and let it load the login as a page (HX-Redirect)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if not is_htmx(request) or not isinstance(response, HttpResponseRedirect):
            return response
        path = urlsplit(response.url).path
        if path == resolve_url(settings.LOGIN_URL):
            to = f"{path}?{urlencode({'next': _page_of(request)})}"
            return HttpResponse(status=401, headers={"HX-Redirect": to})
        if path.startswith("/accounts/") and "reauthenticate" in path:
            return HttpResponse(status=401, headers={"HX-Redirect": response.url})
        return response

    return middleware
