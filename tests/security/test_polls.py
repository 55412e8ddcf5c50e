"""A poll that finds nothing new costs two queries, all included; what was taken is gone with the next poll.

Everybody logs in by the form, sessions are rows, and the cache is a table (as `make run` has it), so nothing is free.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from core.models import JournalEntry
from incidents.actions.incidents import restrict_incident
from incidents.actions.team import assign_role, end_role
from incidents.models import Incident, RoleAssignment
from intake.actions.imports import request_import
from people.actions import people
from people.models import Session, User
from reporting.actions.reports import request_report
from tests.uploads import kept
from tickets.actions import comments

pytestmark = [pytest.mark.security, pytest.mark.django_db]
HTMX = {"HX-Request": "true"}
MOST = 2
PASSWORD = "correct horse battery"
TEMPLATES = Path(__file__).parents[2] / "templates"
OF_AN_INCIDENT = {  # template that polls: what it polls, below the incident
    "incidents/_head.html": "head/?tab=tree",
    "tickets/_rows.html": "tree/rows/",
    "tickets/_next.html": "tickets/next/?show=mine",
    "tickets/_board.html": "board/",
    "tickets/_map.html": "tree/map/?branch=101",
    "tickets/_table.html": "tree/table/",
    "tickets/_leads.html": "leads/?show=open",
    "tickets/_ticket.html": "tickets/101/",
    "tickets/_talk.html": "comments/",
    "reporting/reports/_job.html": "",  # made by the test: its address names a job
}
OF_ALL = {
    "components/bell.html": "/notifications/count/",
    "reporting/my/_my.html": "/my/",
    "reporting/my/_news.html": "/my/news/",
    "intake/imports/_job.html": "",
}


def log_in(name: str) -> Client:
    client = Client()
    assert client.post("/accounts/login/", {"login": name, "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture(autouse=True)
def still(settings: Settings) -> Iterator[None]:
    """The clock stands still, since a tag holds the minute; and the cache is a table."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "core_cache"}}
    with time_machine.travel(timezone.now(), tick=False):
        yield


@pytest.fixture
def secret_work(secret: Incident, alice: User, bob: User, make_ticket: Callable[..., object]) -> Incident:
    """The restricted incident with something for every part of its pages."""
    make_ticket("Beacon", incident=secret, lead=True, assignee=bob)
    comments.comment_on_incident(actor=alice, incident=secret, body="Careful", shared=False)
    return secret


def url_of(template: str, incident: Incident, bob: User) -> str:
    if template == "reporting/reports/_job.html":
        return str(request_report(actor=bob, incident=incident).get_absolute_url())
    if template == "intake/imports/_job.html":
        return str(request_import(actor=bob, file=kept("eve.json", b"{}\n"), name="eve.json").get_absolute_url())
    return OF_ALL.get(template) or f"/incidents/{incident.number}/{OF_AN_INCIDENT[template]}"


def known(client: Client, url: str) -> dict[str, str]:
    """The headers of a poll of what the part shows now."""
    html = client.get(url, headers=HTMX).content.decode()
    found = re.search(r'hx-ptag="([^"]+)"', html)
    assert found, f"{url} gives no tag"
    return {**HTMX, "HX-PTag": found[1]}


def poll(client: Client, url: str, headers: dict[str, str]) -> tuple[int, int]:
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url, headers=headers)
    return answer.status_code, len(queries)


def test_every_part_that_polls_is_in_the_lists_above() -> None:
    pages = {str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.html") if "ir:tick" in path.read_text()}
    assert pages == OF_AN_INCIDENT.keys() | OF_ALL.keys()


@pytest.mark.parametrize("template", [*OF_AN_INCIDENT, *OF_ALL])
def test_a_poll_that_finds_nothing_new_costs_two_queries(
    template: str, bob: User, secret_work: Incident, capsys: pytest.CaptureFixture[str]
) -> None:
    client, url = log_in("bob"), url_of(template, secret_work, bob)
    status, cost = poll(client, url, known(client, url))
    with capsys.disabled():
        print(f"\npoll of {template}: {cost} queries")
    assert (status, cost <= MOST) == (304, True)


@pytest.mark.parametrize("template", OF_AN_INCIDENT)
def test_nor_does_it_cost_more_where_a_second_factor_is_demanded(
    template: str, bob: User, secret_work: Incident, settings: Settings
) -> None:
    client, url = log_in("bob"), url_of(template, secret_work, bob)
    headers = known(client, url)
    settings.MFA_REQUIRED_GROUPS = ["Responder"]
    assert client.get(url, headers=headers)["HX-Redirect"] == "/accounts/2fa/"
    totp.TOTP.activate(bob, "JBSWY3DPEHPK3PXP")
    status, cost = poll(client, url, headers)
    assert (status, cost <= MOST) == (304, True)
    Authenticator.objects.filter(user=bob).delete()
    assert client.get(url, headers=headers)["HX-Redirect"] == "/accounts/2fa/"


def test_what_hides_costs_what_never_was_costs(mallory: User, secret_work: Incident) -> None:
    client = log_in("mallory")
    client.get("/my/")  # the first request of a session writes when it began
    hidden = poll(client, f"/incidents/{secret_work.number}/tree/rows/", {**HTMX, "HX-PTag": "1-1"})
    never = poll(client, "/incidents/IR-2020-0101-001/tree/rows/", {**HTMX, "HX-PTag": "1-1"})
    assert hidden == never == (404, MOST)


# -- What was taken is gone -------------------------------------------------------------------------------------------
def _role_ended(alice: User, bob: User, incident: Incident) -> None:
    end_role(actor=alice, assignment=RoleAssignment.objects.get(incident=incident, user=bob, until=None))


def _disabled(alice: User, bob: User, incident: Incident) -> None:
    people.disable(actor=alice, person=bob)


def _sessions_ended(alice: User, bob: User, incident: Incident) -> None:
    people.end_sessions(actor=alice, person=bob)


def _password_set(alice: User, bob: User, incident: Incident) -> None:
    people.set_password(actor=bob, person=bob, password="nanoseconds of wire", forgotten=True)


def _session_deleted(alice: User, bob: User, incident: Incident) -> None:
    assert Session.objects.filter(user=bob).delete()[0]


def _group_taken(alice: User, bob: User, incident: Incident) -> None:
    bob.groups.clear()


def _right_taken_from_the_group(alice: User, bob: User, incident: Incident) -> None:
    Group.objects.get(name="Responder").permissions.clear()


def _restricted(alice: User, bob: User, incident: Incident) -> None:
    restrict_incident(actor=alice, incident=incident, restricted=True, reason="An insider, perhaps")


Loss = Callable[[User, User, Incident], None]


def _after(loss: Loss, alice: User, reader: User, incident: Incident) -> set[int]:
    """What every polled part of the incident answers to a reader to whom it answered 304 a moment ago."""
    client = log_in(reader.username)
    urls = [url_of(template, incident, alice) for template in OF_AN_INCIDENT]
    polls = [(url, known(client, url)) for url in urls]
    assert {client.get(url, headers=headers).status_code for url, headers in polls} == {304}
    loss(alice, reader, Incident.objects.get(pk=incident.pk))
    answers = [client.get(url, headers=headers) for url, headers in polls]
    assert {answer.headers.get("HX-PTag") for answer in answers} == {None}
    return {answer.status_code for answer in answers}


@pytest.mark.parametrize(
    ("loss", "status"),
    [(_role_ended, 404), (_disabled, 401), (_sessions_ended, 401), (_password_set, 401), (_session_deleted, 401)],
)
def test_who_loses_role_account_or_session_gets_nothing_from_the_next_poll(
    loss: Loss, status: int, alice: User, bob: User, secret_work: Incident
) -> None:
    assert _after(loss, alice, bob, secret_work) == {status}


@pytest.mark.parametrize("loss", [_group_taken, _right_taken_from_the_group, _restricted])
def test_nor_who_only_looked_and_may_no_more(
    loss: Loss, alice: User, mallory: User, incident: Incident, make_ticket: Callable[..., object]
) -> None:
    make_ticket("Beacon")
    assert _after(loss, alice, mallory, incident) == {404}


def test_a_role_given_meanwhile_counts_at_once_as_well(alice: User, mallory: User, secret_work: Incident) -> None:
    client, url = log_in("mallory"), f"/incidents/{secret_work.number}/tree/rows/"
    assert client.get(url, headers=HTMX).status_code == 404
    assign_role(actor=alice, incident=secret_work, user=mallory, role="observer")
    assert client.get(url, headers=HTMX).status_code == 200


def test_a_poll_with_a_known_tag_that_shows_something_is_written_down(bob: User, secret_work: Incident) -> None:
    client, url = log_in("bob"), f"/incidents/{secret_work.number}/tree/rows/"
    viewed = JournalEntry.objects.filter(verb="incident.viewed", actor_id=bob.pk)
    assert client.get(url, headers={**HTMX, "HX-PTag": "0-0"}).status_code == 200
    assert viewed.count() == 1


# -- Whose a session is -----------------------------------------------------------------------------------------------
def test_whose_a_session_is_says_its_signed_data_and_not_the_column(alice: User, bob: User) -> None:
    client = log_in("bob")
    for owner in (alice, None):
        assert Session.objects.filter(session_key=client.session.session_key).update(user=owner)
        assert client.get("/my/").wsgi_request.user == bob


def test_a_session_of_another_password_or_backend_is_nobodys(bob: User) -> None:
    for key, value in {HASH_SESSION_KEY: "0" * 64, BACKEND_SESSION_KEY: "people.nothing"}.items():
        client = log_in("bob")
        session = client.session
        session[key] = value
        session.save()
        assert client.get("/my/").status_code == 302


def test_a_session_without_anybody_is_kept_without_anybody(client: Client) -> None:
    session = client.session
    session["seen"] = 1
    session.save()
    client.cookies["treeline_session"] = session.session_key or ""
    assert Session.objects.get(session_key=session.session_key).user is None
    assert client.get("/my/").status_code == 302


@pytest.mark.parametrize("key", ["a" * 31 + r"\000", "a" * 31 + r"\303\244", "A" * 32, "' or 1=1 --", "short", ""])
def test_a_cookie_that_cannot_be_a_key_is_nobodys_and_not_looked_for(key: str, db: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        answer = Client().get("/my/", headers={"cookie": f'treeline_session="{key}"'})
    assert (answer.status_code, [one["sql"] for one in queries]) == (302, [])
    assert answer.cookies["treeline_session"].value == ""
