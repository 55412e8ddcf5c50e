"""What a browser holds: Django's session row, with a column that says whose it is."""

from importlib import import_module

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models


class Session(AbstractBaseSession):
    """`user` only finds the person in the same query as the row: what counts is the signed data, which names them too.

    The database does not check it: a session is never in the way of a person's row.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, db_constraint=False, related_name="+"
    )

    class Meta:
        default_permissions = ()

    @classmethod
    def get_session_store_class(cls) -> type[SessionBase]:
        """The engine that writes these rows."""
        engine: type[SessionBase] = import_module(settings.SESSION_ENGINE).SessionStore
        return engine
