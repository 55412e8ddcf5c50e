"""The app of this room."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


class PeopleConfig(AppConfig):
    """people."""

    name = "people"

    def ready(self) -> None:
        """Listen to the login library; refuse to start where a second factor is demanded of a group that is not."""
        from people import logins
        from people.models.rights import GROUPS

        logins.listen()
        if unknown := set(settings.MFA_REQUIRED_GROUPS) - set(GROUPS):
            raise ImproperlyConfigured(
                f"MFA_REQUIRED_GROUPS names {min(unknown)!r}, which is no group. Groups: {', '.join(GROUPS)}."
            )
