"""Every answer carries the headers that keep a browser safe (G16): pages, fragments, files, errors, static files."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import path

from core.access import open_to
from tests.routes import routes
from tests.world import World, make_world

pytestmark = pytest.mark.security
world = pytest.fixture(make_world)

PAGE_POLICY = {
    "default-src": {"'none'"}, "script-src": {"'self'"}, "style-src": {"'self'"}, "img-src": {"'self'", "data:"},
    "font-src": {"'self'"}, "connect-src": {"'self'"}, "form-action": {"'self'"}, "object-src": {"'none'"},
    "base-uri": {"'none'"}, "frame-ancestors": {"'none'"},
}  # fmt: skip
FILE_POLICY = {"sandbox": set(), "default-src": {"'none'"}}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
METHODS = ("GET", "POST", "DELETE", "OPTIONS")


def policy(response: Any) -> dict[str, set[str]]:
    """The Content-Security-Policy by directive."""
    parts = (part.split() for part in response.headers.get("Content-Security-Policy", "").split(";") if part.strip())
    return {name: set(values) for name, *values in parts}


def wrong(response: Any, *, static: bool = False) -> list[str]:
    """What is missing or too lax in one answer's headers."""
    headers = response.headers
    found = [f"{name}: {headers.get(name)}" for name, value in ALWAYS.items() if headers.get(name) != value]
    if static:
        return found
    now = policy(response)
    is_file = "attachment" in headers.get("Content-Disposition", "")
    if now != PAGE_POLICY and not (is_file and now == FILE_POLICY):
        found.append(f"Content-Security-Policy: {headers.get('Content-Security-Policy')}")
    if headers.get("X-Frame-Options") != "DENY":
        found.append(f"X-Frame-Options: {headers.get('X-Frame-Options')}")
    if not {"no-store", "private"} <= {word.strip() for word in headers.get("Cache-Control", "").split(",")}:
        found.append(f"Cache-Control: {headers.get('Cache-Control')}")
    if "Permissions-Policy" not in headers or "X-Request-ID" not in headers:
        found.append("Permissions-Policy or X-Request-ID is missing")
    if headers.get("Server") or headers.get("X-Powered-By"):
        found.append("it says what it runs on")
    return found


def _answers(world: World) -> Iterator[tuple[str, Any]]:
    for route in routes():
        for incident in (world.incident, world.secret) if route.parts else (world.incident,):
            for person in ("alice", "mallory", "eve", "admin", "nobody"):
                client, url = world.client(person), world.url(route, incident)
                for method in METHODS:
                    for form in ({}, {"HX-Request": "true"}):
                        cookies = client.cookies.copy()
                        cache.clear()
                        with transaction.atomic():
                            response: Any = client.generic(method, url, headers=form)
                            response.close()
                            transaction.set_rollback(True)
                        client.cookies.update(cookies)
                        yield f"{method} {route.name} as {person}: {response.status_code}", response


def test_every_answer_of_every_url_carries_them(world: World) -> None:
    statuses: Counter[int] = Counter()
    lax = []
    for name, response in _answers(world):
        statuses[response.status_code] += 1
        if response.status_code == 304:
            continue
        lax += [f"{name}: {problem}" for problem in wrong(response)]
    seen = ", ".join(f"{count} × {status}" for status, count in sorted(statuses.items()))
    print(f"G16 headers: {statuses.total()} answers ({seen}), {len(lax)} without a header")
    assert not lax, "\n".join(["", *lax[:80]])
    assert {200, 302, 403, 404, 405} <= statuses.keys()


@open_to("anyone")
def _broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a fault of ours")


urlpatterns = [path("broken", _broken)]
handler400 = "core.views.errors.bad_request"
handler500 = "core.views.errors.server_error"


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
def test_a_fault_of_ours_carries_them_and_says_nothing_of_itself(client: Client) -> None:
    client.raise_request_exception = False
    response = client.get("/broken")
    assert response.status_code == 500
    assert wrong(response) == []
    assert b"RuntimeError" not in response.content
    assert b"a fault of ours" not in response.content
    assert response.headers["X-Request-ID"].encode() in response.content


@pytest.mark.django_db
def test_a_request_that_cannot_be_understood_carries_them(client: Client) -> None:
    response = client.get("/", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert wrong(response) == []


@pytest.mark.django_db
def test_an_address_that_leads_nowhere_carries_them(client: Client) -> None:
    for url in ("/nowhere/", "/incidents/../../etc/passwd", "/incidents/%00/", "/static/nowhere.js", "/%ff%fe"):
        response = client.get(url)
        assert response.status_code == 404, url
        assert wrong(response, static=url.startswith("/static/")) == [], url


@pytest.mark.django_db
@override_settings(WHITENOISE_USE_FINDERS=True, WHITENOISE_AUTOREFRESH=True)
def test_static_files_carry_them_and_may_be_kept(client: Client) -> None:
    files = sorted((Path(configured.BASE_DIR) / "static" / "css").glob("*.css"))
    assert files
    for file in files:
        response: Any = client.get(f"/static/css/{file.name}")
        response.close()
        assert response.status_code == 200, file.name
        assert wrong(response, static=True) == []


@pytest.mark.django_db
def test_pages_are_told_to_come_back_by_https_where_that_is_how_they_are_reached(client: Client) -> None:
    with override_settings(SECURE_HSTS_SECONDS=31536000, SECURE_HSTS_INCLUDE_SUBDOMAINS=True):
        response = client.get("/health/live", secure=True)
    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")
    assert "Strict-Transport-Security" not in client.get("/health/live").headers


def test_a_lax_answer_would_be_noticed() -> None:
    response = HttpResponse("x")
    assert len(wrong(response)) >= 8
    response["Content-Security-Policy"] = "script-src 'self' 'unsafe-inline'"
    assert any("unsafe-inline" in problem for problem in wrong(response))
