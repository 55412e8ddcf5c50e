"""Import a file of alerts from the command line: the same path as the upload page."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError

from core.files import keeping
from intake.actions.imports import request_import
from intake.adapters import all_adapters
from intake.models import ImportJob
from intake.tasks import read_file
from people.models import User


class Command(BaseCommand):
    """import_alerts FILE --as EMAIL [--format auto]."""

    help = __doc__

    def add_arguments(self, parser: Any) -> None:
        """The file, whose import it is, and its format."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--as", dest="email", required=True, help="e-mail of the responder whose import this is")
        parser.add_argument("--format", default="auto", choices=["auto", *all_adapters()])

    def handle(self, *args: Any, **options: Any) -> None:
        """Import in the foreground."""
        user = User.objects.active().filter(email__iexact=options["email"]).first()
        if user is None or "respond" not in user.rights:
            raise CommandError(f"{options['email']} is no active responder.")
        path: Path = options["file"]
        format_ = "" if options["format"] == "auto" else options["format"]
        try:
            with path.open("rb") as file, keeping(File(file), "imports", most=settings.IMPORT_MAX_BYTES) as kept:
                requested = request_import(actor=user, file=kept, name=path.name, format=format_)
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused
        job = ImportJob.claim(requested.pk)
        if job is None:
            raise CommandError("A worker took the import: follow it on the page.")
        job = read_file(job, progress=self._progress)
        self.stdout.write(
            f"\n{job.records} records: {job.created} new, {job.updated} updated, {job.repeated} known, "
            f"{job.skipped} skipped, {job.problems} unreadable; {job.incidents} incidents opened."
        )
        if job.error:
            raise CommandError(job.error)

    def _progress(self, job: ImportJob) -> None:
        done = job.percent // 5
        self.stdout.write(f"\r[{'#' * done}{'.' * (20 - done)}] {job.percent:3d} %  line {job.next_line}", ending="")
        self.stdout.flush()
