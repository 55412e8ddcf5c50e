"""The app of this room."""

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    """tickets."""

    name = "tickets"

    def ready(self) -> None:
        """Know what follows from what happens below."""
        from tickets import reactions  # noqa: F401
