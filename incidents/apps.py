"""The app of this room."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """incidents."""

    name = "incidents"
