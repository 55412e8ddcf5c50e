"""A change and its journal entry are one (G14): where the entry cannot be written, nothing is changed.

The database itself refuses the entry, by a trigger: nothing of ours is replaced.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from core.models import JournalEntry
from core.verify import verify
from tests.samples import SAMPLES, actions
from tests.security.tables import changed, digests
from tests.world import World, make_world

pytestmark = pytest.mark.security
world = pytest.fixture(make_world)
REFUSING = {
    "sqlite": [
        "CREATE TRIGGER disk_full BEFORE INSERT ON core_journalentry BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'disk full'; END $$",
        "CREATE TRIGGER disk_full BEFORE INSERT ON core_journalentry FOR EACH ROW EXECUTE FUNCTION disk_full()",
    ],
}
WRITING = {
    "sqlite": ["DROP TRIGGER disk_full"],
    "postgresql": ["DROP TRIGGER disk_full ON core_journalentry", "DROP FUNCTION disk_full"],
}


@contextmanager
def journal_refused() -> Iterator[None]:
    """While this lasts, the database takes no journal entry."""
    with connection.cursor() as cursor:
        for statement in REFUSING[connection.vendor]:
            cursor.execute(statement)
        yield
        for statement in WRITING[connection.vendor]:
            cursor.execute(statement)


def _files() -> set[Path]:
    return {path for path in (settings.DATA_DIR / "files").rglob("*") if path.is_file()}


def test_every_action_has_a_sample_and_every_sample_an_action() -> None:
    assert sorted(actions().keys() - SAMPLES.keys()) == []
    assert sorted(SAMPLES.keys() - actions().keys()) == []


def test_no_action_changes_anything_without_its_entry(world: World) -> None:
    kept, silent = [], []
    for name, sample in SAMPLES.items():
        with transaction.atomic():
            run = sample(world)
            before, files, entries = digests(), _files(), JournalEntry.objects.count()
            with journal_refused(), pytest.raises(DatabaseError, match="disk full"), transaction.atomic():
                run()
            if left := changed(before, digests()) + [str(path.name) for path in _files() - files]:
                kept.append(f"{name} left {', '.join(left)}")
            run()  # the same call with a journal that writes: so it was the entry that was missing
            if JournalEntry.objects.count() == entries or not changed(before, digests()):
                silent.append(name)
            transaction.set_rollback(True)
    print(f"G14 atomic audit: {len(SAMPLES)} actions, {len(kept)} left a change without its entry")
    assert kept == []
    assert silent == []
    verify()
