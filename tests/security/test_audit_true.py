"""The journal tells the truth (G25): whatever is tampered with, verification finds; untouched, it is whole.

The limits stand here too: nothing tells of entries cut off after the last anchor, nor of anchors cut off at the end.
"""

import random
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, InternalError, connection, models, transaction

from core import anchors
from core.journal import seal
from core.models import JournalEntry, Stream
from core.verify import BrokenJournal, verify
from incidents.actions import incidents as incident_actions
from incidents.models import Incident
from people.models import User
from tests.conftest import MakeUser
from tests.samples import SAMPLES
from tests.servers import skip_or_fail
from tests.world import World, make_world
from tickets.actions import comments, tickets
from tickets.models import Ticket

pytestmark = pytest.mark.security
world = pytest.fixture(make_world)
Tamper = Callable[[], object]
Variants = Iterator[tuple[str, Tamper]]
LEAST = 400
EDITS: dict[str, Any] = {
    "stream": "people", "seq": 900, "at": None, "actor_kind": "token", "actor_id": 4711, "actor_name": "Nobody <n@n>",
    "verb": "incident.blessed", "target_type": "people.User", "target_id": "4711", "target_name": "Something else",
    "data": {"reason": "I never did"}, "history": {"incidents.HistoricalIncident": {"1": "0" * 64}},
    "request_id": "00000000", "ip": "192.0.2.1", "prev_hash": "f" * 64, "hash": "f" * 64,
}  # fmt: skip


@pytest.fixture
def anchor_file(tmp_path: Path, settings: Any) -> Path:
    settings.ANCHOR_FILE = tmp_path / "anchors.jsonl"
    return tmp_path / "anchors.jsonl"


def _work(alice: User, incident: Incident, bob: User) -> None:
    for number in range(12):
        ticket = tickets.add_ticket(actor=alice, incident=incident, title=f"Host {number}", lead=number % 3 == 0)
        tickets.assign_ticket(actor=alice, ticket=ticket, assignee=alice)
        comments.add_comment(actor=bob, ticket=ticket, body=f"Looked at {number}.")
        tickets.edit_ticket(actor=bob, ticket=ticket, version=2, fields={"outcome": f"Clean {number}"})
        tickets.set_status(actor=bob, ticket=ticket, status="done", disposition="ruled_out")
    for number in range(12):
        fields = {"title": f"Ransomware, day {number}"}
        incident_actions.edit_incident(actor=alice, incident=incident, version=incident.version + number, fields=fields)
    tickets.move_ticket(actor=bob, ticket=Ticket.objects.get(incident=incident, number=112), parent=101)


@pytest.fixture
def journal(alice: User, bob: User, make_user: MakeUser, anchor_file: Path) -> list[JournalEntry]:
    """A few hundred entries in several streams, anchored four times, the last time at the very end."""
    for number in range(4):
        incident = incident_actions.open_incident(actor=alice, title=f"Case {number}", reporter=alice, commander=alice)
        _work(alice, incident, bob)
        anchors.write()
    return list(JournalEntry.objects.order_by("stream", "seq"))


def _found(tamper: Tamper) -> bool:
    """Whether verification notices; the database is as before afterwards."""
    with transaction.atomic():
        tamper()
        try:
            verify()
            return False
        except BrokenJournal:
            return True
        finally:
            transaction.set_rollback(True)


def _update(row: models.Model, **fields: Any) -> Tamper:
    return lambda: type(row)._default_manager.filter(pk=row.pk).update(**fields)


def _rehashed(entries: list[JournalEntry], first: JournalEntry, **fields: Any) -> Tamper:
    """Change an entry and seal it and all that follow anew, head included: a chain that is whole in itself."""

    def tamper() -> None:
        before = first.prev_hash
        for entry in JournalEntry.objects.filter(stream=first.stream, seq__gte=first.seq).order_by("seq"):
            for name, value in fields.items() if entry.pk == first.pk else ():
                setattr(entry, name, value)
            entry.prev_hash = before
            before = entry.hash = seal(entry)
            entry.save()
        Stream.objects.filter(name=first.stream).update(hash=before)

    return tamper


def _edits(entries: list[JournalEntry], chance: random.Random) -> Variants:
    for name, value in EDITS.items():
        for entry in chance.sample(entries, 6):
            new = entry.at.replace(year=2001) if name == "at" else value
            if getattr(entry, name) != new:
                yield f"edit {name} of {entry}", _update(entry, **{name: new})


def _edits_with_a_new_hash(entries: list[JournalEntry], chance: random.Random) -> Variants:
    for entry in chance.sample(entries, 40):
        entry.verb = "incident.blessed"
        yield f"edit and re-hash {entry}", _update(entry, verb="incident.blessed", hash=seal(entry))
    for entry in chance.sample(entries, 20):
        yield f"re-hash all from {entry}", _rehashed(entries, entry, actor_name="Nobody", verb="incident.blessed")


def _delete(entry: JournalEntry, *, close_gap: bool) -> Tamper:
    def tamper() -> None:
        later = JournalEntry.objects.filter(stream=entry.stream, seq__gt=entry.seq).order_by("seq")
        before = entry.prev_hash
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM core_journalentry WHERE id = %s", [entry.pk])
        if close_gap:
            for number, row in enumerate(later, entry.seq):
                row.seq, row.prev_hash = number, before
                before = row.hash = seal(row)
                row.save()
            Stream.objects.filter(name=entry.stream).update(seq=entry.seq + len(later) - 1, hash=before)

    return tamper


def _deletions(entries: list[JournalEntry], chance: random.Random) -> Variants:
    for entry in chance.sample(entries, 30):
        yield f"delete {entry}", _delete(entry, close_gap=False)
    for entry in chance.sample(entries, 10):
        yield f"delete {entry} and close the gap", _delete(entry, close_gap=True)


def _swap(one: JournalEntry, two: JournalEntry, *, rehash: bool) -> Tamper:
    def tamper() -> None:
        parked = 1_000_000
        JournalEntry.objects.filter(pk=one.pk).update(seq=parked)
        JournalEntry.objects.filter(pk=two.pk).update(seq=one.seq)
        JournalEntry.objects.filter(pk=one.pk).update(seq=two.seq)
        if rehash:
            before = one.prev_hash
            for row in JournalEntry.objects.filter(stream=one.stream, seq__gte=one.seq).order_by("seq"):
                row.prev_hash = before
                before = row.hash = seal(row)
                row.save()
            Stream.objects.filter(name=one.stream).update(hash=before)

    return tamper


def _swaps(entries: list[JournalEntry], chance: random.Random) -> Variants:
    for number in range(40):
        one = chance.choice(entries)
        two = next((e for e in entries if e.stream == one.stream and e.seq == one.seq + 1), None)
        if two is not None:
            yield f"swap {one} and {two}", _swap(one, two, rehash=number % 4 == 0)


def _insert(after: JournalEntry, *, rehash: bool) -> Tamper:
    def tamper() -> None:
        for row in JournalEntry.objects.filter(stream=after.stream, seq__gt=after.seq).order_by("-seq"):
            JournalEntry.objects.filter(pk=row.pk).update(seq=row.seq + 1)
        forged = JournalEntry.objects.get(pk=after.pk)
        forged.pk, forged.seq, forged.prev_hash, forged.verb = None, after.seq + 1, after.hash, "incident.blessed"
        before = forged.hash = seal(forged)
        forged.save(force_insert=True)
        last = forged.seq
        if rehash:
            for row in JournalEntry.objects.filter(stream=after.stream, seq__gt=forged.seq).order_by("seq"):
                row.prev_hash = before
                before = row.hash = seal(row)
                row.save()
                last = row.seq
            Stream.objects.filter(name=after.stream).update(seq=last, hash=before)

    return tamper


def _insertions(entries: list[JournalEntry], chance: random.Random) -> Variants:
    for number, entry in enumerate(chance.sample(entries, 24)):
        yield f"insert after {entry}", _insert(entry, rehash=number % 2 == 0)


def _cut(stream: str, keep: int) -> Tamper:
    """Take away all after `keep`, and let the head agree."""

    def tamper() -> None:
        JournalEntry.objects.filter(stream=stream, seq__gt=keep).delete()
        last = JournalEntry.objects.filter(stream=stream).order_by("-seq").first()
        Stream.objects.filter(name=stream).update(seq=last.seq if last else 0, hash=last.hash if last else "")

    return tamper


def _truncations(entries: list[JournalEntry], chance: random.Random) -> Variants:
    for entry in chance.sample(entries, 30):
        if entry.seq > 1:
            yield f"cut off from {entry}", _cut(entry.stream, entry.seq - 1)
    for stream in sorted({entry.stream for entry in entries}):
        yield f"wipe {stream}", _cut(stream, 0)
        yield f"wipe {stream} with its head", _wipe(stream)
        yield f"wipe the entries of {stream}", _delete_entries(stream)
    yield "wipe everything", _wipe(*{entry.stream for entry in entries})


def _delete_entries(stream: str) -> Tamper:
    return lambda: JournalEntry.objects.filter(stream=stream).delete()


def _wipe(*streams: str) -> Tamper:
    def tamper() -> None:
        JournalEntry.objects.filter(stream__in=streams).delete()
        Stream.objects.filter(name__in=streams).delete()

    return tamper


def _replays(entries: list[JournalEntry], chance: random.Random) -> Variants:
    """The database as it was at some time before: every stream cut where it stood then."""
    for moment in chance.sample([entry.pk for entry in entries], 20):
        kept = {entry.stream: entry.seq for entry in entries if entry.pk < moment}

        def tamper(moment: int = moment, kept: dict[str, int] = kept) -> None:
            JournalEntry.objects.filter(pk__gte=moment).delete()
            for stream in Stream.objects.all():
                _cut(stream.name, kept.get(stream.name, 0))()

        yield f"replay the copy before entry {moment}", tamper


def _history(entries: list[JournalEntry], chance: random.Random) -> Variants:
    named = [(entry, label, int(pk)) for entry in entries for label, pks in entry.history.items() for pk in pks]
    for number, (entry, label, pk) in enumerate(chance.sample(named, 60)):
        model = apps.get_model(label)
        row: Any = model._default_manager.get(history_id=pk)
        if number % 3 == 0:
            yield f"delete history of {entry}", row.delete
        elif number % 3 == 1:
            yield f"edit who in history of {entry}", _update(row, history_user_id=4711)
        else:
            text = next(f.name for f in model._meta.fields if f.name in ("title", "body", "role"))
            yield f"edit {text} in history of {entry}", _update(row, **{text: "altered"})


def _heads(entries: list[JournalEntry], chance: random.Random) -> Variants:
    for stream in Stream.objects.all():
        yield f"raise the head of {stream}", _update(stream, seq=stream.seq + 1)
        yield f"lower the head of {stream}", _update(stream, seq=stream.seq - 1)
        yield f"another hash in the head of {stream}", _update(stream, hash="0" * 64)
        yield f"delete the head of {stream}", Stream.objects.filter(pk=stream.pk).delete


def test_an_untouched_journal_is_whole(journal: list[JournalEntry]) -> None:
    found = verify()
    assert (found.entries, found.streams, found.anchors) == (len(journal), len({e.stream for e in journal}), 4)
    assert found.history_rows == sum(len(pks) for e in journal for pks in e.history.values()) > 100
    assert len(journal) > 200


def test_every_tampering_is_found(journal: list[JournalEntry], anchor_file: Path) -> None:
    chance = random.Random(2026)
    kinds = (
        _edits, _edits_with_a_new_hash, _deletions, _swaps, _insertions, _truncations, _replays, _history, _heads,
    )  # fmt: skip
    missed, tried = [], 0
    for kind in kinds:
        for name, tamper in kind(journal, chance):
            tried += 1
            if not _found(tamper):
                missed.append(name)
    for name, text in _other_anchors(anchor_file.read_text(), chance):
        tried += 1
        if not _found_with(anchor_file, text):
            missed.append(name)
    print(f"G25 tampering: {tried} variants on {len(journal)} entries, {len(missed)} not found")
    assert missed == []
    assert tried >= LEAST
    verify()


def _other_anchors(text: str, chance: random.Random) -> Iterator[tuple[str, str]]:
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        rest = lines[:number], lines[number + 1 :]
        for _ in range(4):
            at = chance.choice([i for i, c in enumerate(line) if c.isalnum()])
            other = "0" if line[at] != "0" else "1"
            altered = line[:at] + other + line[at + 1 :]
            yield f"edit line {number} of the anchors at {at}", "".join([*rest[0], altered, *rest[1]])
        yield f"cut line {number} of the anchors short", "".join([*rest[0], line[: len(line) // 2] + "\n", *rest[1]])
        yield f"write line {number} of the anchors twice", "".join([*rest[0], line, line, *rest[1]])
        if rest[1]:
            yield f"remove line {number} of the anchors", "".join([*rest[0], *rest[1]])
    yield "turn the anchors round", "".join(reversed(lines))


def _found_with(anchor_file: Path, text: str) -> bool:
    before = anchor_file.read_text()
    anchor_file.write_text(text)
    try:
        verify()
        return False
    except BrokenJournal:
        return True
    finally:
        anchor_file.write_text(before)


def test_anchors_signed_with_another_key_are_refused(journal: list[JournalEntry], settings: Any) -> None:
    settings.AUDIT_KEY = "somebody else's key, which is long enough to be one"
    settings.SECRET_KEY = "another key, from which the one for the anchors would be derived"
    with pytest.raises(BrokenJournal, match="another key"):
        verify()


def test_the_limit_what_was_written_after_the_last_anchor_can_be_cut_off_unseen(
    journal: list[JournalEntry], alice: User
) -> None:
    incident = Incident.objects.order_by("pk")[0]
    tickets.add_ticket(actor=alice, incident=incident, title="Written after the anchor")
    stream = Stream.objects.get(name=incident.journal_stream)
    assert not _found(_cut(stream.name, stream.seq - 1))
    anchors.write()
    assert _found(_cut(stream.name, stream.seq - 1))


def test_the_limit_the_last_anchors_can_be_cut_off_unseen(journal: list[JournalEntry], anchor_file: Path) -> None:
    """Who keeps a copy elsewhere (a mail, a write-once disk) sees it; the file alone cannot tell."""
    lines = anchor_file.read_text().splitlines(keepends=True)
    assert not _found_with(anchor_file, "".join(lines[:-1]))
    assert not _found_with(anchor_file, "")


def _history_rows() -> set[tuple[Any, int]]:
    tables: list[Any] = [model for model in apps.get_models() if hasattr(model, "history_object")]
    return {(model, pk) for model in tables for pk in model._default_manager.values_list("history_id", flat=True)}


def test_every_row_of_history_that_an_action_writes_is_sealed(world: World, anchor_file: Path) -> None:
    """A row of history that no entry answers for could be changed unseen."""
    rows, unseen = 0, []
    for name, sample in SAMPLES.items():
        with transaction.atomic():
            run = sample(world)
            before = _history_rows()
            run()
            for model, pk in sorted(_history_rows() - before, key=str):
                rows += 1
                tampered = model._default_manager.filter(history_id=pk)
                if not _found(partial(tampered.update, history_user_id=4711)):
                    unseen.append(f"{name}: {model._meta.label} {tampered.get()}")
            transaction.set_rollback(True)
    print(f"G25 history: {rows} rows written by {len(SAMPLES)} actions, {len(unseen)} could be changed unseen")
    assert not unseen, "\n".join(["", *unseen])


def _refused(statement: str) -> bool:
    try:
        with transaction.atomic():
            connection.cursor().execute(statement)
            transaction.set_rollback(True)
            return False
    except (IntegrityError, InternalError) as refusal:
        return "append-only" in str(refusal)


@pytest.mark.services
def test_postgresql_refuses_to_change_what_is_only_ever_added_to(alice: User) -> None:
    if connection.vendor != "postgresql":
        skip_or_fail("DATABASE_URL names no PostgreSQL (python -m tests.servers pytest -m services sets it).")
    incident = incident_actions.open_incident(actor=alice, title="Case", reporter=alice, commander=alice)
    _work(alice, incident, alice)
    guarded: list[Any] = [JournalEntry, *(m for m in apps.get_models() if hasattr(m, "history_object"))]
    filled = [model for model in guarded if model._default_manager.exists()]
    assert len(filled) >= 4
    changes = [f"UPDATE {m._meta.db_table} SET {m._meta.pk.attname} = {m._meta.pk.attname}" for m in filled]  # noqa: S608
    taken = [s for s in [*changes, *(f"DELETE FROM {m._meta.db_table}" for m in filled)] if not _refused(s)]  # noqa: S608
    print(f"G25 append-only: {len(taken)} of {2 * len(filled)} statements taken, on {len(filled)} tables")
    assert taken == []
    verify()
