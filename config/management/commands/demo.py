"""Fill an empty house with an example: people, customers and incidents, all invented."""

import secrets
from io import StringIO
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from config.demo.alerts import make_alerts
from config.demo.incidents import make_incidents
from config.demo.people import PEOPLE, make_people
from config.demo.runbooks import write_the_next_version
from people.models import User


class Command(BaseCommand):
    """demo: only into an empty database, only where DEMO is on."""

    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        """The password can be given for scripts that log in afterwards."""
        parser.add_argument("--password", default="", help="one password for all (default: made up and printed)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and print the logins."""
        if not settings.DEMO:
            raise CommandError("DEMO is off: demo people have a printed password and do not belong here.")
        if User.objects.exists():
            raise CommandError("There are people already: the demo goes only into an empty database.")
        password = options["password"] or f"demo-{secrets.token_urlsafe(9)}"
        with transaction.atomic():
            people = make_people(password)
            call_command("load_library", stdout=StringIO())
            incidents = make_incidents(people, timezone.now())
            write_the_next_version(people)
            job = make_alerts(people["bob"], timezone.now())
        self.stdout.write(
            f"Loaded {len(people)} people, {len(incidents)} incidents and {job.created} alerts. Log in as:"
        )
        for person in PEOPLE:
            self.stdout.write(f"  {person.email:<28} {person.does}")
        self.stdout.write(f"all with the password  {password}")
