"""The app that holds the mechanism."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """core: journal, reactions and work rows live here."""

    name = "core"
    verbose_name = "Mechanism"
