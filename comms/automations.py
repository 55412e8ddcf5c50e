"""The actions of automations that this room brings: telling people."""

from comms.actions.announcements import announce
from incidents.models import Role, RoleAssignment
from people.models import User
from runbooks.registry import ActionKind, Answer, Call, Done, Failed, Parameter

MOST_TEXT, MOST_NAMES = 400, 50


def _names(call: Call, name: str) -> list[str]:
    given = call.parameters.get(name) or []
    found = [given] if isinstance(given, str) else given
    if not isinstance(found, list) or len(found) > MOST_NAMES or not all(isinstance(one, str) for one in found):
        raise Failed(f"{name} is a list of at most {MOST_NAMES} names.")
    return [one.strip().lstrip("@") for one in found if one.strip()]


def _people(call: Call) -> list[User]:
    """Who is named, and who holds the roles that are named; of those who may see the incident."""
    people, roles = _names(call, "people"), [one.replace("-", "_") for one in _names(call, "roles")]
    if unknown := sorted(set(roles) - set(Role.values)):
        raise Failed(f"There is no role {unknown[0][:40]}. Roles: {', '.join(Role.values)}.")
    named = {user.username: user for user in User.objects.active().filter(username__in=people)}
    seen = {name: user for name, user in named.items() if "view" in call.incident.permissions_for(user)}
    if missing := [name for name in people if name not in seen]:
        raise Failed(f"@{missing[0][:40]} is nobody who sees this incident.")
    held = RoleAssignment.objects.filter(incident=call.incident, until=None, role__in=roles)
    holders = User.objects.active().filter(pk__in=held.values("user"))
    return list({user.pk: user for user in [*seen.values(), *holders]}.values())


def _text(call: Call) -> str:
    text = str(call.parameters.get("text") or "").strip()
    if not text or len(text) > MOST_TEXT:
        raise Failed(f"text has at least one and at most {MOST_TEXT} characters.")
    return text


def _notify(call: Call) -> Answer:
    people = _people(call)
    if not people:
        raise Failed("Nobody holds that role now, and nobody is named.")
    count = announce(actor=call.actor, ticket=call.ticket, people=people, text=_text(call))
    return Done({"told": count}, outcome=f"told {', '.join(str(user) for user in people)}")


def _dry(call: Call) -> str:
    return f"Would tell {', '.join(str(user) for user in _people(call)) or 'nobody'}: {_text(call)}"


NOTIFY = ActionKind(
    "notify", "Tell people", _notify, _dry, icon="bell", inside=True, help="By the bell and by mail.",
    parameters=(
        Parameter("text", "long", "Text", required=True),
        Parameter("people", "list", "People", help="One user name on each line."),
        Parameter("roles", "list", "Roles", help="One on each line: incident_commander, technical_lead …"),
    ),
)  # fmt: skip
