"""Every page that shows something of a restricted incident writes down who opened it, whatever room it is of (G24)."""

from typing import Any

import pytest
from django.db import transaction

from core.models import JournalEntry
from tests.routes import Route, routes
from tests.security.tables import changed, digests
from tests.world import World, make_world

pytestmark = pytest.mark.security
world = pytest.fixture(make_world)

ONLY_NAMES_IT = {  # pages that are not of one incident, and give no more than its title to who has a role in it
    "incidents:list": "the list",
    "comms:notifications": "what one was told",
    "runbooks:insert": "the incidents where one may insert it, by their titles",
    "reporting:my": "one's own tickets, by their titles",
    "reporting:news": "what was done where one has a role, by titles; what was said is left to its own pages",
}
READERS = ("alice", "bob", "auditor")


def _shows(world: World, route: Route, content: str, status: int) -> bool:
    """Whether something of the restricted incident came out: a page below it, or any page that names it."""
    below = "number" in route.parts and status == 200
    return below or world.secret.number in content or world.secret.title in content


def _open(world: World, route: Route, person: str, headers: dict[str, str]) -> tuple[bool, int]:
    """Open it as if for the first time: whether it shows something, and how many entries that wrote."""
    client = world.client(person)
    with transaction.atomic():
        response: Any = client.get(world.url(route, world.secret), headers=headers)
        body = b"".join(response.streaming_content) if response.streaming else response.content
        response.close()
        entries = JournalEntry.objects.filter(verb="incident.viewed", actor_id=world.people[person].pk).count()
        transaction.set_rollback(True)
    return _shows(world, route, body.decode("utf-8", "replace"), response.status_code), entries


def test_no_page_shows_a_restricted_incident_unnoted(world: World) -> None:
    wrong, shown = [], set()
    for route in routes():
        for person in READERS:
            for headers in ({}, {"HX-Request": "true"}, {"HX-Request": "true", "HX-PTag": "7"}):
                shows, entries = _open(world, route, person, headers)
                if route.name in ONLY_NAMES_IT or not (shows or entries):
                    continue
                shown.add(route.name)
                if (shows, entries) != (True, 1):
                    wrong.append(f"{route.name} as {person}: {entries} entries")
    print(f"G24 views of a restricted incident: {len(shown)} urls show one, {len(wrong)} unnoted")
    assert not wrong, "\n".join(["", *wrong])
    pages = {"incidents:overview", "tickets:tree", "tickets:ticket", "reporting:report", "incidents:members"}
    pages |= {"incidents:log", "incidents:audit", "tickets:download", "intake:alert", "intake:joined"}
    pages |= {"runbooks:document", "runbooks:edit"}  # what was suggested after a run in it
    assert pages <= shown


def test_only_the_journal_grows_by_it(world: World) -> None:
    client = world.client("bob")
    client.get("/")  # so that the session's row is there
    before = digests(but={"people_session"})
    assert client.get(world.secret.get_absolute_url()).status_code == 200
    assert changed(before, digests(but={"people_session"})) == ["core_journalentry", "core_stream"]
