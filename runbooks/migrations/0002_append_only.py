from django.db import migrations

from core.append_only import guard

TRACKED = [
    "document",
    "version",
    "run",
    "suggestion",
    "automation",
    "actionswitch",
    "secret",
    "allowedhost",
    "escalationrule",
]


class Migration(migrations.Migration):
    dependencies = [("runbooks", "0001_initial"), ("core", "0002_append_only")]
    operations = [guard(*(f"runbooks_historical{name}" for name in TRACKED), "runbooks_approval", "runbooks_review")]
