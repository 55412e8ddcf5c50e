"""What somebody may do everywhere. Groups give these rights; code asks for rights, never for groups by name."""

from typing import TYPE_CHECKING, Any

from core.access import NEEDED

if TYPE_CHECKING:
    from people.models.users import User

RIGHTS: list[tuple[str, Any]] = [
    ("respond", "Sees unrestricted incidents, opens and joins them"),
    ("oversee", "Sees all unrestricted incidents, reports and metrics"),
    ("audit", "Reads everything, the journal among it"),
    ("administer", "Invites people and edits reference data"),
    ("portal", "Sees what was shared with their organisation"),
]
GROUPS = {  # name: the rights it gives
    "Responder": ["respond"],
    "Manager": ["oversee"],
    "Auditor": ["audit"],
    "Admin": ["administer"],
    "Customer": ["portal"],
}
ADMIN, CUSTOMER = "Admin", "Customer"  # the groups that actions treat in their own way
OURS = [name for name in GROUPS if name != CUSTOMER]
TEAM_RIGHTS = NEEDED["team"]


def is_ours(user: "User") -> bool:
    """Whether this is one of our own people, active and with a right."""
    return user.is_active and bool(user.rights & TEAM_RIGHTS)


def directory_permissions(user: "User") -> frozenset[str]:
    """What somebody may do with people, customers and invitations: ours see them, who administers changes them."""
    if not is_ours(user):
        return frozenset()
    return frozenset({"view", "administer"} if "administer" in user.rights else {"view"})
