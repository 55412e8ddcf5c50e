"""The app of this room."""

from django.apps import AppConfig


class CommsConfig(AppConfig):
    """comms."""

    name = "comms"

    def ready(self) -> None:
        """Know who is told of what."""
        from comms import reactions  # noqa: F401
