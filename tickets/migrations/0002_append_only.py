"""History is only ever added to."""

from django.db import migrations

from core.append_only import guard


class Migration(migrations.Migration):
    dependencies = [("tickets", "0001_initial"), ("core", "0002_append_only")]
    operations = [guard("tickets_historicalticket", "tickets_historicalcomment", "tickets_historicalattachment")]
