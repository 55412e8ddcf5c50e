"""Whatever is typed anywhere, no answer is a fault of ours, and every page that shows it still shows (G21)."""

import itertools
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client

from tests.routes import routes
from tests.security.forms import Form, forms
from tests.world import World, address, make_world

pytestmark = pytest.mark.security
world = pytest.fixture(make_world)

NASTY = [
    "", " ", "\x00", "a\x00b", "\x1b[31mred\x1b[0m", "\r\nSet-Cookie: x=1", "\u200b\u200b", "\u202eevil\u2066",
    "\ufeff", "\ud800", "\udfff\ud800", "\ufffe\uffff", "\U000e0041\U000e0042", "👩‍👩‍👧‍👦" * 500, "a" + "\u0301" * 200,
    "x" * 100_000,
    "0", "-1", "1e3", "1e999", "NaN", "Infinity", "-Infinity", "0x1", "0b1", "1_000", "\uff11\uff12", "٣", "²", "1,5",
    "1.", str(2**31), str(2**63), str(2**70), "9" * 5000, "-" + "9" * 400, "1" * 20 + "." + "9" * 20,
    "0001-01-01", "0001-01-01T00:00", "9999-12-31T23:59", "9999-12-31T23:59:59+14:00", "2026-02-29", "2026-13-45T99:99",
    "=HYPERLINK(\"http://evil.example\")", "@SUM(1+1)|cmd", "{{ 7*7 }}", "{% load x %}{{ settings.SECRET_KEY }}",
    "${7*7}#{7*7}", "%s%n%x", "'; DROP TABLE people_user; --", "\\", "%", "_%_", "../../etc/passwd", "file:///etc/passwd",
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "javascript:alert(1)", "[" * 3000, "# " * 3000,
    "@" + "a" * 300, "@alice @bob @nobody #101", "None", "true", "[]", "{}", "null", "undefined",
    "00000000-0000-0000-0000-000000000000",
]  # fmt: skip
IDS = [
    "0", "-1", str(2**31), str(2**63), str(2**70), "1e3", " 1", "0x1", "1;", "٣", "\uff11", "9" * 10_000, "\x00",
    "a\x00", "%", "..", "None", "{00000000-0000-0000-0000-000000000000}", "00000000-0000-0000-0000-00000000000G",
    "IR-0000-0000-000", "ir-2026-1121-001", "' or 1=1 --", "\ud800", "\u202e", "é", "İ",
]  # fmt: skip
EVERYWHERE, EVERY = 4, 9  # the first values are tried in every input, each other one in every ninth
SELDOM = 9  # with the further buttons of a form, each value is tried in every ninth input
WHO = ("alice", "admin", "eve", "nobody")
LEFT_OUT = {"csrfmiddlewaretoken"}


def _encoded(values: dict[str, str]) -> str:
    """As a hostile client sends it: lone surrogates as the bytes they would be."""
    pairs = (f"{quote(n)}={quote(v.encode('utf-8', 'surrogatepass'))}" for n, v in values.items())
    return "&".join(pairs)


def _found(world: World) -> Iterator[tuple[str, Form]]:
    """Every form on every page, once for each who sees it."""
    seen = set()
    for person in WHO:
        for route in routes():
            page = world.url(route, world.incident)
            cache.clear()
            response: Any = world.client(person).get(page)
            if response.status_code == 200 and not response.streaming:
                for form in forms(response.content.decode(), page):
                    if form.key not in seen and form.action.startswith("/"):
                        seen.add(form.key)
                        yield person, form


def _shown(world: World, client: Client, response: Any, pages: Iterator[str]) -> list[str]:
    """After it was taken: the page it leads to and now and then another one, which must show."""
    places = [response.headers.get("Location") or response.headers.get("HX-Redirect") or "", next(pages)]
    found = []
    for place in filter(None, places):
        page: Any = client.get(place)
        if page.status_code >= 500:
            found.append(f"then {place} answers {page.status_code}")
    return found


def _try(world: World, person: str, form: Form, send: dict[str, Any], pages: Iterator[str]) -> tuple[list[str], bool]:
    client = world.client(person)
    cookies = client.cookies.copy()
    cache.clear()
    with transaction.atomic():
        response: Any = client.generic(form.method.upper(), form.action, **send)
        problems = [f"answers {response.status_code}"] if response.status_code >= 500 else []
        taken = form.method == "post" and response.status_code in (200, 201, 204, 302)
        if taken:
            problems += _shown(world, client, response, pages)
        transaction.set_rollback(True)
    client.cookies.update(cookies)
    return problems, taken


def _sent(form: Form, name: str, value: str) -> dict[str, Any]:
    text = _encoded({**form.values, name: value})
    if form.method == "get":
        return {"QUERY_STRING": text}
    return {"data": text, "content_type": "application/x-www-form-urlencoded"}


def _pages(world: World) -> Iterator[str]:
    one = world.incident.get_absolute_url()
    number = world.things[world.incident.pk]["ticket"]
    places = ["/", one, f"{one}tree/", f"{one}tickets/{number}/", f"{one}log/", f"{one}audit/", f"{one}members/"]
    places += [f"{one}report/", "/alerts/", "/intake/", "/notifications/"]
    return itertools.cycle(page for place in places for page in (place, "", ""))


def _values(form: Form, number: int) -> list[str]:
    """What is tried in the input with this number: nine in a row get every value, fewer with further buttons."""
    if not form.main:
        return NASTY[number % SELDOM :: SELDOM]
    return NASTY[:EVERYWHERE] + NASTY[EVERYWHERE + number % EVERY :: EVERY]


def test_no_form_input_breaks_anything(world: World) -> None:
    faults, inputs, requests, accepted = [], 0, 0, 0
    pages = _pages(world)
    for person, form in list(_found(world)):
        for name in form.values.keys() - LEFT_OUT:
            inputs += 1
            for value in _values(form, inputs):
                problems, taken = _try(world, person, form, _sent(form, name, value), pages)
                requests, accepted = requests + 1, accepted + taken
                faults += [f"{form.action} as {person}, {name}={value[:30]!a} {problem}" for problem in problems]
    print(
        f"G21 nasty values: {inputs} inputs × {EVERYWHERE} of {len(NASTY)} values, each other one in every {EVERY}th, "
        f"with further buttons all in every {SELDOM}th, {requests} requests, {accepted} taken, "
        f"{len(faults)} faults"
    )
    assert not faults, "\n".join(["", *faults[:100]])
    assert inputs > 60


def test_no_file_name_breaks_anything(world: World) -> None:
    faults, requests = [], 0
    pages = _pages(world)
    for person, form in list(_found(world)):
        for name in form.files:
            for value in NASTY:
                file = SimpleUploadedFile("x", b'{"event_type": "alert"}\n')
                file.name = "".join(c for c in value[:300] if not 0xD800 <= ord(c) < 0xE000) or "x"
                client = world.client(person)
                with transaction.atomic():
                    response: Any = client.post(form.action, {**form.values, name: file})
                    requests += 1
                    if response.status_code >= 500:
                        faults.append(f"{form.action} {value[:30]!a} answers {response.status_code}")
                    else:
                        faults += _shown(world, client, response, pages)
                    transaction.set_rollback(True)
    print(f"G21 file names: {requests} uploads, {len(faults)} faults")
    assert not faults, "\n".join(["", *faults])
    assert requests >= 2 * len(NASTY)


def test_no_id_in_an_address_breaks_anything(world: World) -> None:
    """UN-08: what is no id is not found, and matches nothing else."""
    faults, requests = [], 0
    for route in routes():
        values = world.values(route, world.incident)
        for part in route.parts:
            here = f"/{address(route, values).strip('/')}/"
            for value in IDS:
                path = here.replace(
                    f"/{values[part]}/", f"/{quote(value.encode('utf-8', 'surrogatepass'), safe='')}/", 1
                )
                for method in ("GET", "POST"):
                    with transaction.atomic():
                        response: Any = world.client("alice").generic(method, path)
                        requests += 1
                        if response.status_code >= 500 or (
                            response.status_code == 200 and route.access and value != "0"
                        ):
                            faults.append(f"{method} {route.name}, {part}={value[:30]!a}: {response.status_code}")
                        transaction.set_rollback(True)
    print(f"G21 ids: {requests} requests, {len(faults)} faults")
    assert not faults, "\n".join(["", *faults[:60]])


def test_sixty_values_and_more() -> None:
    assert len(set(NASTY)) == len(NASTY) >= 60
