"""The app of this room."""

from django.apps import AppConfig


class RunbooksConfig(AppConfig):
    """runbooks."""

    name = "runbooks"

    def ready(self) -> None:
        """Know the actions, those of plug-ins among them, and what sets them off."""
        from runbooks import builtin, reactions, registry  # noqa: F401

        registry.register(*builtin.KINDS)
        registry.load_plugins()
