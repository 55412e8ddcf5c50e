"""Incident numbers: IR-2026-1120-001, counted per day."""

import datetime as dt

from django.db import models


class DayCounter(models.Model):
    """How many incidents were numbered on a UTC day. Counted in the incident's own transaction, so without gaps."""

    day = models.DateField(primary_key=True)
    last = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.day}: {self.last}"

    @staticmethod
    def next_number(day: dt.date) -> str:
        """The next number of the day; two at once wait for each other. Call it inside a transaction."""
        DayCounter.objects.bulk_create([DayCounter(day=day)], ignore_conflicts=True)
        counter = DayCounter.objects.select_for_update().get(day=day)
        counter.last += 1
        counter.save(update_fields=["last"])
        return f"IR-{day:%Y-%m%d}-{counter.last:03d}"
