"""Recompute every chain of the journal, compare it with history and anchors, and name the first bad entry."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from core.verify import BrokenJournal, verify


class Command(BaseCommand):
    """verify_journal: exit 0 and a summary, or 1 and the first broken entry."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify and say so."""
        try:
            result = verify()
        except BrokenJournal as broken:
            raise CommandError(str(broken)) from broken
        self.stdout.write(
            f"The journal is whole: {result.entries} entries in {result.streams} streams, "
            f"{result.history_rows} history rows and {result.anchors} anchors agree."
        )
