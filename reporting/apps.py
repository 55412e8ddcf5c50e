"""The app of this room."""

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    """reporting."""

    name = "reporting"

    def ready(self) -> None:
        """Know whether PDFs can be made, and who hears of them."""
        from reporting import checks, reactions  # noqa: F401
