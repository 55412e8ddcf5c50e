"""Who task lines may name in an incident: its workers by user name or address, and roles by who holds them."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import CharField, OuterRef, Value
from django.db.models.functions import Cast, Concat

from core.gather import gathered, names
from incidents.models import Incident, Role, RoleAssignment
from people.models import User
from tickets.queries.people import workers

MOST_NAMED = 12  # in a message


@dataclass(frozen=True)
class Crew:
    """Workers by what they may be called, in small letters; and the one who holds each role."""

    people: Mapping[str, User]
    roles: Mapping[str, User]

    def named(self, name: str) -> User | None:
        """Whom @name means; None for nobody who works here."""
        key = name.casefold()
        return self.people.get(key) or self.roles.get(key.replace("-", "_"))

    def unknown(self, name: str) -> str:
        """That it means nobody, and who could be meant."""
        key = name.casefold().replace("-", "_")
        if key in Role.values:
            return f"Nobody who works tickets here is {Role(key).label}: give that role first, or name a person."
        known = [f"@{user.username}" for user in {user.pk: user for user in self.people.values()}.values()]
        known += [f"@{role}" for role in self.roles]
        shown = ", ".join(known[:MOST_NAMED]) + (f" and {len(known) - MOST_NAMED} more" if known[MOST_NAMED:] else "")
        return f"@{name} is nobody who works on this incident. Possible: {shown or 'nobody yet'}."


def crew(incident: Incident) -> Crew:
    """One query. Of several who hold a role, the one who has held it longest is meant."""
    held = RoleAssignment.objects.filter(incident=incident, until=None, user=OuterRef("pk"))
    named = held.annotate(named=Concat(Cast("pk", CharField()), Value(" "), "role"))
    people = list(workers(incident).annotate(held=gathered(named, "named")))
    called = {user.username.casefold(): user for user in people}
    for user in people:
        called.setdefault(user.email.casefold(), user)
    found = sorted((int(key), role, user) for user in people for key, role in map(str.split, names(user.held)))
    roles: dict[str, User] = {}
    for _, role, user in found:
        if role not in (Role.MEMBER, Role.OBSERVER):
            roles.setdefault(role, user)
    return Crew(called, roles)
