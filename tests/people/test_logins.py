"""Logging in: by address or name, with a second factor, limited, and written down."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from core.models import JournalEntry
from people.actions import people
from people.models import AccountMail, User
from tests.people.conftest import PASSWORD

Login = Callable[..., Client]
ClientOf = Callable[[User], Client]
SECRET = "JBSWY3DPEHPK3PXP"
INLINE = re.compile(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))|<style|\sstyle=|\son[a-z]+=|javascript:")


def is_in(client: Client) -> bool:
    return client.get("/accounts/profile/").status_code == 200


def code(secret: str = SECRET) -> str:
    """What the authenticator app shows now."""
    counter = next(iter(totp.yield_hotp_counters_from_time()))
    return str(totp.format_hotp_value(totp.hotp_value(secret, counter)))


def prove(client: Client) -> Client:
    """Type the password once more, as sensitive pages ask."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client


def activate(client: Client) -> str:
    """Set up an authenticator app; gives its secret."""
    page = prove(client).get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'value="([A-Z2-7]{32})"', page)[1]  # type: ignore[index]
    assert client.post("/accounts/2fa/totp/activate/", {"code": code(secret)}).status_code == 302
    return secret


@pytest.fixture
def with_totp(alice: User) -> User:
    totp.TOTP.activate(alice, SECRET)
    return alice


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice@demo.example", "Alice@Demo.Example", " alice "])
def test_people_log_in_by_address_or_name(name: str, login: Login, alice: User) -> None:
    client = login(name)
    assert is_in(client)
    entry = JournalEntry.objects.get(verb="person.logged_in")
    assert (entry.actor_id, entry.ip) == (alice.pk, "127.0.0.1")


@pytest.mark.parametrize(
    ("name", "password"),
    [("alice", "wrong"), ("alice@demo.example", "wrong"), ("nobody", PASSWORD), ("alice", ""), ("", PASSWORD)],
)
def test_a_wrong_name_or_password_is_refused(name: str, password: str, login: Login, alice: User) -> None:
    assert not is_in(login(name, password))


def test_a_disabled_person_is_not_let_in(login: Login, alice: User, admin_user: User) -> None:
    people.disable(actor=admin_user, person=alice)
    assert not is_in(login("alice"))


def test_failures_are_written_for_known_and_unknown_names_without_what_was_typed(login: Login, alice: User) -> None:
    login("alice", "hunter2hunter2")
    login("hunter2hunter2", "x")
    known, unknown = JournalEntry.objects.filter(verb="person.login_failed").order_by("seq")
    assert (known.target_id, known.actor_kind) == (str(alice.pk), "system")
    assert unknown.target_name == "an unknown account"
    assert "hunter2" not in str(list(JournalEntry.objects.values()))


@pytest.mark.parametrize("headers", [{}, {"HTTP_X_FORWARDED_FOR": "203.0.113.{n}"}])
def test_five_guesses_then_the_right_password_is_refused_too(
    headers: dict[str, str], login: Login, alice: User
) -> None:
    names = ["alice", "alice@demo.example", "ALICE"]  # one limit, whatever the account is called
    for n in range(5):
        login(names[n % 3], f"wrong {n}", **{key: value.format(n=n) for key, value in headers.items()})
    assert not is_in(login("alice", **{key: value.format(n=99) for key, value in headers.items()}))
    assert JournalEntry.objects.filter(verb="person.login_failed").count() == 5
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1)):
        assert is_in(login("alice"))


def test_a_known_and_an_unknown_address_cost_the_same_hashing(
    login: Login, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    check, make = User.check_password, User.set_password

    def counted_check(self: User, raw: str) -> bool:
        hashed.append("check")
        return check(self, raw)

    def counted_make(self: User, raw: str | None) -> None:
        hashed.append("make")
        make(self, raw)

    monkeypatch.setattr(User, "check_password", counted_check)
    monkeypatch.setattr(User, "set_password", counted_make)
    counts = []
    for name in ("alice@demo.example", "alice", "nobody@demo.example", "nobody"):
        hashed.clear()
        login(name, "wrong")
        counts.append(len(hashed))
    assert counts == [1, 1, 1, 1]


def test_the_second_factor_is_asked_for(login: Login, with_totp: User) -> None:
    client = login("alice")
    assert not is_in(client)
    assert client.post("/accounts/2fa/authenticate/", {"code": "000000"}).status_code == 200
    assert not is_in(client)
    assert client.post("/accounts/2fa/authenticate/", {"code": code()})["Location"] == "/"
    assert is_in(client)
    failed = JournalEntry.objects.get(verb="person.login_failed")
    assert failed.data["step"] == "second factor"


def test_a_code_opens_once(login: Login, with_totp: User) -> None:
    now = code()
    first, second = login("alice"), login("alice")
    first.post("/accounts/2fa/authenticate/", {"code": now})
    second.post("/accounts/2fa/authenticate/", {"code": now})
    assert (is_in(first), is_in(second)) == (True, False)


def test_who_is_disabled_between_password_and_code_stays_out(login: Login, with_totp: User, admin_user: User) -> None:
    client = login("alice")
    people.disable(actor=admin_user, person=with_totp)
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert not is_in(client)
    assert not JournalEntry.objects.filter(verb="person.logged_in").exists()


def test_second_factor_guesses_are_limited(login: Login, with_totp: User) -> None:
    client = login("alice")
    for _ in range(5):
        client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    client.post("/accounts/2fa/authenticate/", {"code": code()})
    assert not is_in(client)


def test_the_second_factor_is_sealed_in_the_database(with_totp: User) -> None:
    row = Authenticator.objects.get(user=with_totp)
    assert SECRET not in str(row.data)
    assert Authenticator.wrap(row).validate_code(code())


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_person_sets_up_a_second_factor_and_gets_recovery_codes(login: Login, alice: User) -> None:
    client = login("alice")
    assert client.get("/accounts/2fa/totp/activate/")["Location"].startswith("/accounts/reauthenticate/")
    secret = activate(client)
    assert is_in(client)
    assert set(Authenticator.objects.values_list("type", flat=True)) == {"totp", "recovery_codes"}
    verbs = list(JournalEntry.objects.values_list("verb", flat=True))
    assert "person.second_factor_added" in verbs
    assert secret not in str(list(JournalEntry.objects.values()))


@pytest.mark.parametrize("ask", ["get", "post"])
def test_a_group_that_must_have_a_second_factor_can_only_set_one_up(
    ask: str, login: Login, alice: User, dora: User, settings: Settings
) -> None:
    settings.MFA_REQUIRED_GROUPS = ["Responder"]
    client = login("alice")
    assert getattr(client, ask)("/team/")["Location"] == "/accounts/2fa/"
    fragment = client.get("/team/", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment["HX-Redirect"]) == (204, "/accounts/2fa/")
    assert client.get("/accounts/2fa/").status_code == 200
    assert prove(client).get("/accounts/2fa/totp/activate/").status_code == 200
    assert login("dora").get("/team/").status_code == 200
    totp.TOTP.activate(alice, SECRET)
    assert client.get("/team/").status_code == 200
    Authenticator.objects.filter(user=alice).delete()
    Authenticator.objects.create(user=alice, type="recovery_codes", data={})
    assert client.get("/team/").status_code == 302


def test_forgotten_passwords_are_reset_by_a_mail_that_names_only_our_own_address(
    login: Login, alice: User, send_mails: Callable[[], None], settings: Settings
) -> None:
    settings.ALLOWED_HOSTS = ["testserver", "other.example"]
    client = Client()
    client.post("/accounts/password/reset/", {"email": "alice@demo.example"}, HTTP_HOST="other.example",
                HTTP_X_FORWARDED_HOST="evil.example")  # fmt: skip
    assert mail.outbox == []
    send_mails()
    (sent,) = mail.outbox
    assert "other.example" not in sent.body + str(sent.extra_headers)
    link = re.search(r"http://localhost:8000(/accounts/password/reset/key/\S+)", str(sent.body))[1]  # type: ignore[index]
    form_url = client.get(link)["Location"]
    new = {"password1": "nanoseconds of wire", "password2": "nanoseconds of wire"}
    assert client.post(form_url, new).status_code == 302
    assert is_in(login("alice", "nanoseconds of wire"))
    assert not is_in(login("alice"))
    assert JournalEntry.objects.get(verb="person.password_reset").target_id == str(alice.pk)
    again = Client()
    assert b"invalid" in again.get(link, follow=True).content
    assert again.post(form_url, {"password1": "x" * 20, "password2": "x" * 20}).status_code == 200
    assert is_in(login("alice", "nanoseconds of wire"))


def test_asking_for_an_unknown_address_looks_the_same_and_sends_nothing(
    client: Client, alice: User, send_mails: Callable[[], None]
) -> None:
    answers = [client.post("/accounts/password/reset/", {"email": f"{name}@demo.example"}) for name in ("alice", "x")]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, "/accounts/password/reset/done/")}
    assert AccountMail.objects.count() == 2
    send_mails()
    assert [sent.to for sent in mail.outbox] == [["alice@demo.example"]]


def test_a_disabled_person_gets_no_reset_mail(
    client: Client, alice: User, admin_user: User, send_mails: Callable[[], None]
) -> None:
    client.post("/accounts/password/reset/", {"email": "alice@demo.example"})
    people.disable(actor=admin_user, person=alice)
    send_mails()
    assert mail.outbox == []
    assert not AccountMail.objects.exclude(sealed="").exists()


def test_a_customers_person_lands_on_their_profile(login: Login, eve: User, alice: User) -> None:
    for wanted in ("", "?next=/", "?next=/team/"):
        answer = Client().post(f"/accounts/login/{wanted}", {"login": "eve", "password": PASSWORD})
        assert answer["Location"] == "/accounts/profile/"
    answer = Client().post("/accounts/login/?next=/team/", {"login": "alice", "password": PASSWORD})
    assert answer["Location"] == "/team/"


ENTRANCE = ["account_login", "account_reset_password", "account_reset_password_done", "account_inactive",
            "account_reset_password_from_key_done", "socialaccount_login_cancelled"]  # fmt: skip
OWN = ["account_logout", "account_change_password", "account_reauthenticate", "mfa_index", "mfa_activate_totp",
       "mfa_list_webauthn", "mfa_add_webauthn", "usersessions_list", "socialaccount_connections",
       "people:profile"]  # fmt: skip
GUARDED = ["mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_deactivate_totp", "mfa_reauthenticate"]


@pytest.mark.parametrize("name", [*ENTRANCE, *OWN, *GUARDED])
def test_every_page_of_the_login_library_is_ours_and_has_nothing_inline(name: str, login: Login, alice: User) -> None:
    client = Client() if name in ENTRANCE else login("alice")
    if name in OWN:
        prove(client)
    if name in GUARDED:
        activate(client)
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "css/app.css" in page
    assert INLINE.findall(page) == []
    assert "'unsafe" not in answer["Content-Security-Policy"]
    assert answer["Cache-Control"].count("no-store") == 1
    assert "sign up" not in page.lower()


def test_single_sign_on_has_no_button_until_it_is_configured(client: Client, db: None) -> None:
    assert b"key-round" not in client.get("/accounts/login/").content
