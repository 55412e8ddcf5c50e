"""Eight people in all roles, and two customers."""

from dataclasses import dataclass

from django.contrib.auth.models import Group

from people.models import Customer, User


@dataclass(frozen=True)
class Person:
    """Somebody who can log in to the demo."""

    email: str
    name: str
    job: str
    group: str
    does: str


PEOPLE = [
    Person("alice@demo.example", "Alice Lindqvist", "Incident Commander", "Responder", "commander"),
    Person("bob@demo.example", "Bob Wrona", "Forensics", "Responder", "member"),
    Person("carol@demo.example", "Carol Rahman", "Analyst in training", "Responder", "observer"),
    Person("dora@demo.example", "Dora Moreau", "Head of security operations", "Manager", "manager"),
    Person("mallory@demo.example", "Mallory Beck", "Responder", "Responder", "outsider of the restricted incident"),
    Person("eve@customer-a.example", "Eve Fischer", "CISO", "Customer", "customer A"),
    Person("frank@customer-b.example", "Frank Hale", "Head of IT", "Customer", "customer B"),
    Person("admin@demo.example", "Ada Okafor", "Administrator", "Admin", "administrator"),
]
CUSTOMERS = {
    "customer-a": ("Northbridge Freight", "Logistics, 1,400 people. Contact at night: the duty manager."),
    "customer-b": ("Alder Pay", "Payment services, regulated. Status page must be told within 30 minutes."),
}


def make_people(password: str) -> dict[str, User]:
    """Make them all, by first name in lower case."""
    customers = {
        slug: Customer.objects.create(slug=slug, name=name, notes=notes) for slug, (name, notes) in CUSTOMERS.items()
    }
    people = {}
    for person in PEOPLE:
        key, host = person.email.split("@")
        user = User.objects.create_user(
            person.email, password, username=key, name=person.name, job_title=person.job,
            customer=customers.get(host.removesuffix(".example")), is_staff=person.group == "Admin",
        )  # fmt: skip
        user.groups.add(Group.objects.get(name=person.group))
        people[key] = user
    return people
