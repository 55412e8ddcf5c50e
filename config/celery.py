"""The Celery app and its timetable.

The broker only wakes workers: the truth about work is a row (core.work), so a lost message costs seconds, never work.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("treeline")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "sweep": {"task": "core.tasks.sweep", "schedule": 10.0},
    "turn-clocks": {"task": "tickets.tasks.turn_clocks", "schedule": 30.0},
    "remind-of-reviews": {"task": "runbooks.tasks.remind_of_reviews", "schedule": 3600.0},
    "anchor": {"task": "core.tasks.anchor", "schedule": 3600.0},
    "sweep-drafts": {"task": "people.tasks.sweep_drafts", "schedule": 86400.0},
    "clear-sessions": {"task": "core.tasks.clear_sessions", "schedule": 86400.0},
}
