"""What tools sent is only ever added to."""

from django.db import migrations

from core.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("intake", "0001_initial"), ("core", "0002_append_only")]
    operations = [guard("intake_rawpiece", "intake_alertversion")]
