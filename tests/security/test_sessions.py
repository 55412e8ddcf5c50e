"""G27: a session that should be over is over at the next request. G6: so is what was queued for who is gone."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from core.models import JournalEntry
from people.actions import people
from people.models import Session, User

pytestmark = [pytest.mark.security, pytest.mark.django_db(transaction=True, serialized_rollback=True)]
PASSWORD = "correct horse battery"
NEW = "nanoseconds of wire"
ClientOf = Callable[[User], Client]


@pytest.fixture(autouse=True)
def clean(settings: Settings) -> Iterator[None]:
    settings.ZEAL_ALLOWLIST = [{"model": model, "field": "get()"} for model in ("people.Session", "people.User")]
    cache.clear()
    yield
    cache.clear()


def log_in(name: str = "alice") -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    assert is_in(client)
    return client


def is_in(client: Client) -> bool:
    return client.get("/accounts/profile/").status_code == 200


def code(secret: str) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time())))))


# -- What ends sessions: each takes the browser that does it and the person, and says whether that browser stays in ----
def _log_out(mine: Client, alice: User, admin: User) -> bool:
    mine.post("/accounts/logout/")
    return False


def _change_password(mine: Client, alice: User, admin: User) -> bool:
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert mine.post("/accounts/password/change/", form).status_code == 302
    return True


def _end_the_others(mine: Client, alice: User, admin: User) -> bool:
    mine.post("/accounts/sessions/")
    return True


def _disable(mine: Client, alice: User, admin: User) -> bool:
    people.disable(actor=admin, person=alice)
    return False


def _disable_and_enable(mine: Client, alice: User, admin: User) -> bool:
    people.disable(actor=admin, person=alice)
    people.enable(actor=admin, person=alice)
    return False


def _end_all(mine: Client, alice: User, admin: User) -> bool:
    people.end_sessions(actor=admin, person=alice)
    return False


def _add_a_second_factor(mine: Client, alice: User, admin: User) -> bool:
    mine.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = mine.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'value="([A-Z2-7]{32})"', page)[1]  # type: ignore[index]
    assert mine.post("/accounts/2fa/totp/activate/", {"code": code(secret)}).status_code == 302
    return True


def _remove_the_second_factor(mine: Client, alice: User, admin: User) -> bool:
    totp.TOTP.activate(alice, "JBSWY3DPEHPK3PXP")
    mine.post("/accounts/reauthenticate/", {"password": PASSWORD})
    mine.post("/accounts/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()
    return True


def _rotate_the_password_by_mail(mine: Client, alice: User, admin: User) -> bool:
    people.set_password(actor=alice, person=alice, password=NEW, forgotten=True)
    return False


ENDINGS = [_change_password, _end_the_others, _disable, _disable_and_enable, _end_all, _add_a_second_factor,
           _remove_the_second_factor, _rotate_the_password_by_mail]  # fmt: skip


@pytest.mark.parametrize("end", ENDINGS)
def test_none_of_many_sessions_outlives_its_end(
    end: Callable[[Client, User, User], bool], alice: User, admin_user: User, client_of: ClientOf,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    mine, others = log_in(), [log_in() for _ in range(4)]
    unlisted = client_of(alice)  # a session that the list of sessions does not know
    stays = end(mine, User.objects.get(pk=alice.pk), admin_user)
    alive = [browser for browser in others if is_in(browser)]
    known = end is not _end_the_others  # a person ends what their list shows
    with capsys.disabled():
        print(f"\nG27 {end.__name__.strip('_')}: {len(alive)} of {len(others)} old sessions alive")
    assert alive == []
    assert is_in(mine) is stays
    assert not (known and is_in(unlisted))


def test_logging_out_ends_this_session_on_the_server(alice: User) -> None:
    client = log_in()
    cookie = client.cookies["treeline_session"].value
    assert client.get("/accounts/logout/").status_code == 200
    assert is_in(client)
    _log_out(client, alice, alice)
    thief = Client()
    thief.cookies["treeline_session"] = cookie
    assert not is_in(thief)
    assert not Session.objects.filter(session_key=cookie).exists()
    assert JournalEntry.objects.filter(verb="person.logged_out", actor_id=alice.pk).count() == 1


def test_logging_in_makes_a_new_session(alice: User) -> None:
    client = Client()
    session = client.session
    session["planted"] = "by somebody"
    session.save()
    planted = client.cookies["treeline_session"].value
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    assert client.cookies["treeline_session"].value != planted
    thief = Client()
    thief.cookies["treeline_session"] = planted
    assert not is_in(thief)


def test_cookies_are_closed_to_scripts_and_other_sites(alice: User) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.post("/accounts/login/", {"login": "alice", "password": PASSWORD})
    for name in ("treeline_session", "treeline_csrf"):
        assert client.cookies[name]["httponly"]
        assert client.cookies[name]["samesite"] == "Lax"


def test_an_idle_session_ends_after_half_an_hour(alice: User) -> None:
    client, start = log_in(), timezone.now()
    for minutes in (29, 58, 87):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert is_in(client)
    with time_machine.travel(start + timedelta(minutes=87 + 31)):
        assert not is_in(client)
    assert JournalEntry.objects.get(verb="person.logged_out").data == {"reason": "idle"}


def test_polling_is_no_activity(alice: User) -> None:
    client, start = log_in(), timezone.now()
    poll = {"HX-Request": "true", "HX-PTag": "7"}
    for minutes in range(1, 30):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert client.get("/accounts/profile/", headers=poll).status_code == 200
    with time_machine.travel(start + timedelta(minutes=31)):
        assert client.get("/accounts/profile/", headers=poll).status_code == 401


def test_a_busy_session_ends_after_twelve_hours(alice: User) -> None:
    client, start = log_in(), timezone.now()
    for minutes in range(20, 12 * 60, 20):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            assert is_in(client)
    with time_machine.travel(start + timedelta(hours=12, minutes=1)):
        assert not is_in(client)


def test_a_fragment_is_told_to_load_the_login_page(alice: User, admin_user: User) -> None:
    client = log_in()
    people.end_sessions(actor=admin_user, person=alice)
    for ask in (client.get, client.post):
        answer = ask("/team/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/team/?page=2"})
        assert answer.status_code == 401
        assert answer.content == b""
        assert answer["HX-Redirect"] == "/accounts/login/?next=%2Fteam%2F%3Fpage%3D2"


@pytest.mark.parametrize("address", ["https://evil.example/x", "http://testserver//evil.example", "javascript:x", ""])
def test_the_way_back_from_a_fragment_stays_here(address: str) -> None:
    answer = Client().get("/team/", headers={"HX-Request": "true", "HX-Current-URL": address})
    assert answer["HX-Redirect"] == "/accounts/login/?next=%2F"


def test_a_person_ends_only_their_own_sessions(alice: User, bob: User) -> None:
    mine, theirs = log_in("alice"), log_in("bob")
    other = UserSession.objects.get(user=bob)
    mine.post("/accounts/sessions/", {"session": other.pk, "sessions": [other.pk]})
    assert is_in(theirs)
    page = mine.get("/accounts/sessions/").content.decode()
    assert page.count("<tr>") == 2


def test_no_secret_of_a_session_is_on_a_page_or_in_the_journal(alice: User) -> None:
    client = log_in()
    key = client.cookies["treeline_session"].value
    assert key not in client.get("/accounts/sessions/").content.decode()
    assert key not in str(list(JournalEntry.objects.values()))


def test_a_demoted_person_loses_the_right_at_the_next_request(alice: User, admin_user: User) -> None:
    people.set_groups(actor=admin_user, person=alice, groups=["Admin"])
    client = log_in()
    assert client.get("/team/invite/").status_code == 200
    people.set_groups(actor=admin_user, person=alice, groups=["Manager"])
    assert client.get("/team/invite/").status_code == 403
