"""Load the starter library: runbooks, policies, guidelines and messages, each in force as version 1."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from core.actors import SYSTEM
from runbooks.actions.versions import load_approved
from runbooks.library import Starter, Unreadable, starters
from runbooks.models import Document


class Command(BaseCommand):
    """load_library: what is not there yet; a document whose name is taken is left as it is."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say in one line what was done."""
        try:
            library = starters()
        except Unreadable as wrong:
            raise CommandError(str(wrong)) from wrong
        names = [one.slug for one in library]
        there = set(Document.objects.filter(slug__in=names).values_list("slug", flat=True))
        for one in library:
            if one.slug not in there:
                self._load(one, library)
        loaded = len(library) - len(there)
        line = f"Loaded {loaded} of {len(library)} documents of the starter library."
        if there:
            line += f" Left as they are: {', '.join(sorted(there))}."
        self.stdout.write(line)

    def _load(self, one: Starter, library: list[Starter]) -> None:
        near = {*one.related, *(other.slug for other in library if one.slug in other.related)}
        try:
            load_approved(
                actor=SYSTEM, kind=one.kind, slug=one.slug, title=one.title, summary=one.summary, body=one.body,
                subject=one.subject, tags=one.tags, facts=one.facts | {"related": _found(near)},
            )  # fmt: skip
        except ValidationError as refused:
            raise CommandError(" ".join(refused.messages)) from refused


def _found(slugs: set[str]) -> list[Document]:
    """Those of them that are there by now; relations have no direction, so the last of a pair ties both."""
    return list(Document.objects.filter(slug__in=slugs, archived_at=None))
