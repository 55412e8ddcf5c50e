"""People come by invitation: one link, once, for a week."""

import json
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from core import work
from core.actors import SYSTEM
from core.models import JournalEntry
from core.models.work import WorkState
from people.actions import invitations as actions
from people.actions import people
from people.models import AccountMail, Customer, Invitation, User
from people.models.invitations import digest

PASSWORD = "nanoseconds of wire"
ACCOUNT = {"name": "Grace Hopper", "username": "grace", "password": PASSWORD, "again": PASSWORD}
Mails = Callable[[], None]
ClientOf = Callable[[User], Client]
Invited = tuple[Invitation, str]


@pytest.fixture
def invited(admin_user: User) -> tuple[Invitation, str]:
    return actions.invite(actor=admin_user, email="grace@demo.example", name="Grace", groups=["Responder"])


def path(token: str) -> str:
    return f"/accounts/invitation/{token}/"


def test_an_admin_invites_and_the_page_shows_the_link_once(admin_user: User, client_of: ClientOf) -> None:
    admin = client_of(admin_user)
    form = {"email": "Grace@Demo.example", "name": "Grace", "groups": ["Responder", "Manager"]}
    shown = admin.post("/team/invite/", form)
    invitation = Invitation.objects.get()
    links = re.findall(r"http://localhost:8000/accounts/invitation/([\w-]{43})/", shown.content.decode())
    assert shown.status_code == 201
    assert digest(links[0]) == invitation.token_digest
    assert (invitation.email, invitation.groups) == ("grace@demo.example", ["Manager", "Responder"])
    assert links[0] not in admin.get("/team/").content.decode()
    assert b"grace@demo.example" in admin.get("/team/").content


@pytest.mark.parametrize("who", ["alice", "dora", "auditor", "eve"])
def test_nobody_but_admins_invites(who: str, request: pytest.FixtureRequest, client_of: ClientOf) -> None:
    client = client_of(request.getfixturevalue(who))
    form = {"email": "x@demo.example", "name": "X", "groups": ["Admin"]}
    assert client.get("/team/invite/").status_code == 403
    assert client.post("/team/invite/", form).status_code == 403
    assert not Invitation.objects.exists()


def test_the_token_is_in_no_table_in_clear(invited: Invited) -> None:
    invitation, token = invited
    rows = [*Invitation.objects.values(), *JournalEntry.objects.values(), *AccountMail.objects.values()]
    assert token not in json.dumps(rows, default=str)
    assert invitation.token_digest == digest(token)


def test_the_mail_holds_the_link_from_the_configured_address_and_is_forgotten_when_sent(
    invited: Invited, send_mails: Mails, mailoutbox: list[object]
) -> None:
    _, token = invited
    send_mails()
    (mail,) = mailoutbox
    assert f"http://localhost:8000/accounts/invitation/{token}/" in mail.body  # type: ignore[attr-defined]
    row = AccountMail.objects.get()
    assert (row.state, row.sealed, row.text) == ("done", "", "")
    send_mails()
    assert len(mailoutbox) == 1


def test_a_mail_server_that_is_down_delays_the_mail_and_keeps_no_secret_in_the_error(
    invited: Invited, send_mails: Mails, settings: Settings
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = (
        "django.core.mail.backends.smtp.EmailBackend", "127.0.0.1", 1,
    )  # fmt: skip
    send_mails()
    row = AccountMail.objects.get()
    assert (row.state, row.error, row.attempts) == ("queued", "ConnectionRefusedError", 1)
    assert row.due > timezone.now()
    assert row.text


def test_accepting_makes_the_account_and_logs_in(invited: Invited, verbs: Callable[[], list[str]]) -> None:
    _, token = invited
    client = Client()
    assert client.get(path(token)).status_code == 200
    answer = client.post(path(token), ACCOUNT)
    user = User.objects.get(username="grace")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert (user.email, user.name, user.is_staff) == ("grace@demo.example", "Grace Hopper", False)
    assert user.rights == {"respond"}
    assert user.check_password(ACCOUNT["password"])
    assert client.get("/accounts/profile/").status_code == 200
    assert verbs() == ["person.invited", "person.joined", "person.logged_in"]
    joined = JournalEntry.objects.get(verb="person.joined")
    assert (joined.actor_id, joined.data["groups"]) == (user.pk, ["Responder"])


def test_an_invited_admin_may_use_the_reference_data(admin_user: User) -> None:
    _, token = actions.invite(actor=admin_user, email="grace@demo.example", name="Grace", groups=["Admin"])
    Client().post(path(token), ACCOUNT)
    assert User.objects.get(username="grace").is_staff


def test_a_used_revoked_expired_or_unknown_link_is_the_same_404(invited: Invited, admin_user: User) -> None:
    _, used = invited
    Client().post(path(used), ACCOUNT)
    gone, revoked = actions.invite(actor=admin_user, email="b@demo.example", name="B", groups=["Responder"])
    actions.revoke(actor=admin_user, invitation=gone)
    late, expired = actions.invite(actor=admin_user, email="c@demo.example", name="C", groups=["Responder"])
    Invitation.objects.filter(pk=late.pk).update(expires_at=timezone.now())
    faces = set()
    for token in (used, revoked, expired, "A" * 43, "x", "%F0%9F%92%A9"):
        for answer in (Client().get(path(token)), Client().post(path(token), ACCOUNT)):
            faces.add((answer.status_code, re.sub(rb"<code>.*?</code>", b"", answer.content)))
    assert len(faces) == 1
    assert faces.pop()[0] == 404
    assert User.objects.filter(username="grace").count() == 1


def test_inviting_anew_says_in_the_journal_that_the_old_invitation_had_expired(admin_user: User) -> None:
    late, _ = actions.invite(actor=admin_user, email="c@demo.example", name="C", groups=["Responder"])
    Invitation.objects.filter(pk=late.pk).update(expires_at=timezone.now())
    anew, _ = actions.invite(actor=admin_user, email="c@demo.example", name="C", groups=["Responder"])
    assert anew.pk != late.pk
    said = list(JournalEntry.objects.filter(stream="people").order_by("seq").values_list("verb", flat=True))
    assert said == ["person.invited", "invitation.expired", "person.invited"]
    assert JournalEntry.objects.get(verb="invitation.expired").target_id == str(late.pk)


def test_an_invitation_ends_after_seven_days(invited: Invited) -> None:
    _, token = invited
    with time_machine.travel(timezone.now() + timedelta(days=6, hours=23)):
        assert Client().get(path(token)).status_code == 200
    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        assert Client().get(path(token)).status_code == 404


def test_who_may_not_invite_any_more_leaves_no_open_door(
    invited: Invited, admin_user: User, make_user: Callable[..., User],
    send_mails: Mails, mailoutbox: list[object],
) -> None:  # fmt: skip
    _, token = invited
    boss = make_user("boss", "Admin")
    people.disable(actor=boss, person=admin_user)
    send_mails()
    assert mailoutbox == []
    assert AccountMail.objects.get().state == "cancelled"
    assert Client().post(path(token), ACCOUNT).status_code == 404
    people.enable(actor=boss, person=admin_user)
    people.set_groups(actor=boss, person=admin_user, groups=["Responder"])
    assert Client().get(path(token)).status_code == 404


def test_a_revoked_invitation_sends_no_mail(
    invited: Invited, admin_user: User, client_of: ClientOf, send_mails: Mails, mailoutbox: list[object]
) -> None:
    invitation, _ = invited
    answer = client_of(admin_user).post(f"/team/invitations/{invitation.pk}/revoke/")
    send_mails()
    assert (answer.status_code, answer["Location"]) == (302, "/team/")
    assert mailoutbox == []
    assert AccountMail.objects.get().sealed == ""
    assert JournalEntry.objects.filter(verb="invitation.revoked").count() == 1


def test_revoking_is_for_admins(invited: Invited, client_of: ClientOf, alice: User, eve: User) -> None:
    url = f"/team/invitations/{invited[0].pk}/revoke/"
    assert client_of(alice).post(url).status_code == 403
    assert client_of(eve).post(url).status_code == 404
    assert client_of(alice).get(url).status_code == 405
    assert Invitation.objects.get().revoked_at is None


def test_an_accepted_invitation_cannot_be_revoked(invited: Invited, admin_user: User) -> None:
    invitation, token = invited
    Client().post(path(token), ACCOUNT)
    with pytest.raises(ValidationError, match="Disable the account instead"):
        actions.revoke(actor=admin_user, invitation=invitation)


def test_an_address_is_invited_once_at_a_time(invited: Invited, admin_user: User) -> None:
    with pytest.raises(ValidationError, match="invited already"):
        actions.invite(actor=admin_user, email="GRACE@demo.example", name="G", groups=["Responder"])
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        actions.invite(actor=admin_user, email="grace@demo.example", name="G", groups=["Responder"])
    assert Invitation.objects.pending().count() == 1


def test_the_database_refuses_a_second_open_invitation(invited: Invited) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Invitation.objects.create(email="Grace@demo.example", name="G", token_digest="x")


def test_who_has_an_account_is_not_invited(admin_user: User, alice: User) -> None:
    with pytest.raises(ValidationError, match="has an account"):
        actions.invite(actor=admin_user, email="ALICE@demo.example", name="Alice", groups=["Admin"])


@pytest.mark.parametrize(
    ("groups", "of_customer", "reason"),
    [
        ([], False, "at least one group"),
        (["Root"], False, "no group named Root"),
        (["Customer"], False, "Only people of a customer"),
        (["Responder", "Customer"], False, "Only people of a customer"),
        (["Responder"], True, "to no other"),
        (["Customer", "Admin"], True, "to no other"),
        ([], True, "to no other"),
    ],
)
def test_groups_that_do_not_fit_are_refused(
    groups: list[str], of_customer: bool, reason: str, admin_user: User, customer_a: Customer
) -> None:
    customer = customer_a if of_customer else None
    with pytest.raises(ValidationError, match=reason):
        actions.invite(actor=admin_user, email="g@demo.example", name="G", groups=groups, customer=customer)
    assert not Invitation.objects.exists()
    assert not AccountMail.objects.exists()


def test_a_contact_is_invited_from_the_page_of_the_customer(
    admin_user: User, customer_a: Customer, client_of: ClientOf, send_mails: Mails, mailoutbox: list[object]
) -> None:
    admin = client_of(admin_user)
    assert b"selected>Customer A" in admin.get("/team/invite/?customer=customer-a").content
    admin.post("/team/invite/", {"email": "gil@customer-a.example", "name": "Gil", "customer": customer_a.pk})
    send_mails()
    token = re.search(r"invitation/([\w-]+)/", mailoutbox[0].body)[1]  # type: ignore[attr-defined,index]
    client = Client()
    answer = client.post(path(token), {**ACCOUNT, "username": "gil"})
    gil = User.objects.get(username="gil")
    assert answer["Location"] == "/accounts/profile/"
    assert (gil.customer, gil.rights) == (customer_a, frozenset({"portal"}))
    assert client.get("/team/").status_code == 403


def test_a_form_with_group_and_customer_is_refused(admin_user: User, customer_a: Customer, client_of: ClientOf) -> None:
    form = {"email": "g@a.example", "name": "G", "customer": customer_a.pk, "groups": ["Admin"]}
    assert client_of(admin_user).post("/team/invite/", form).status_code == 422
    assert not Invitation.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("username", "alice@demo.example", "no @"),
        ("username", "ALICE", "taken"),
        ("username", "grâce", "valid username"),
        ("password", "password1234", "too common"),
        ("password", "short", "too short"),
        ("password", "grace@demo.example", "too similar"),
        ("again", "something else entirely", "differ"),
        ("name", "\u200b", "visible"),
    ],
)
def test_an_account_needs_a_name_and_a_password_worth_it(
    field: str, value: str, reason: str, invited: Invited, alice: User
) -> None:
    form = {**ACCOUNT, field: value}
    if field == "password":
        form["again"] = value
    answer = Client().post(path(invited[1]), form)
    assert answer.status_code == 422
    assert reason in answer.content.decode()
    assert Invitation.objects.get().accepted_at is None


def test_fields_that_the_form_does_not_list_change_nothing(invited: Invited) -> None:
    more = {"is_staff": "on", "is_superuser": "on", "email": "evil@x.example", "groups": "Admin", "customer": "1"}
    Client().post(path(invited[1]), {**ACCOUNT, **more})
    user = User.objects.get(username="grace")
    assert (user.email, user.is_staff, user.is_superuser) == ("grace@demo.example", False, False)
    assert user.rights == {"respond"}


def test_a_user_name_that_is_an_address_is_refused_by_the_database(alice: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create_user("m@demo.example", username="alice@demo.example", name="M")


def test_the_first_admin_is_invited_from_the_command_line(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("invite", "first@demo.example", name="First", groups=["Admin"])
    link = capsys.readouterr().out.strip()
    assert link.startswith("http://localhost:8000/accounts/invitation/")
    assert Client().get(link.removeprefix("http://localhost:8000")).status_code == 200
    assert JournalEntry.objects.get().actor_name == SYSTEM.actor_name
    with pytest.raises(CommandError, match="invited already"):
        call_command("invite", "first@demo.example", name="First", groups=["Admin"])
    with pytest.raises(CommandError, match="valid email"):
        call_command("invite", "nonsense", name="First", groups=["Admin"])


def test_a_mail_that_nobody_could_send_is_forgotten_however_its_worker_ended(admin_user: User) -> None:
    actions.invite(actor=admin_user, email="gina@demo.example", name="Gina", groups=["Responder"])
    assert AccountMail.objects.get().sealed
    late = timezone.now() - timedelta(seconds=1)
    AccountMail.objects.update(state=WorkState.RUNNING, attempts=AccountMail.most_attempts, due=late)
    work.sweep()
    mail = AccountMail.objects.get()
    assert (mail.state, mail.sealed, mail.text) == (WorkState.FAILED, "", "")
