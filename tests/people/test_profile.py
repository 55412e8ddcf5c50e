"""A person's own page."""

from collections.abc import Callable

import pytest
from django.test import Client

from core.models import JournalEntry
from people.models import User

ClientOf = Callable[[User], Client]
FORM = {"name": "Alice A.", "job_title": "Lead", "phone": "1", "time_zone": "Europe/Berlin", "compact": "on"}


@pytest.mark.parametrize("who", ["alice", "eve", "admin_user", "auditor"])
def test_everybody_has_a_profile(who: str, request: pytest.FixtureRequest, client_of: ClientOf) -> None:
    user = request.getfixturevalue(who)
    page = client_of(user).get("/accounts/profile/")
    assert page.status_code == 200
    assert user.email in page.content.decode()
    for link in ("/accounts/password/change/", "/accounts/2fa/", "/accounts/sessions/"):
        assert f'href="{link}"' in page.content.decode()


def test_nobody_has_none(client: Client, db: None) -> None:
    assert client.get("/accounts/profile/")["Location"] == "/accounts/login/?next=/accounts/profile/"


def test_a_person_changes_what_is_theirs(client_of: ClientOf, alice: User) -> None:
    answer = client_of(alice).post("/accounts/profile/", FORM)
    fresh = User.objects.get(pk=alice.pk)
    assert answer.status_code == 302
    assert (fresh.name, fresh.time_zone, fresh.compact, fresh.hotkeys) == ("Alice A.", "Europe/Berlin", True, False)
    entry = JournalEntry.objects.get(verb="person.details_changed")
    assert entry.actor_id == alice.pk
    assert entry.data["changes"]["hotkeys"] == [True, False]


def test_a_person_changes_nothing_else(client_of: ClientOf, eve: User) -> None:
    more = {"email": "x@x.example", "username": "root", "is_staff": "on", "is_superuser": "on", "is_active": "",
            "customer": "", "groups": "1", "session_round": "9", "password": "x"}  # fmt: skip
    client = client_of(eve)
    before = dict(User.objects.filter(pk=eve.pk).values().get())
    client.post("/accounts/profile/", {**FORM, **more})
    after = dict(User.objects.filter(pk=eve.pk).values().get())
    allowed = {"name", "job_title", "phone", "time_zone", "compact", "hotkeys"}
    assert {name for name in after if after[name] != before[name]} <= allowed
    assert User.objects.get(pk=eve.pk).rights == {"portal"}


@pytest.mark.parametrize(("field", "value"), [("time_zone", "Mars/Olympus"), ("name", ""), ("name", "a\u202eb")])
def test_what_makes_no_sense_is_refused(field: str, value: str, client_of: ClientOf, alice: User) -> None:
    assert client_of(alice).post("/accounts/profile/", {**FORM, field: value}).status_code == 422
    assert User.objects.get(pk=alice.pk).name == "Alice Example"


@pytest.mark.parametrize(
    "path",
    ["/accounts/signup/", "/accounts/3rdparty/signup/", "/accounts/email/", "/accounts/confirm-email/",
     "/accounts/confirm-email/abc/", "/accounts/login/code/confirm/", "/accounts/signup/passkey/"],
)  # fmt: skip
def test_what_we_do_not_offer_does_not_exist(path: str, client: Client, client_of: ClientOf, alice: User) -> None:
    form = {"email": "m@x.example", "username": "m", "password1": "nanoseconds of wire", "login": "m"}
    for browser in (client, client_of(alice)):
        assert browser.get(path).status_code == 404
        assert browser.post(path, form).status_code == 404
    assert User.objects.count() == 1
