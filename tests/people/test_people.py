"""What admins do with people: groups, disabling, sessions. An Admin is always left."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from core import journal
from core.models import JournalEntry
from incidents.models import Incident
from people.actions import people as actions
from people.models import Customer, User
from people.queries import people as queries

ClientOf = Callable[[User], Client]
MakeUser = Callable[..., User]
POSTS = ["groups", "details", "disable", "enable", "sessions/end"]


def entry(verb: str) -> JournalEntry:
    return JournalEntry.objects.get(verb=verb)


def test_the_team_page_lists_our_people_only(
    client_of: ClientOf, alice: User, eve: User, incident: Incident, secret: Incident
) -> None:
    page = client_of(alice).get("/team/").content.decode()
    assert "Alice Example" in page
    assert "Eve Example" not in page


def test_roles_in_restricted_incidents_are_not_counted(alice: User, incident: Incident, secret: Incident) -> None:
    assert {user.username: user.open_roles for user in queries.team()}["alice"] == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("who", ["alice", "dora", "auditor"])
def test_our_people_see_a_person_but_change_nothing(
    who: str, request: pytest.FixtureRequest, client_of: ClientOf, bob: User
) -> None:
    client = client_of(request.getfixturevalue(who))
    page = client.get(f"/team/{bob.pk}/")
    assert page.status_code == 200
    assert b"Disable" not in page.content
    assert [client.post(f"/team/{bob.pk}/{path}/").status_code for path in POSTS] == [403] * 5
    assert User.objects.get(pk=bob.pk).is_active


def test_for_a_customers_person_nobody_exists(client_of: ClientOf, eve: User, bob: User, customer_a: Customer) -> None:
    client = client_of(eve)
    paths = ["/team/", "/team/invite/", "/customers/", "/customers/new/"]
    assert [client.get(path).status_code for path in paths] == [403] * 4
    hidden = [f"/team/{bob.pk}/", "/team/999999/", "/customers/customer-a/", "/customers/nothing/"]
    assert [client.get(path).status_code for path in hidden] == [404] * 4
    assert [client.post(f"/team/{bob.pk}/{path}/").status_code for path in POSTS] == [404] * 5


def test_an_admin_sets_groups_which_count_at_the_next_request(client_of: ClientOf, admin_user: User, bob: User) -> None:
    admin, browser = client_of(admin_user), client_of(bob)
    assert browser.get("/team/").status_code == 200
    answer = admin.post(f"/team/{bob.pk}/groups/", {"groups": ["Manager", "Admin"]})
    assert answer["Location"] == f"/team/{bob.pk}/"
    fresh = User.objects.get(pk=bob.pk)
    assert (fresh.rights, fresh.is_staff) == (frozenset({"oversee", "administer"}), True)
    assert browser.get("/team/invite/").status_code == 200
    assert entry("person.groups_changed").data["groups"] == [["Responder"], ["Admin", "Manager"]]
    admin.post(f"/team/{bob.pk}/groups/", {"groups": ["Responder"]})
    assert browser.get("/team/invite/").status_code == 403
    assert not User.objects.get(pk=bob.pk).is_staff


def test_the_same_groups_again_are_no_entry(admin_user: User, bob: User) -> None:
    actions.set_groups(actor=admin_user, person=bob, groups=["Responder"])
    assert not JournalEntry.objects.filter(verb="person.groups_changed").exists()


@pytest.mark.parametrize("groups", [[], ["Customer"], ["Customer", "Admin"], ["Root"]])
def test_one_of_ours_needs_a_group_and_never_the_customers(
    groups: list[str], client_of: ClientOf, admin_user: User, bob: User
) -> None:
    answer = client_of(admin_user).post(f"/team/{bob.pk}/groups/", {"groups": groups})
    assert answer.status_code == 422
    with pytest.raises(ValidationError):
        actions.set_groups(actor=admin_user, person=bob, groups=groups)
    assert User.objects.get(pk=bob.pk).rights == {"respond"}


@pytest.mark.parametrize("groups", [["Responder"], ["Customer", "Responder"], []])
def test_a_customers_person_gets_no_other_group(groups: list[str], admin_user: User, eve: User) -> None:
    with pytest.raises(ValidationError, match="to no other"):
        actions.set_groups(actor=admin_user, person=eve, groups=groups)
    assert User.objects.get(pk=eve.pk).rights == {"portal"}


def test_a_wrong_row_in_the_group_table_gives_no_right(eve: User, bob: User) -> None:
    eve.groups.add(Group.objects.get(name="Admin"))
    bob.groups.set([Group.objects.get(name="Customer")])
    assert User.objects.get(pk=eve.pk).rights == {"portal"}
    assert User.objects.get(pk=bob.pk).rights == frozenset()


def test_the_database_refuses_staff_of_a_customer(eve: User) -> None:
    for field in ("is_staff", "is_superuser"):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=eve.pk).update(**{field: True})


def test_the_last_admin_stays(client_of: ClientOf, admin_user: User, make_user: MakeUser) -> None:
    make_user("gone", "Admin", is_active=False)
    client = client_of(admin_user)
    refused = client.post(f"/team/{admin_user.pk}/disable/")
    assert refused.status_code == 422
    assert b"last active Admin" in refused.content
    assert client.post(f"/team/{admin_user.pk}/groups/", {"groups": ["Responder"]}).status_code == 422
    fresh = User.objects.get(pk=admin_user.pk)
    assert (fresh.is_active, fresh.rights) == (True, frozenset({"administer"}))
    assert not JournalEntry.objects.filter(verb__in=["person.disabled", "person.groups_changed"]).exists()


def test_with_a_second_admin_the_first_may_go(admin_user: User, make_user: MakeUser) -> None:
    boss = make_user("boss", "Admin", is_staff=True)
    actions.disable(actor=boss, person=admin_user)
    assert not User.objects.get(pk=admin_user.pk).is_active
    with pytest.raises(ValidationError, match="last active Admin"):
        actions.disable(actor=boss, person=boss)


def test_disabling_and_enabling_are_journalled_once(client_of: ClientOf, admin_user: User, bob: User) -> None:
    admin = client_of(admin_user)
    for _ in range(2):
        assert admin.post(f"/team/{bob.pk}/disable/").status_code == 302
    assert entry("person.disabled").data["changes"] == {"is_active": [True, False]}
    for _ in range(2):
        assert admin.post(f"/team/{bob.pk}/enable/").status_code == 302
    assert entry("person.enabled").actor_id == admin_user.pk
    assert User.objects.get(pk=bob.pk).is_active


def test_details_are_changed_by_admins(client_of: ClientOf, admin_user: User, bob: User) -> None:
    form = {
        "name": "Bob Builder",
        "job_title": "Analyst",
        "phone": "+49 30 1",
        "is_staff": "on",
        "email": "x@x.example",
    }
    assert client_of(admin_user).post(f"/team/{bob.pk}/details/", form).status_code == 302
    fresh = User.objects.get(pk=bob.pk)
    assert (fresh.name, fresh.job_title, fresh.phone) == ("Bob Builder", "Analyst", "+49 30 1")
    assert (fresh.email, fresh.is_staff) == (bob.email, False)
    assert entry("person.details_changed").data["changes"]["name"] == ["Bob Example", "Bob Builder"]


def test_a_name_of_markup_is_shown_as_text(client_of: ClientOf, admin_user: User, bob: User) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    actions.change_details(actor=admin_user, person=bob, fields={"name": nasty})
    for path in ("/team/", f"/team/{bob.pk}/"):
        page = client_of(admin_user).get(path).content.decode()
        assert nasty not in page
        assert "&lt;img src=x" in page


def test_a_journal_that_fails_rolls_the_change_back(
    admin_user: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no journal")

    monkeypatch.setattr(journal, "record", fail)
    for act in (actions.disable, actions.end_sessions):
        with pytest.raises(RuntimeError):
            act(actor=admin_user, person=bob)
    fresh = User.objects.get(pk=bob.pk)
    assert (fresh.is_active, fresh.session_round) == (True, 0)


def test_choices_are_our_active_people_with_a_right(
    alice: User, bob: User, dora: User, eve: User, make_user: MakeUser
) -> None:
    make_user("idle")
    make_user("gone", "Responder", is_active=False)
    make_user("both", "Responder", "Manager")
    assert [user.username for user in queries.choices()] == ["alice", "bob", "both", "dora"]
    assert [user.username for user in queries.choices(q="ALI")] == ["alice"]
    assert [user.username for user in queries.choices(q="%")] == []


@pytest.mark.parametrize("count", [3, 60])
def test_the_team_page_takes_the_same_queries_for_few_and_many(
    count: int, client_of: ClientOf, admin_user: User, make_user: MakeUser,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    for number in range(count):
        make_user(f"p{number}", "Responder", "Manager")
    client = client_of(admin_user)
    client.get("/team/")
    with django_assert_max_num_queries(8):
        assert client.get("/team/").status_code == 200
