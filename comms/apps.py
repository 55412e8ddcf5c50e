"""The app of this room."""

from django.apps import AppConfig


class CommsConfig(AppConfig):
    """comms."""

    name = "comms"
