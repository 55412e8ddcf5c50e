"""Who may do what (G1): every URL, as every person, by every method, as page, fragment and JSON, against one table."""

import copy
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.access_table import PEOPLE, ROWS, Row
from tests.routes import OTHER_SITES, Route, routes
from tests.world import World, make_world

pytestmark = pytest.mark.security
world = pytest.fixture(make_world)

METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS")
FORMS: dict[str, dict[str, str]] = {
    "page": {},
    "fragment": {"HX-Request": "true"},
    "json": {"Accept": "application/json"},
}
LIBRARIES = (
    "allauth.",
    "django.contrib.admin.",
    "core.admin",
    "django.contrib.contenttypes.",
    "django.views.generic.base",
)
LOGIN = "/accounts/login/"


@dataclass(frozen=True)
class Asked:
    """One request of the walk."""

    route: Route
    row: Row
    person: str
    method: str
    form: str
    secret: bool

    def __str__(self) -> str:
        which = "restricted" if self.secret else "open"
        return f"{self.method} {self.route.name} as {self.person} ({self.form}, {which} incident)"

    @property
    def expected(self) -> str:
        """The table's word for it."""
        if self.method == "HEAD" and self.row.get is None and self.row.other is None:
            policy = None
        else:
            policy = self.row.policy(self.method, htmx=self.form == "fragment")
        if policy is not None:
            return policy.answer(self.person, secret=self.secret)
        open_to_all = "anyone" in (self.route.access or ())
        return "login" if self.person == "nobody" and not open_to_all else "405"


def answered(response: HttpResponse) -> str:
    """What became of a request, as a word of the table; `5xx` and whatever has no word are given as they are."""
    status = response.status_code
    target = response.headers.get("Location", "") or response.headers.get("HX-Redirect", "")
    if target.startswith(LOGIN):
        return "login"
    if status == 401 and "/accounts/" in target:
        return "login"
    if status in (301, 302, 303):
        return "moved"
    if status in (200, 201, 202, 204, 409, 422):
        return "yes"
    return str(status)


def fits(expected: str, got: str, method: str) -> bool:
    """Whether an answer is what the table says; a write that was done may send the browser on."""
    if expected == "closed":
        return got in {"moved", "login", "403", "404", "405"}
    if expected == "lib":
        return got in {"yes", "moved", "login", "403", "404", "405", "400", "401", "429"}
    return got == expected or (expected == "yes" and got == "moved" and method not in ("GET", "HEAD"))


def ask(world: World, asked: Asked) -> HttpResponse:
    """Send it, and leave database, login and counters of attempts as they were."""
    client = world.client(asked.person)
    url = world.url(asked.route, world.secret if asked.secret else world.incident)
    cookies = copy.deepcopy(client.cookies)
    cache.clear()
    with transaction.atomic():
        response: Any = client.generic(asked.method, url, headers=FORMS[asked.form])
        if hasattr(response, "streaming_content"):
            b"".join(response.streaming_content)
        transaction.set_rollback(True)
    client.cookies = cookies
    return response  # type: ignore[no-any-return]


def shapes(method: str, person: str) -> list[str]:
    """In which shapes this is asked: for Alice in all; for others as page and fragment, where it may be done at all.

    What its method refuses is refused before anybody looks at it, HEAD is GET (so only Alice and nobody ask by it), and
    no page asks who wants JSON.
    """
    if person == "alice":
        return list(FORMS)
    if method == "HEAD" and person != "nobody":
        return []
    return ["page", "fragment"] if method in ("GET", "POST") else ["page"]


def walk() -> Iterator[Asked]:
    """Every request there is to try."""
    for route in routes():
        row = ROWS[route.name]
        for secret in (False, True) if route.parts else (False,):
            for person in PEOPLE:
                for method in METHODS:
                    for form in shapes(method, person):
                        yield Asked(route, row, person, method, form, secret)


def test_every_url_has_a_row_and_every_row_a_url() -> None:
    names = [route.name for route in routes()]
    assert sorted(set(names) - ROWS.keys()) == []
    assert sorted(ROWS.keys() - set(names)) == []
    assert [name for name, count in Counter(names).items() if count > 1] == []


def site_of(route: Route) -> str:
    """The namespace of its name: a site of its own asks for all its views at once."""
    return route.name.partition(":")[0]


def test_every_view_declares_who_may_use_it() -> None:
    ours = [r for r in routes() if not r.view.__module__.startswith(LIBRARIES) and site_of(r) not in OTHER_SITES]
    undeclared = [r.name for r in ours if r.access is None]
    assert undeclared == []


def test_nobody_is_answered_beyond_the_table(world: World) -> None:
    wrong, requests, urls = [], 0, set()
    for asked in walk():
        response = ask(world, asked)
        requests += 1
        urls.add(asked.route.name)
        got = answered(response)
        if not fits(asked.expected, got, asked.method):
            wrong.append(f"{asked}: {got}, not {asked.expected}")
    print(f"G1 matrix: {len(urls)} urls, {requests} requests, {len(wrong)} beyond the table")
    assert not wrong, "\n".join(["", *wrong[:200]])


def test_the_walk_would_notice(world: World) -> None:
    """Were the table another, the same walk would fail: a row that promises too little or too much."""
    route = next(route for route in routes() if route.name == "incidents:overview")
    lies = Row(get=ROWS["incidents:status"].get)
    told = [Asked(route, lies, person, "GET", "page", secret) for person in PEOPLE for secret in (False, True)]
    wrong = [str(asked) for asked in told if not fits(asked.expected, answered(ask(world, asked)), "GET")]
    assert len(wrong) > 5


def test_a_fragment_without_login_sends_the_whole_page_to_login(client: Client) -> None:
    response = client.get("/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/alerts/"})
    assert response.headers["HX-Redirect"].startswith(LOGIN)
    assert response.content == b""
