"""The session engine: one query finds the session, whose it is, and what they may do everywhere.

Nothing is remembered between requests, so what was taken from somebody is gone with their next one.
"""

from typing import Any, cast

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.base import VALID_KEY_CHARS
from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from people.models import Session, User
from people.models.users import codenames_of

SECOND_FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]  # recovery codes alone are none
LEAST_KEY = 8  # characters, as Django has it


def lacking_factor(user: str) -> Q:
    """Whether the person in this column is in a group of MFA_REQUIRED_GROUPS and has no second factor."""
    if not settings.MFA_REQUIRED_GROUPS:
        return Q(Value(False))
    asked = User.groups.through.objects.filter(user=OuterRef(user), group__name__in=settings.MFA_REQUIRED_GROUPS)
    return Q(Exists(asked)) & ~Q(Exists(Authenticator.objects.filter(user=OuterRef(user), type__in=SECOND_FACTORS)))


class SessionStore(DatabaseStore):
    """Django's, in the table that knows the person."""

    person: User | None = None  # whose the row says it is; whether to believe it, `person_of` tells

    @classmethod
    def get_model_class(cls) -> type[Session]:
        """The table."""
        return Session

    def _validate_session_key(self, key: str | None) -> bool:
        """Only what could be a key of ours is looked for: PostgreSQL refuses NUL, which a cookie can hold."""
        return len(key or "") >= LEAST_KEY and set(key or "") <= {*VALID_KEY_CHARS}

    def load(self) -> dict[str, Any]:
        """What the browser's session holds; an empty one if there is none or it ran out."""
        rows: QuerySet[Any] = Session.objects.filter(session_key=self.session_key, expire_date__gt=timezone.now())
        rows = rows.select_related("user").annotate(codenames=codenames_of("user"), lacks_factor=lacking_factor("user"))
        row = rows.first()
        if row is None:
            self._session_key = None
            return {}
        if row.user is not None:
            row.user.codenames, row.user.lacks_factor = row.codenames, row.lacks_factor
        self.person = row.user
        return self.decode(row.session_data)

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """The row to be saved, with whose it is."""
        row = cast(Session, super().create_model_instance(data))
        row.user_id = User._meta.pk.to_python(data.get(SESSION_KEY))
        return row


def person_of(session: Any) -> User | None:
    """Who came with the session, if all that Django checks of a session holds; None: ask Django itself."""
    named = session.get(SESSION_KEY)  # loads it
    person: User | None = session.person
    if person is None or not person.is_active or named != str(person.pk):
        return None
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    known = constant_time_compare(session.get(HASH_SESSION_KEY, ""), person.get_session_auth_hash())
    return person if known else None
