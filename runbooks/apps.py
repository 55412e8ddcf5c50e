"""The app of this room."""

from django.apps import AppConfig


class RunbooksConfig(AppConfig):
    """runbooks."""

    name = "runbooks"
