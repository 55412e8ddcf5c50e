"""The organisations incidents are handled for."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from core import journal
from core.actions import action
from core.actors import Actor
from people.models import Customer

FIELDS = ("name", "slug", "notes", "active")


def _save(customer: Customer) -> None:
    try:
        with transaction.atomic():
            customer.save()
    except IntegrityError as taken:
        raise ValidationError("Another customer has this name or short name.") from taken


@action
def add_customer(*, actor: Actor, name: str, slug: str, notes: str = "") -> Customer:
    """Begin to work for an organisation.

    Raises:
        ValidationError: the name or the short name is taken.
    """
    customer = Customer(name=name, slug=slug, notes=notes)
    _save(customer)
    journal.record("customer.added", actor=actor, subject=customer)
    return customer


@action
def change_customer(*, actor: Actor, customer: Customer, fields: Mapping[str, Any]) -> Customer:
    """Change name, short name, notes, or whether we work for them.

    Raises:
        ValidationError: the name or the short name is taken.
    """
    customer = Customer.objects.select_for_update().get(pk=customer.pk)
    changed = {name: fields[name] for name in FIELDS if name in fields and getattr(customer, name) != fields[name]}
    if not changed:
        return customer
    for name, value in changed.items():
        setattr(customer, name, value)
    _save(customer)
    journal.record("customer.changed", actor=actor, subject=customer)
    return customer
