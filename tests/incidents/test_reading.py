"""Who opens a restricted incident is written down: once an hour, in a chain of its own, for whoever reads the audit."""

import csv
import datetime as dt
import io
import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
import time_machine
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import journal
from core.models import JournalEntry
from core.verify import BrokenJournal, verify
from incidents.actions.incidents import restrict_incident
from incidents.actions.team import break_glass
from tests import servers
from tickets.actions.tickets import add_ticket

ROOT = Path(__file__).resolve().parents[2]
NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
HTMX = {"HX-Request": "true"}


def at(name, incident, **more):
    return reverse(f"incidents:{name}", kwargs={"number": incident.number, **more})


def readers(incident):
    """The names of who is written down, oldest first."""
    entries = JournalEntry.objects.filter(verb="incident.viewed", target_id=str(incident.pk)).order_by("pk")
    return [entry.actor_name.split()[0] for entry in entries]


def test_the_first_page_that_bob_opens_is_written_down_and_the_next_ones_are_not(alice, bob, secret, client_of):
    bobs = client_of(bob)
    for page in ("overview", "members", "log", "audit", "overview"):
        assert bobs.get(at(page, secret)).status_code == 200
    client_of(alice).get(at("overview", secret))
    assert readers(secret) == ["Bob", "Alice"]
    entry = JournalEntry.objects.filter(verb="incident.viewed").earliest("pk")
    assert (entry.actor_id, entry.target_type, entry.stream) == (bob.pk, "incidents.Incident", f"views:{secret.pk}")
    assert entry.ip == "127.0.0.1"


def test_after_an_hour_it_is_written_down_again(bob, secret, client_of):
    with time_machine.travel(NOW, tick=False) as clock:
        client = client_of(bob)
        for minutes, expected in [(0, 1), (25, 1), (25, 1), (9, 1), (1, 2), (25, 2)]:
            clock.shift(dt.timedelta(minutes=minutes))
            assert client.get(at("overview", secret)).status_code == 200
            assert len(readers(secret)) == expected


def test_each_incident_counts_for_itself_and_an_unrestricted_one_not_at_all(
    bob, incident, secret, make_incident, client_of
):
    other = make_incident("Another", restricted=True, commander=bob)
    client = client_of(bob)
    for one in (incident, secret, other):
        assert client.get(at("overview", one)).status_code == 200
    assert [readers(one) for one in (incident, secret, other)] == [[], ["Bob"], ["Bob"]]


def test_auditors_and_who_broke_the_glass_are_written_down_too(alice, admin_user, auditor, secret, client_of):
    client_of(auditor).get(at("audit", secret))
    break_glass(actor=admin_user, incident=secret, reason="A court order")
    client_of(admin_user).get(at("overview", secret))
    assert readers(secret) == ["Aud", "Admin"]


def test_who_is_shown_nothing_opened_nothing(bob, mallory, dora, eve, auditor, secret, client_of):
    for person in (mallory, dora, eve):
        assert client_of(person).get(at("overview", secret)).status_code == 404
    assert client_of(auditor).get(at("edit", secret, part="summary")).status_code == 403
    assert client_of(bob).head(at("overview", secret)).status_code == 200
    assert readers(secret) == []


def test_a_refused_form_shows_the_incident_as_a_page_does(alice, secret, client_of):
    assert client_of(alice).post(at("status", secret), {"status": "nonsense"}).status_code == 422
    assert readers(secret) == ["Alice"]


def test_a_page_that_stands_open_polls_and_writes_nothing(bob, alice, secret, client_of):
    with time_machine.travel(NOW, tick=False) as clock:
        client, url = client_of(bob), at("head", secret)
        client.get(at("overview", secret))
        tag = client.get(url, headers=HTMX).context["tag"]
        for minutes in range(0, 200, 20):
            clock.shift(dt.timedelta(minutes=20))
            add_ticket(actor=alice, incident=secret, title=f"After {minutes} minutes")
            client.get("/")  # Bob is there, or the session would end
            assert client.get(url, headers={**HTMX, "HX-PTag": tag}).status_code == 200
        assert readers(secret) == ["Bob"]


@pytest.mark.parametrize("page", ["overview", "head", "audit"])
def test_whoever_only_claims_to_poll_is_written_down(bob, secret, client_of, page):
    assert client_of(bob).get(at(page, secret), headers={**HTMX, "HX-PTag": "7"}).status_code == 200
    assert readers(secret) == ["Bob"]


def test_reading_moves_nobodys_page_and_an_unchanged_one_costs_no_more(alice, bob, incident, secret, client_of):
    with time_machine.travel(NOW, tick=False):
        client, costs, before = client_of(alice), [], journal.head(secret.journal_stream)
        for one in (incident, secret):
            tag = client.get(at("head", one), headers=HTMX).context["tag"]
            client_of(bob).get(at("overview", one))
            with CaptureQueriesContext(connection) as seen:
                assert client.get(at("head", one), headers={**HTMX, "HX-PTag": tag}).status_code == 304
            costs.append(len(seen))
        assert costs[0] == costs[1]
        assert journal.head(secret.journal_stream) == before


def test_opening_it_again_costs_one_query_more_than_an_unrestricted_one(bob, incident, secret, client_of):
    client, costs = client_of(bob), []
    for one in (incident, secret):
        client.get(at("overview", one))
        with CaptureQueriesContext(connection) as seen:
            client.get(at("overview", one))
        costs.append(len(seen))
        assert not [query for query in seen if query["sql"].startswith(("INSERT", "UPDATE", "BEGIN"))]
    assert costs[1] - costs[0] == 1


# -- Where it is read -------------------------------------------------------------------------------------------------
def test_the_audit_page_and_its_file_show_who_looked_among_what_was_done(alice, bob, secret, client_of):
    client_of(bob).get(at("overview", secret))
    add_ticket(actor=alice, incident=secret, title="Image DC01")
    client = client_of(alice)
    client.get(at("overview", secret))
    page = client.get(at("audit", secret))
    said = [f"{line.actor} {line.sentence}" for line in page.context["lines"]]
    assert said[:3] == [
        "Alice Example opened this restricted incident",
        "Alice Example added #101 Image DC01",
        "Bob Example opened this restricted incident",
    ]
    assert page.context["listing"].total == 5
    assert "views #2" in page.content.decode()
    only = client.get(at("audit", secret), {"verb": "incident.viewed", "actor": f"user:{bob.pk}"}).context["lines"]
    assert [line.actor for line in only] == ["Bob Example"]
    file = list(csv.DictReader(io.StringIO(b"".join(client.get(at("audit_csv", secret))).decode())))
    assert [row["stream"].split(":")[0] for row in file] == ["views", "incident", "views", "incident", "incident"]
    assert [row["seq"] for row in file] == ["2", "3", "1", "2", "1"]


def test_the_file_of_both_chains_is_whole_beyond_one_chunk(alice, bob, secret, client_of, monkeypatch):
    monkeypatch.setattr("incidents.queries.exports.CHUNK", 2)
    for person in (bob, alice):
        client_of(person).get(at("overview", secret))
        add_ticket(actor=person, incident=secret, title="One more")
    file = list(csv.DictReader(io.StringIO(b"".join(client_of(alice).get(at("audit_csv", secret))).decode())))
    assert [row["actor"].split()[0] for row in file] == ["Alice", "Alice", "Bob", "Bob", "Alice", "Alice"]
    assert len({(row["stream"], row["seq"]) for row in file}) == 6


def test_who_looked_is_no_work(bob, secret, client_of):
    client_of(bob).get(at("overview", secret))
    lines = client_of(bob).get(at("log", secret)).context["lines"]
    assert {line.entry.verb for line in lines} == {"incident.opened", "role.assigned"}


def test_the_audit_still_tells_when_the_restriction_is_lifted(alice, bob, secret, client_of):
    client_of(bob).get(at("overview", secret))
    restrict_incident(actor=alice, incident=secret, restricted=False, reason="It is public.")
    verbs = [line.entry.verb for line in client_of(alice).get(at("audit", secret)).context["lines"]]
    assert verbs[:2] == ["incident.unrestricted", "incident.viewed"]
    assert readers(secret) == ["Bob"]


# -- How sure it is ---------------------------------------------------------------------------------------------------
def test_a_forged_reader_is_found(alice, bob, secret, client_of):
    client_of(bob).get(at("overview", secret))
    verify()
    JournalEntry.objects.filter(verb="incident.viewed").update(actor_id=alice.pk, actor_name="Alice Example")
    with pytest.raises(BrokenJournal, match=f"views:{secret.pk} #1 incident.viewed"):
        verify()


def test_what_cannot_be_written_down_is_not_shown(bob, secret, client_of, monkeypatch):
    def full(*args, **kwargs):
        raise DatabaseError("disk full")

    monkeypatch.setattr(type(JournalEntry.objects), "bulk_create", full)
    answer = client_of(bob, raise_request_exception=False).get(at("overview", secret))
    assert answer.status_code == 500
    assert secret.title not in answer.content.decode()


def opened_at_once(folder: Path, *, database: str = "") -> str:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **kept, "DJANGO_SETTINGS_MODULE": "tests.settings", "LOCAL": "on", "DATA_DIR": str(folder),
        "SECRET_KEY": secrets.token_urlsafe(60), "DATABASE_URL": database,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.incidents.opening"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


def test_four_tabs_opened_at_once_are_one_entry_on_sqlite(tmp_path):
    assert opened_at_once(tmp_path) == "opened 12 failed 0 not written down once 0"


@pytest.mark.services
def test_four_tabs_opened_at_once_are_one_entry_on_postgresql(tmp_path):
    with servers.postgres() as server:
        assert opened_at_once(tmp_path, database=server.url) == "opened 12 failed 0 not written down once 0"
