"""What the login library told us, kept in the journal (people.logins calls these)."""

from typing import Any

from core import journal
from core.actions import action
from core.actors import Actor, Machine
from people.models import User

OUTSIDER = Machine(actor_kind="system", actor_name="Somebody who is not logged in")
UNKNOWN = "an unknown account"


@action
def note(*, actor: Actor, verb: str, person: User, **data: Any) -> None:
    """Write what happened to the person's login."""
    journal.record(verb, actor=actor, subject=person, changed=False, **data)


@action
def note_failure(*, actor: Actor, person: User | None, **data: Any) -> None:
    """Write that a login was refused; for an unknown account just so, because an answer must not take less time.

    What was typed is not kept: people type their password into the wrong field.
    """
    subject = person or User(pk=0, name=UNKNOWN)
    journal.record("person.login_failed", actor=actor, subject=subject, changed=False, **data)
