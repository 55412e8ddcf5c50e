"""The statuses, priorities and clock targets that a house begins with, and what old tickets are in them."""

from typing import Any

from django.db import migrations
from django.db.models import F

from core.append_only import guard

STATUSES = [
    ("open", "Open", "todo", 10),
    ("doing", "In progress", "doing", 20),
    ("waiting", "Waiting", "blocked", 30),
    ("done", "Done", "done", 40),
    ("dropped", "Dropped", "dropped", 50),
]
PRIORITIES = [("urgent", "Urgent", 40), ("high", "High", 30), ("normal", "Normal", 20), ("low", "Low", 10)]
HOUR, DAY = 60, 24 * 60
TARGETS = {  # severity: minutes to start and to finish, by priority from urgent to low
    "critical": [(15, 2 * HOUR), (30, 4 * HOUR), (2 * HOUR, DAY), (8 * HOUR, 3 * DAY)],
    "high": [(30, 4 * HOUR), (HOUR, 8 * HOUR), (4 * HOUR, 2 * DAY), (DAY, 5 * DAY)],
    "medium": [(HOUR, 8 * HOUR), (4 * HOUR, DAY), (DAY, 5 * DAY), (3 * DAY, 10 * DAY)],
    "low": [(4 * HOUR, DAY), (DAY, 3 * DAY), (3 * DAY, 10 * DAY), (5 * DAY, 20 * DAY)],
}


def begin(apps: Any, schema_editor: Any) -> None:
    """The first words and targets; tickets that were there before keep the clock they had, their due time."""
    status, priority = apps.get_model("tickets", "TicketStatus"), apps.get_model("tickets", "TicketPriority")
    target, ticket = apps.get_model("tickets", "ClockTarget"), apps.get_model("tickets", "Ticket")
    for code, name, category, position in STATUSES:
        status.objects.create(code=code, name=name, category=category, position=position)
        ticket.objects.filter(status=code).update(category=category)
    for code, name, urgency in PRIORITIES:
        priority.objects.create(code=code, name=name, urgency=urgency)
        ticket.objects.filter(priority=code).update(urgency=urgency)
    for severity, rows in TARGETS.items():
        for (code, _, _), (start, finish) in zip(PRIORITIES, rows, strict=True):
            target.objects.create(severity=severity, priority=code, start_minutes=start, finish_minutes=finish)
    leads = ticket.objects.filter(lead=True)
    for one in leads.only("pk", "created_at", "finished_at", "updated_at", "disposition").iterator():
        disposed = (one.finished_at or one.updated_at) if one.disposition else None
        ticket.objects.filter(pk=one.pk).update(lead_at=one.created_at, disposed_at=disposed)
    ticket.objects.update(clock_at=F("due_at"), risk_at=F("due_at"))
    running = ticket.objects.exclude(due_at=None).exclude(category__in=("done", "dropped"))
    running.update(clock_state="on_track")


class Migration(migrations.Migration):
    dependencies = [("tickets", "0003_work")]

    operations = [
        migrations.RunPython(begin, migrations.RunPython.noop),
        guard(
            *[
                f"tickets_historical{name}"
                for name in ("ticketstatus", "ticketpriority", "clocktarget", "timeentry", "handover", "shifthandover")
            ]
        ),
    ]
