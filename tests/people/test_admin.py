"""Reference data at /admin/: for admins, journalled like everything."""

from collections.abc import Callable

import pytest
from django.test import Client

from core import journal
from core.admin import site
from core.models import JournalEntry
from core.verify import verify
from people.models import Customer, User

ClientOf = Callable[[User], Client]
CHANGE = "/admin/people/customer/{}/change/"


def test_admins_change_reference_data_without_being_superusers(
    client_of: ClientOf, admin_user: User, customer_a: Customer
) -> None:
    admin = client_of(admin_user)
    assert admin.get("/admin/").status_code == 200
    form = {"name": "Customer Alpha", "slug": "customer-a", "notes": "", "active": "on"}
    assert admin.post(CHANGE.format(customer_a.pk), form).status_code == 302
    entry = JournalEntry.objects.get(verb="customer.changed")
    assert (entry.actor_id, entry.stream) == (admin_user.pk, "people")
    assert entry.data["changes"] == {"name": ["Customer A", "Customer Alpha"]}
    assert customer_a.history.first().history_user_id == admin_user.pk


def test_adding_and_deleting_are_journalled(client_of: ClientOf, admin_user: User, customer_a: Customer) -> None:
    admin = client_of(admin_user)
    admin.post("/admin/people/customer/add/", {"name": "B", "slug": "b", "notes": "", "active": "on"})
    added = Customer.objects.get(slug="b")
    admin.post(f"/admin/people/customer/{customer_a.pk}/delete/", {"post": "yes"})
    admin.post("/admin/people/customer/",
               {"action": "delete_selected", "_selected_action": [added.pk], "post": "yes"})  # fmt: skip
    assert not Customer.objects.exists()
    assert list(JournalEntry.objects.values_list("verb", flat=True)) == [
        "customer.added", "customer.deleted", "customer.deleted",
    ]  # fmt: skip
    assert JournalEntry.objects.filter(verb="customer.deleted").first().target_id == str(customer_a.pk)  # type: ignore[union-attr]
    assert verify().entries == 3


def test_a_customer_with_people_is_not_deleted(
    client_of: ClientOf, admin_user: User, customer_a: Customer, eve: User
) -> None:
    answer = client_of(admin_user).post(f"/admin/people/customer/{customer_a.pk}/delete/", {"post": "yes"})
    assert answer.status_code == 403
    assert Customer.objects.filter(pk=customer_a.pk).exists()


def test_a_journal_that_fails_changes_nothing(
    client_of: ClientOf, admin_user: User, customer_a: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no journal")

    monkeypatch.setattr(journal, "record", fail)
    client = client_of(admin_user)
    form = {"name": "Other", "slug": "customer-a", "notes": "", "active": "on"}
    with pytest.raises(RuntimeError):
        client.post(CHANGE.format(customer_a.pk), form)
    customer_a.refresh_from_db()
    assert customer_a.name == "Customer A"


@pytest.mark.parametrize("who", ["alice", "dora", "auditor", "eve"])
def test_others_are_refused(who: str, request: pytest.FixtureRequest, client_of: ClientOf) -> None:
    assert client_of(request.getfixturevalue(who)).get("/admin/login/").status_code == 403
    assert client_of(request.getfixturevalue(who)).get("/admin/people/customer/").status_code == 302


def test_a_stale_staff_flag_alone_opens_nothing(client_of: ClientOf, make_user: Callable[..., User]) -> None:
    client = client_of(make_user("old", "Responder", is_staff=True))
    assert client.get("/admin/people/customer/", follow=False).status_code == 302


def test_logging_in_leads_to_the_one_login(client: Client, db: None) -> None:
    answer = client.get("/admin/login/?next=/admin/")
    assert answer["Location"] == "/accounts/login/?next=%2Fadmin%2F"
    assert client.post("/admin/login/", {"username": "admin", "password": "x"}).status_code == 302


def test_only_reference_data_is_there() -> None:
    named = {model._meta.label for model in site._registry}
    assert "people.Customer" in named
    assert not named & {"people.User", "auth.Group", "auth.Permission", "account.EmailAddress", "mfa.Authenticator"}


def test_the_password_is_changed_where_everybody_changes_it(client_of: ClientOf, admin_user: User) -> None:
    form = {"old_password": "correct horse battery", "new_password1": "x" * 20, "new_password2": "x" * 20}
    answer = client_of(admin_user).post("/admin/password_change/", form)
    assert answer["Location"] == "/accounts/password/change/"
    assert User.objects.get(pk=admin_user.pk).check_password("correct horse battery")
