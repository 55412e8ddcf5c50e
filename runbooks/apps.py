"""The app of this room."""

from django.apps import AppConfig


class RunbooksConfig(AppConfig):
    """runbooks."""

    name = "runbooks"

    def ready(self) -> None:
        """Know what follows from what happens below."""
        from runbooks import reactions  # noqa: F401
