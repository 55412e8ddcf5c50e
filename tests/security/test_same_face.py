"""What one may not see and what never existed look the same (G2): status, headers, body, and the number of queries."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from incidents.models import Incident
from tests.access_table import PEOPLE, ROWS
from tests.routes import Route, routes
from tests.world import World, address, make_world

pytestmark = pytest.mark.security
world = pytest.fixture(make_world)

LEAST = 200
METHODS = ("GET", "POST")
# Their last part counts within each incident.
NUMBERED = ("incidents:edit", "tickets:undo", "tickets:undo_drop_all", "tickets:undo_batch")
FORMS: tuple[dict[str, str], ...] = ({}, {"HX-Request": "true"})
OF_THE_REQUEST = {"X-Request-ID", "Set-Cookie"}
CHANGING = re.compile(rb"[0-9a-f]{32}|nonce-[\w+/=-]+|csrf[\w-]*\W+[\w\":= ]*[A-Za-z0-9]{64}")


def face(response: Any, path: str) -> tuple[int, dict[str, str], bytes]:
    """What a stranger sees: without request id, cookies and token, and without the address that was asked for."""
    headers = {name: value for name, value in response.headers.items() if name not in OF_THE_REQUEST}
    body = b"".join(response.streaming_content) if response.streaming else response.content
    body = body.replace(path.encode(), b"(path)")
    return response.status_code, headers, CHANGING.sub(b"(request)", body)


def _look(world: World, person: str, method: str, path: str, form: dict[str, str]) -> tuple[Any, int]:
    client, count = world.client(person), itertools.count()

    def counted(execute: Any, *arguments: Any) -> Any:
        next(count)
        return execute(*arguments)

    with transaction.atomic(), connection.execute_wrapper(counted):
        response = client.generic(method, path, headers=form)
        seen = face(response, path)
        transaction.set_rollback(True)
    return seen, next(count)


def hidden(world: World) -> Iterator[tuple[Route, str, Incident]]:
    """Everything with an id that the table says does not exist for somebody."""
    for route in routes():
        if not route.parts or not isinstance(route.access, tuple) or not isinstance(route.access[0], type):
            continue
        for incident in (world.incident, world.secret):
            for person in PEOPLE:
                policy = ROWS[route.name].get or ROWS[route.name].post
                if policy and policy.answer(person, secret=incident == world.secret) == "404":
                    yield route, person, incident


def _deepest(world: World, route: Route, incident: Incident, number: int) -> dict[str, Any]:
    """The same incident, seen or not, but another last part: a ticket, file or role that it never had."""
    values = world.values(route, incident)
    last = route.parts[-1]
    return {**values, last: world.missing(route, incident, number)[last]}


def test_what_is_hidden_and_what_never_existed_have_one_face(world: World) -> None:
    pairs, differ = 0, []
    for number, (route, person, incident) in enumerate(hidden(world)):
        for method in METHODS:
            for form in FORMS:
                real = address(route, world.values(route, incident))
                for never in (world.missing(route, incident, number), _deepest(world, route, incident, number)):
                    there = _look(world, person, method, real, form)
                    gone = _look(world, person, method, address(route, never), form)
                    pairs += 1
                    assert there[0][0] in (404, 405)
                    if there != gone:
                        differ.append(f"{method} {route.name} as {person} {form}: {_difference(there, gone)}")
    print(f"G2 same face: {pairs} pairs, {len(differ)} that differ")
    assert not differ, "\n".join(["", *differ[:60]])
    assert pairs >= LEAST


def _difference(there: tuple[Any, int], gone: tuple[Any, int]) -> str:
    (one, count), (two, other) = there, gone
    found = [f"status {one[0]} / {two[0]}"] if one[0] != two[0] else []
    found += [f"{n}: {one[1].get(n)} / {two[1].get(n)}" for n in {*one[1], *two[1]} if one[1].get(n) != two[1].get(n)]
    if one[2] != two[2]:
        at = next((i for i, (a, b) in enumerate(zip(one[2], two[2], strict=False)) if a != b), 0)
        found.append(f"body …{one[2][max(0, at - 40) : at + 60]!r} / …{two[2][max(0, at - 40) : at + 60]!r}")
    if count != other:
        found.append(f"{count} / {other} queries")
    return "; ".join(found)


def test_a_thing_of_another_incident_does_not_exist_under_this_one(world: World) -> None:
    """Bob may see both incidents; a comment of the one is not found through the other."""
    crossed, found = 0, []
    for route in routes():
        if route.parts[:1] != ("number",) or len(route.parts) < 2 or route.name in NUMBERED:
            continue
        mine = world.values(route, world.incident)
        theirs = world.values(route, world.secret)
        if mine[route.parts[-1]] == theirs[route.parts[-1]]:
            continue
        path = address(route, {**mine, route.parts[-1]: theirs[route.parts[-1]]})
        for person in ("alice", "bob", "mallory"):
            for method in METHODS:
                crossed += 1
                (status, _, _), _ = _look(world, person, method, path, {})
                may_not_at_all = status == 403 and person != "alice"
                if status not in (404, 405) and not may_not_at_all:
                    found.append(f"{method} {path} as {person}: {status}")
    print(f"G2 crossed: {crossed} requests for things of another incident, {len(found)} answered")
    assert crossed > 20
    assert found == []
