"""On PostgreSQL, a trigger refuses to change or delete entries of the journal."""

from django.db import migrations

from core.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [guard("core_journalentry")]
