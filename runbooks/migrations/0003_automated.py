from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def mark(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Tickets that have an automation by now say so, for the rows of the tree."""
    have = apps.get_model("runbooks", "Automation")._default_manager.values("ticket")
    apps.get_model("tickets", "Ticket")._base_manager.filter(pk__in=have).update(automated=True)


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0002_append_only"), ("tickets", "0006_automated")]

    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
