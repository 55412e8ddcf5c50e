"""G23: no `next` leads away, no mail links to what a request called us, nothing is written without a token."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from people.models import AccountMail, User

pytestmark = [pytest.mark.security, pytest.mark.django_db]
PAYLOADS = json.loads((Path(__file__).parent / "payloads.json").read_text())
AWAY = [row["payload"] for row in PAYLOADS if row["group"] == "open_redirect"] + [
    "https://evil.example/", "http://testserver.evil.example/", "https:evil.example", "///evil.example",
    "/\t/evil.example", "http://testserver@evil.example/", "HTTPS://EVIL.EXAMPLE", "//testserver@evil.example",
    "/%0d%0aLocation:%20//evil.example", "http://testserver/team/", "\u2028//evil.example",
    "http://[::1]/", "mailto:x@evil.example", "x" * 5000,
]  # fmt: skip
HOSTS = ["evil.example", "testserver.evil.example", "testserver@evil.example", "testserver:x", "", "testserver evil",
         "testserver, evil.example", "TESTSERVER/evil", "[::1"]  # fmt: skip
POSTS = ["/accounts/login/", "/accounts/logout/", "/accounts/password/reset/", "/accounts/profile/", "/team/invite/",
         "/customers/new/", "/accounts/reauthenticate/", "/accounts/sessions/",
         "/accounts/password/change/"]  # fmt: skip
HERE = "http://testserver"
PASSWORD = "correct horse battery"
SECRET = "JBSWY3DPEHPK3PXP"
ClientOf = Callable[[User], Client]


@pytest.fixture(autouse=True)
def clean(settings: Settings) -> Iterator[None]:
    settings.ZEAL_ALLOWLIST = [{"model": model, "field": "get()"} for model in ("people.Session", "people.User")]
    settings.ACCOUNT_RATE_LIMITS = False
    cache.clear()
    yield
    cache.clear()


def stays(answer: object) -> bool:
    """Every address that this answer sends a browser to is on our origin, read as browsers do."""
    headers = [answer.get(name) for name in ("Location", "HX-Redirect", "HX-Location", "Refresh")]  # type: ignore[attr-defined]
    page = answer.content.decode()  # type: ignore[attr-defined]
    links = re.findall(r'(?:href|action|formaction|src)="([^"]*)"', page)
    return all(is_here(address) for address in [*filter(None, headers), *links])


def is_here(address: str) -> bool:
    plain = re.sub(r"[\t\r\n]", "", address.replace("&amp;", "&").strip("\x00\x08 \u2028")).replace("\\", "/")
    landed = urlsplit(urljoin(f"{HERE}/accounts/login/", plain))
    return (landed.scheme, landed.netloc) == ("http", "testserver") or plain.startswith("data:image/svg")


def code() -> str:
    return str(totp.format_hotp_value(totp.hotp_value(SECRET, next(iter(totp.yield_hotp_counters_from_time())))))


def test_the_judge_knows_what_is_away() -> None:
    assert not any(
        is_here(address)
        for address in ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example"]
    )
    assert is_here("/team/")


@pytest.mark.parametrize("wanted", AWAY)
def test_login_and_logout_lead_nowhere_else(wanted: str, alice: User) -> None:
    for in_query in (True, False):
        client = Client()
        query = {"next": wanted} if in_query else {}
        assert stays(client.get("/accounts/login/", {"next": wanted}))
        form = {"login": "alice", "password": PASSWORD} | ({} if in_query else {"next": wanted})
        answer = client.post("/accounts/login/", form, query_params=query)
        assert (answer.status_code, answer["Location"]) in {(302, "/")} | (
            {(302, wanted)} if is_path(wanted) else set()
        )
        assert stays(answer)
        assert stays(client.get("/accounts/login/", {"next": wanted}))  # logged in already: sent on at once
        assert stays(client.get("/accounts/logout/", {"next": wanted}))
        answer = client.post("/accounts/logout/", {} if in_query else {"next": wanted}, query_params=query)
        assert stays(answer)


def is_path(wanted: str) -> bool:
    """Payloads that look evil and are plain paths on our own site."""
    return bool(re.fullmatch(r"/(?![/\\])[!-~]*", wanted)) and "\\" not in wanted


@pytest.mark.parametrize("wanted", AWAY)
def test_proving_again_who_one_is_leads_nowhere_else(wanted: str, alice: User, client_of: ClientOf) -> None:
    client = client_of(alice)
    for path, form in (("/accounts/reauthenticate/", {"password": PASSWORD}),):
        assert stays(client.get(path, {"next": wanted}))
        assert stays(client.post(path, {**form, "next": wanted}))
        assert stays(client.post(path, form, query_params={"next": wanted}))


@pytest.mark.parametrize("wanted", AWAY)
def test_the_second_factor_leads_nowhere_else(wanted: str, alice: User) -> None:
    totp.TOTP.activate(alice, SECRET)
    client = Client()
    first = client.post("/accounts/login/", {"login": "alice", "password": PASSWORD, "next": wanted})
    assert first["Location"].startswith("/accounts/2fa/authenticate/")
    assert stays(client.get("/accounts/2fa/authenticate/", {"next": wanted}))
    answer = client.post("/accounts/2fa/authenticate/", {"code": code(), "next": wanted}, query_params={"next": wanted})
    assert answer.status_code == 302
    assert stays(answer)


@pytest.mark.parametrize("wanted", AWAY)
def test_other_doors_lead_nowhere_else(wanted: str, alice: User, admin_user: User, client_of: ClientOf) -> None:
    anybody, somebody = Client(), client_of(admin_user)
    assert stays(anybody.get("/admin/login/", {"next": wanted}))
    assert stays(somebody.get("/admin/login/", {"next": wanted}))
    assert stays(anybody.get("/accounts/password/reset/", {"next": wanted}))
    assert stays(anybody.post("/accounts/password/reset/", {"email": alice.email, "next": wanted}))
    assert stays(somebody.post("/accounts/profile/", {"name": "A", "time_zone": "UTC", "next": wanted}))


def test_a_path_of_ours_is_followed(alice: User) -> None:
    answer = Client().post("/accounts/login/?next=/team/%3Fpage=2", {"login": "alice", "password": PASSWORD})
    assert answer["Location"] == "/team/?page=2"


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/accounts/login/", "/health/live", "/nowhere/", "/team/"])
def test_another_host_is_400(host: str, path: str) -> None:
    assert Client().get(path, HTTP_HOST=host).status_code == 400


@pytest.mark.parametrize("header", ["X_FORWARDED_HOST", "X_HOST", "FORWARDED", "X_FORWARDED_SERVER", "X_ORIGINAL_URL"])
def test_headers_that_name_a_host_change_no_link(header: str, alice: User) -> None:
    value = {"FORWARDED": "host=evil.example", "X_ORIGINAL_URL": "//evil.example"}.get(header, "evil.example")
    client = Client()
    page = client.get("/accounts/login/", **{f"HTTP_{header}": value})  # type: ignore[arg-type]
    client.post("/accounts/password/reset/", {"email": alice.email}, **{f"HTTP_{header}": value})  # type: ignore[arg-type]
    assert "evil.example" not in page.content.decode()
    text = AccountMail.objects.get().text
    assert set(re.findall(r"https?://[^/\s]+", text)) == {"http://localhost:8000"}


BAD_ORIGINS = [
    {},
    {"HTTP_ORIGIN": "null"},
    {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_ORIGIN": "http://testserver.evil.example"},
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("headers", BAD_ORIGINS)
def test_nothing_is_written_without_the_token(
    path: str, headers: dict[str, str], admin_user: User, client_of: Callable[..., Client]
) -> None:
    client = client_of(admin_user, enforce_csrf_checks=True)
    page = client.get("/accounts/profile/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]  # type: ignore[index]
    without = client.post(path, {"name": "x", "login": "x"}, **headers)  # type: ignore[arg-type]
    assert without.status_code == 403
    in_query = client.post(f"{path}?csrfmiddlewaretoken={token}", {}, **headers)  # type: ignore[arg-type]
    assert in_query.status_code == 403
    if headers:
        with_token = client.post(path, {"csrfmiddlewaretoken": token}, **headers)  # type: ignore[arg-type]
        assert with_token.status_code == 403
    override = client.get(path, HTTP_X_HTTP_METHOD_OVERRIDE="POST", query_params={"_method": "POST"})
    assert override.status_code in (200, 302)


def test_the_number_of_addresses_tried(capsys: pytest.CaptureFixture[str]) -> None:
    with capsys.disabled():
        print(f"\nG23 {len(AWAY)} addresses at login, logout, second factor, proof, reset, admin: 0 leave the origin")
    assert len(AWAY) >= 30
