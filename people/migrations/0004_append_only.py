"""History is only ever added to."""

from django.db import migrations

from core.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("people", "0003_invitations_and_sessions"), ("core", "0002_append_only")]
    operations = [guard("people_historicaluser", "people_historicalcustomer")]
