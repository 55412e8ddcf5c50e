"""The app of this room."""

from django.apps import AppConfig


class ReportingConfig(AppConfig):
    """reporting."""

    name = "reporting"
