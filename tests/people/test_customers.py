"""The organisations incidents are handled for."""

from collections.abc import Callable

import pytest
from django.test import Client

from core.models import JournalEntry
from people.models import Customer, User

ClientOf = Callable[[User], Client]


def test_our_people_see_customers_and_their_contacts(client_of: ClientOf, alice: User, eve: User, frank: User) -> None:
    client = client_of(alice)
    assert b"Customer B" in client.get("/customers/").content
    page = client.get("/customers/customer-a/").content.decode()
    assert "Eve Example" in page
    assert "Frank Example" not in page
    assert "Invite a contact" not in page


def test_admins_add_and_change_customers(client_of: ClientOf, admin_user: User) -> None:
    admin = client_of(admin_user)
    answer = admin.post("/customers/new/", {"name": "Umbrella", "slug": "Umbrella", "notes": "a\r\nb"})
    customer = Customer.objects.get()
    assert answer["Location"] == "/customers/umbrella/"
    assert customer.notes == "a\nb"
    form = {"name": "Umbrella Inc.", "slug": "umbrella", "notes": "", "active": ""}
    assert admin.post("/customers/umbrella/edit/", form).status_code == 302
    customer.refresh_from_db()
    assert (customer.name, customer.active) == ("Umbrella Inc.", False)
    changed = JournalEntry.objects.get(verb="customer.changed")
    assert changed.data["changes"]["active"] == [True, False]
    assert JournalEntry.objects.filter(verb="customer.added", actor_id=admin_user.pk).count() == 1


@pytest.mark.parametrize("form", [
    {"name": "Customer A", "slug": "other"}, {"name": "Other", "slug": "customer-a"}, {"name": "Other", "slug": "new"},
    {"name": "", "slug": "other"}, {"name": "Other", "slug": "../x"},
])  # fmt: skip
def test_names_are_needed_and_taken_once(
    form: dict[str, str], client_of: ClientOf, admin_user: User, customer_a: Customer
) -> None:
    assert client_of(admin_user).post("/customers/new/", form).status_code == 422
    assert Customer.objects.count() == 1


def test_only_admins_write(client_of: ClientOf, alice: User, dora: User, customer_a: Customer) -> None:
    for user in (alice, dora):
        client = client_of(user)
        assert client.get("/customers/new/").status_code == 403
        assert client.post("/customers/new/", {"name": "X", "slug": "x"}).status_code == 403
        assert client.post("/customers/customer-a/edit/", {"name": "X", "slug": "x"}).status_code == 403
    assert Customer.objects.get().name == "Customer A"
