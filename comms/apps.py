"""The app of this room."""

from django.apps import AppConfig


class CommsConfig(AppConfig):
    """comms."""

    name = "comms"

    def ready(self) -> None:
        """Know who is told of what; automations can tell people, too."""
        from comms import automations, reactions  # noqa: F401
        from runbooks.registry import register

        register(automations.NOTIFY)
