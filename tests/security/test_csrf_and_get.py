"""Nobody writes in another's name, and reading changes nothing (G23).

No unsafe method is taken without the token and from another origin; no GET changes a row; no foreign host is answered.
"""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client

from people.models import AccountMail
from tests.routes import Route, routes
from tests.security.tables import changed, digests
from tests.world import BACKEND, World, make_world

pytestmark = pytest.mark.security
world = pytest.fixture(make_world)

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
READERS = ("alice", "mallory", "eve", "admin", "nobody")
LAST_SEEN = {"people_session", "usersessions_usersession", "core_cache"}
READS_THAT_ARE_NOTED = {  # what is taken away from the site is written down: only the journal grows
    "tickets:download": {"core_journalentry", "core_stream"},
    "tickets:table_csv": {"core_journalentry", "core_stream"},
    "incidents:audit_csv": {"core_journalentry", "core_stream"},
    "reporting:pdf": {"core_journalentry", "core_stream"},
}


def _strict(world: World, name: str) -> Client:
    """A browser for which the token counts."""
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    if name != "nobody":
        client.force_login(world.people[name], backend=BACKEND)
    return client


def _send(client: Client, method: str, url: str, **options: Any) -> int:
    cookies = copy.deepcopy(client.cookies)
    cache.clear()
    with transaction.atomic():
        response = client.generic(method, url, **options)
        transaction.set_rollback(True)
    client.cookies = cookies
    return response.status_code


def _forgeries(token: str, other: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a stranger's page can make a browser send."""
    form = {"content_type": "application/x-www-form-urlencoded"}
    good = {"data": f"csrfmiddlewaretoken={token}", **form}
    yield "no token", form
    yield "a wrong token", {"data": f"csrfmiddlewaretoken={other}", **form}
    yield "the token in the address", {"query_params": {"csrfmiddlewaretoken": token}, **form}
    yield "JSON as text", {"data": f'{{"csrfmiddlewaretoken": "{token}"}}', "content_type": "text/plain"}
    yield "from nowhere", {**good, "headers": {"Origin": "null"}}
    yield "from elsewhere", {**good, "headers": {"Origin": "https://evil.example"}}
    yield "from a neighbour", {**good, "headers": {"Origin": "http://testserver.evil.example"}}
    yield "from another port", {**good, "headers": {"Origin": "http://testserver:8443"}}
    yield "as a fragment", {"headers": {"HX-Request": "true"}, **form}


def test_nothing_is_written_without_the_token_or_from_another_origin(world: World) -> None:
    clients = {person: _strict(world, person) for person in ("alice", "admin", "eve", "nobody")}
    before, accepted, tried = digests(but=LAST_SEEN), [], 0
    for person, client in clients.items():
        token, other = _get_new_csrf_string(), _get_new_csrf_string()
        client.cookies[settings.CSRF_COOKIE_NAME] = token
        for route in routes():
            url = world.url(route, world.incident)
            for name, options in _forgeries(token, other):
                for method in UNSAFE if name == "no token" else ("POST",):
                    tried += 1
                    if (status := _send(client, method, url, **options)) != 403:
                        accepted.append(f"{method} {route.name} as {person}, {name}: {status}")
    print(f"G23 forgery: {tried} forged requests, {len(accepted)} accepted")
    assert not accepted, "\n".join(["", *accepted[:80]])
    assert changed(before, digests(but=LAST_SEEN)) == []


def test_with_the_token_and_from_here_the_same_request_is_taken(world: World) -> None:
    """So it is the token and the origin that were missing above."""
    client, token = _strict(world, "alice"), _get_new_csrf_string()
    client.cookies[settings.CSRF_COOKIE_NAME] = token
    good = {"data": f"csrfmiddlewaretoken={token}", "content_type": "application/x-www-form-urlencoded"}
    for headers in ({}, {"Origin": "http://testserver"}):
        assert _send(client, "POST", "/notifications/read/", headers=headers, **good) == 302
    headers = {"X-CSRFToken": token, "HX-Request": "true"}
    assert _send(client, "POST", "/notifications/read/", headers=headers) == 204


def test_a_read_is_not_turned_into_a_write_by_a_header(world: World) -> None:
    client = world.client("alice")
    client.get(world.secret.get_absolute_url())  # which is written down: once an hour, so not in what follows
    before = digests(but=LAST_SEEN)
    for header in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        for route in routes():
            if route.name not in READS_THAT_ARE_NOTED:
                client.get(world.url(route, world.incident), headers={header: "POST"})
    assert changed(before, digests(but=LAST_SEEN)) == []


def _read_twice(world: World, route: Route, person: str) -> None:
    """Get the page and the fragment twice, and ask for their headers."""
    client = world.client(person)
    cookies = copy.deepcopy(client.cookies)
    for incident in (world.incident, world.secret) if route.parts else (world.incident,):
        for headers in ({}, {"HX-Request": "true"}):
            for method in ("GET", "GET", "HEAD"):
                response: Any = client.generic(method, world.url(route, incident), headers=headers)
                if response.streaming:
                    b"".join(response.streaming_content)
                response.close()
    client.cookies = cookies


def test_no_read_changes_a_row(world: World) -> None:
    for person in READERS:  # who opens the restricted incident is written down: once an hour, so not in what follows
        world.client(person).get(world.secret.get_absolute_url())
    wrote, noted, reads, before = [], set(), 0, digests(but=LAST_SEEN)
    for route in routes():
        for person in READERS:
            _read_twice(world, route, person)
            reads += 12 if route.parts else 6
            after = digests(but=LAST_SEEN)
            if changed(before, after):
                noted.add(route.name)
            if not set(changed(before, after)) <= READS_THAT_ARE_NOTED.get(route.name, set()):
                wrote.append(f"{route.name} as {person}: {', '.join(changed(before, after))}")
            before = after
    print(f"G23 reads: {reads} requests by GET and HEAD, {len(wrote)} changed a row")
    assert not wrote, "\n".join(["", *wrote])
    assert noted == READS_THAT_ARE_NOTED.keys()  # so a read that writes is noticed


@pytest.mark.django_db
def test_only_our_own_names_are_answered(client: Client) -> None:
    hosts = [
        "evil.example", "localhost.evil.example", "localhost:99999", "localhost:80:80", "user@localhost",
        "localhost,evil", "localhost/evil", "[::2]", "169.254.169.254", "",
    ]  # fmt: skip
    answered = [host for host in hosts if client.get("/accounts/login/", headers={"Host": host}).status_code != 400]
    assert answered == []
    assert client.get("/accounts/login/", headers={"Host": "localhost"}).status_code == 200


def test_links_in_mails_lead_to_the_configured_address_whatever_the_request_says(world: World) -> None:
    headers = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Server": "evil.example",
        "Forwarded": "host=evil.example",
    }
    world.client("nobody").post("/accounts/password/reset/", {"email": "bob@demo.example"}, headers=headers)
    told = {"email": "jo@demo.example", "name": "Jo", "groups": ["Manager"]}
    world.client("admin").post("/team/invite/", told, headers=headers)
    mails = [mail.text for mail in AccountMail.objects.order_by("-pk")[:2]]
    assert len(mails) == 2
    for text in mails:
        assert settings.BASE_URL in text
        assert "evil.example" not in text
