"""The app of this room."""

from django.apps import AppConfig


class IntakeConfig(AppConfig):
    """intake."""

    name = "intake"
