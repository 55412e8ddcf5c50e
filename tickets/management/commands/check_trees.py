"""Check the tree of every incident, and name the first that is broken."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from incidents.models import Incident
from tickets.checks import broken


class Command(BaseCommand):
    """check_trees: exit 0 and a summary, or 1 and what is wrong."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Look at all of them."""
        count = 0
        faults: list[str] = []
        for incident in Incident.objects.order_by("pk").iterator():
            count += 1
            faults += broken(incident)
        if faults:
            raise CommandError("\n".join([*faults[:20], f"{len(faults)} faults in {count} trees."]))
        self.stdout.write(f"All {count} trees are sound: 0 broken.")
