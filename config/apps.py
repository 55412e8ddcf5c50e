"""The roof as an app, for the command that fills an empty house with an example."""

from django.apps import AppConfig


class RoofConfig(AppConfig):
    """config."""

    name = "config"
    label = "roof"
