"""History is only ever added to."""

from django.db import migrations

from core.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("incidents", "0001_initial"), ("core", "0002_append_only")]
    operations = [guard("incidents_historicalincident", "incidents_historicalroleassignment")]
