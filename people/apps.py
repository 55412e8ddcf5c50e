"""The app of this room."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """people."""

    name = "people"
