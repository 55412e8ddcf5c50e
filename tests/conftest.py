"""The people of the tests: Alice leads, Bob works, Carol observes, Mallory is nobody here; Eve and Frank: customers."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from incidents.actions import incidents as incident_actions
from incidents.actions import team
from incidents.models import Incident, Role
from people.models import Customer, User
from tickets.actions import tickets as ticket_actions
from tickets.models import Ticket

MakeUser = Callable[..., User]


LONGEST = (
    "test_nasty_values.py", "test_access.py", "test_csrf_and_get.py", "test_views_noted.py", "test_outbox.py",
    "test_headers.py", "test_same_face.py", "test_pdf.py", "test_audit_true.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that commits empties the tables after it: the groups and rights of the migrations must come back.

    Files that take minutes come first, so that no process is still at one when the others have nothing left.
    """
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))
    for item in items:
        marker = item.get_closest_marker("django_db")
        if marker and marker.kwargs.get("transaction"):
            item.add_marker("commits")
        if marker and marker.kwargs.get("transaction") and not marker.kwargs.get("serialized_rollback"):
            raise pytest.UsageError(f"{item.nodeid} needs django_db(transaction=True, serialized_rollback=True).")


@pytest.fixture
def make_user(db: None) -> MakeUser:
    """A person by first name, in groups, perhaps of a customer."""

    def make(name: str, *groups: str, customer: Customer | None = None, **fields: Any) -> User:
        host = f"{customer.slug}.example" if customer else "demo.example"
        fields = {"username": name, "name": f"{name.capitalize()} Example", "customer": customer, **fields}
        user = User.objects.create_user(f"{name}@{host}", "correct horse battery", **fields)
        user.groups.set(Group.objects.filter(name__in=groups))
        return user

    return make


@pytest.fixture
def alice(make_user: MakeUser) -> User:
    return make_user("alice", "Responder")


@pytest.fixture
def bob(make_user: MakeUser) -> User:
    return make_user("bob", "Responder")


@pytest.fixture
def carol(make_user: MakeUser) -> User:
    return make_user("carol", "Responder")


@pytest.fixture
def dora(make_user: MakeUser) -> User:
    return make_user("dora", "Manager")


@pytest.fixture
def mallory(make_user: MakeUser) -> User:
    return make_user("mallory", "Responder")


@pytest.fixture
def auditor(make_user: MakeUser) -> User:
    return make_user("aud", "Auditor")


@pytest.fixture
def admin_user(make_user: MakeUser) -> User:
    return make_user("admin", "Admin", is_staff=True)


@pytest.fixture
def customer_a(db: None) -> Customer:
    return Customer.objects.create(name="Customer A", slug="customer-a")


@pytest.fixture
def customer_b(db: None) -> Customer:
    return Customer.objects.create(name="Customer B", slug="customer-b")


@pytest.fixture
def eve(make_user: MakeUser, customer_a: Customer) -> User:
    return make_user("eve", "Customer", customer=customer_a)


@pytest.fixture
def frank(make_user: MakeUser, customer_b: Customer) -> User:
    return make_user("frank", "Customer", customer=customer_b)


@pytest.fixture
def client_of() -> Callable[[User], Client]:
    """A browser in which this person is logged in."""

    def browser(user: User, **options: Any) -> Client:
        client = Client(**options)
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    return browser


@pytest.fixture
def make_incident(alice: User) -> Callable[..., Incident]:
    """An incident that Alice commands, unless a test says otherwise."""

    def make(title: str = "Ransomware on the file server", **fields: Any) -> Incident:
        fields = {"actor": alice, "reporter": alice, "commander": alice, **fields}
        return incident_actions.open_incident(title=title, **fields)

    return make


@pytest.fixture
def make_ticket(incident: Incident, alice: User) -> Callable[..., Ticket]:
    """A ticket in the incident, at the top unless `parent` (a ticket) is given."""

    def make(title: str = "Image the disk", parent: Ticket | None = None, **fields: Any) -> Ticket:
        fields = {"actor": alice, "incident": incident, **fields}
        return ticket_actions.add_ticket(title=title, parent=parent.number if parent else None, **fields)

    return make


@pytest.fixture
def incident(make_incident: Callable[..., Incident], alice: User, bob: User, carol: User) -> Incident:
    """Alice commands, Bob works, Carol observes; Mallory and other responders may look."""
    found = make_incident()
    team.assign_role(actor=alice, incident=found, user=bob, role=Role.MEMBER)
    team.assign_role(actor=alice, incident=found, user=carol, role=Role.OBSERVER)
    return Incident.objects.get(pk=found.pk)


@pytest.fixture
def secret(make_incident: Callable[..., Incident], alice: User, bob: User) -> Incident:
    """A restricted incident of Alice and Bob: for everybody else it does not exist."""
    found = make_incident("Insider under investigation", restricted=True)
    team.assign_role(actor=alice, incident=found, user=bob, role=Role.MEMBER)
    return Incident.objects.get(pk=found.pk)
