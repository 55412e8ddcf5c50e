"""Who task lines may name in an incident: its workers by user name or address, and roles by who holds them."""

from dataclasses import dataclass

from incidents.models import Incident, Role, RoleAssignment
from people.models import User
from tickets.queries.people import workers

MOST_NAMED = 12  # in a message


@dataclass(frozen=True)
class Crew:
    """Workers by what they may be called, in small letters; and the one who holds each role."""

    people: dict[str, User]
    roles: dict[str, User]

    def named(self, name: str) -> User | None:
        """Whom @name means; None for nobody who works here."""
        key = name.casefold()
        return self.people.get(key) or self.roles.get(key.replace("-", "_"))

    def unknown(self, name: str) -> str:
        """That it means nobody, and who could be meant."""
        key = name.casefold().replace("-", "_")
        if key in Role.values:
            return f"Nobody who works tickets here is {Role(key).label}: give that role first, or name a person."
        names = [f"@{user.username}" for user in {user.pk: user for user in self.people.values()}.values()]
        names += [f"@{role}" for role in self.roles]
        shown = ", ".join(names[:MOST_NAMED]) + (f" and {len(names) - MOST_NAMED} more" if names[MOST_NAMED:] else "")
        return f"@{name} is nobody who works on this incident. Possible: {shown or 'nobody yet'}."


def crew(incident: Incident) -> Crew:
    """Two queries."""
    people = {user.pk: user for user in workers(incident)}
    called = {user.username.casefold(): user for user in people.values()}
    for user in people.values():
        called.setdefault(user.email.casefold(), user)
    roles: dict[str, User] = {}
    held = RoleAssignment.objects.filter(incident=incident, until=None, user__in=people).order_by("since", "pk")
    for role, pk in held.values_list("role", "user_id"):
        if role not in (Role.MEMBER, Role.OBSERVER):
            roles.setdefault(role, people[pk])
    return Crew(called, roles)
