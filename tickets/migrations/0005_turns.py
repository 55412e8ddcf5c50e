"""Rows of work for words and targets, and an index that finds clocks that have turned."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

import core.models.work


def judge(apps: Any, schema_editor: Any) -> None:
    """Tickets that ended before there were clocks: whether they were in time, by the time they were due."""
    ended = apps.get_model("tickets", "Ticket").objects.filter(category__in=("done", "dropped"), clock_state="")
    ended.filter(finished_at__gte=F("clock_at")).update(clock_state="late")
    ended.exclude(clock_at=None).filter(Q(finished_at=None) | Q(finished_at__lt=F("clock_at"))).update(
        clock_state="met"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("incidents", "0005_looks"),
        ("tickets", "0004_words"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Chore",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        editable=False,
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("due", models.DateTimeField(default=core.models.work.after_grace, editable=False)),
                ("error", models.TextField(blank=True, editable=False)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("status", "Move tickets to another status"),
                            ("priority", "Move tickets to another priority"),
                            ("urgency", "Bring tickets up to their priority"),
                            ("target", "Wind clocks anew"),
                            ("files", "Remove deleted files"),
                        ],
                        max_length=10,
                    ),
                ),
                ("data", models.JSONField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.RemoveIndex(
            model_name="ticket",
            name="ticket_clock",
        ),
        migrations.AddIndex(
            model_name="ticket",
            index=models.Index(fields=["clock_state", "risk_at", "clock_at"], name="ticket_turns"),
        ),
        migrations.AddField(
            model_name="chore",
            name="asked_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddIndex(
            model_name="chore",
            index=models.Index(fields=["state", "due"], name="chore_due"),
        ),
        migrations.RunPython(judge, migrations.RunPython.noop),
    ]
