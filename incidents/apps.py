"""The app of this room."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """incidents."""

    name = "incidents"

    def ready(self) -> None:
        """Write down who reads what is restricted."""
        from incidents.views import reading  # noqa: F401
