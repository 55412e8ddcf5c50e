"""The app of this room."""

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    """tickets."""

    name = "tickets"
