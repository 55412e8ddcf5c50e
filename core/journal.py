"""Writing the journal, and its canonical form. Readers: the activity feed, the audit page, reactions, verification."""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Max
from django.utils import timezone

from core import actions, reactions, requests
from core.actors import Actor
from core.models import JournalEntry, Stream

Seals = dict[str, dict[str, str]]
LONG = 400
NOT_NEWS = {
    "version",
    "updated_at",
    "history_id",
    "history_date",
    "history_type",
    "history_user_id",
    "folded",
    "search_text",
}
SEALED = [
    "stream", "seq", "at", "actor_kind", "actor_id", "actor_name", "verb", "target_type", "target_id", "target_name",
    "data", "history", "request_id", "ip", "prev_hash",
]  # fmt: skip


def plain(value: Any) -> Any:
    """A value as JSON has it, the same on every database: UTC times with microseconds, decimals as text."""
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.date | dt.timedelta | uuid.UUID):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def canonical(value: Any) -> bytes:
    """The bytes that are hashed: JSON with sorted keys, no spaces, UTF-8 (after RFC 8785)."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "backslashreplace"
    )


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def seal(entry: JournalEntry) -> str:
    """The hash of an entry: over every field but its id and the hash itself, the previous hash among them."""
    return digest({name: getattr(entry, name) for name in SEALED})


def head(stream: str) -> tuple[int, str]:
    """Sequence and hash of the last entry of a stream; (0, "") where nothing was written."""
    found = Stream.objects.filter(name=stream).values_list("seq", "hash").first()
    return found or (0, "")


def _locked(name: str) -> Stream:
    stream = Stream.objects.select_for_update().filter(name=name).first()
    if stream is None:
        Stream.objects.bulk_create([Stream(name=name)], ignore_conflicts=True)
        stream = Stream.objects.select_for_update().get(name=name)
    return stream


def hold(stream: str) -> None:
    """Lock a stream before anything else: for rooms whose actions write to it and to incidents, in this order."""
    _locked(stream)


def row_digest(model: type[models.Model], row: dict[str, Any]) -> str:
    """SHA-256 over a row of history: its columns by name, but those that hold the model's default.

    So a column that a later version adds (its old rows get the default) leaves the digests of old entries as they were.
    """
    defaults = {field.attname: field.get_default() for field in model._meta.concrete_fields}
    return digest({name: value for name, value in row.items() if value != defaults.get(name)})


@dataclass(frozen=True)
class Draft:
    """An entry to be: what `record` is told of one. `written` are rows of history that it answers for.

    They are sealed as they stand in memory: name only what was just written, with no savepoint to be rolled back since.
    """

    verb: str
    subject: models.Model
    data: Mapping[str, Any] = field(default_factory=dict)
    changed: bool = True
    written: Collection[models.Model] = ()

    @property
    def named(self) -> dict[actions.Written, models.Model]:
        """What was written, by model and id."""
        return {(type(row), getattr(row, "history_id")): row for row in self.written}  # noqa: B009 (no types)


Rows = dict[actions.Written, dict[str, Any]]


@dataclass
class _Histories:
    """The rows of history that entries answer for, read at once, however many entries there are."""

    rows: Rows = field(default_factory=dict)
    last: dict[tuple[type[Any], Any], actions.Written] = field(default_factory=dict)  # of a tracked row, so far

    def read(self, drafts: Sequence[Draft], rest: Collection[actions.Written]) -> None:
        """What the action wrote (`rest`: what no draft names), and what was the last row of every subject before it."""
        named = {key: row for draft in drafts for key, row in draft.named.items()}
        known = {key: _as_kept(row) for key, row in named.items()}
        self.rows |= {key: row for key, row in known.items() if row is not None}
        written: dict[type[Any], set[int]] = {}
        for model, pk in {*named, *rest}:
            written.setdefault(model, set()).add(pk)
        for model, keys in written.items():
            if unknown := {pk for pk in keys if (model, pk) not in self.rows}:
                self._add(model, model._default_manager.filter(history_id__in=unknown))
        for model, subjects in self._older(drafts).items():
            column = _key(model)
            older = model._default_manager.filter(**{f"{column}__in": subjects})
            newest = older.exclude(history_id__in=written.get(model, ())).order_by().values(column)
            last = newest.annotate(last=Max("history_id")).values("last")
            for row in self._add(model, model._default_manager.filter(history_id__in=last)):
                self.last[model, row[column]] = model, row["history_id"]

    def _add(self, model: type[Any], found: models.QuerySet[Any]) -> list[dict[str, Any]]:
        rows = list(found.values())
        self.rows |= {(model, row["history_id"]): row for row in rows}
        return rows

    def _older(self, drafts: Sequence[Draft]) -> dict[type[Any], set[Any]]:
        """Subjects, by their model of history, whose earlier state counts; what is new has none."""
        new = {(model, row[_key(model)]) for (model, _), row in self.rows.items() if row["history_type"] == "+"}
        found: dict[type[Any], set[Any]] = {}
        for draft in drafts:
            manager = _history_of(draft.subject)
            if draft.changed and manager and (manager.model, draft.subject.pk) not in new:
                found.setdefault(manager.model, set()).add(draft.subject.pk)
        return found

    def take(self, draft: Draft, written: Collection[actions.Written]) -> tuple[Seals, list[dict[str, Any]]]:
        """What the entry answers for, and the subject's row before this action and now (less where there is none)."""
        manager = _history_of(draft.subject)
        mine = (manager.model, draft.subject.pk) if manager else None
        before = self.last.get(mine) if mine else None
        found = sorted((one for one in {*written} if one in self.rows), key=lambda one: one[1])
        for model, pk in found:
            self.last[model, self.rows[model, pk][_key(model)]] = model, pk
        now = self.last.get(mine) if mine else None
        if now is not None and now not in found:
            found.append(now)
        seals: Seals = {}
        for one in found:
            seals.setdefault(one[0]._meta.label, {})[str(one[1])] = row_digest(one[0], self.rows[one])
        pair = [self.rows[one] for one in (before, now) if one is not None] if now != before else []
        return seals, pair


def _as_kept(row: models.Model) -> dict[str, Any] | None:
    """The columns of a row of history as the database gives them back; None where only reading it tells them.

    That is so for numbers with fractions: PostgreSQL gives 1e16 in JSON back as a whole number.
    """
    kept = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    if not all(isinstance(value, dt.datetime) or _is_exact(value) for value in kept.values()):
        return None
    return {field.attname: field.to_python(kept[field.attname]) for field in row._meta.concrete_fields}


def _is_exact(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_exact(item) for key, item in value.items())
    if isinstance(value, list | tuple):
        return all(_is_exact(item) for item in value)
    return value is None or isinstance(value, bool | int | str)


def _history_of(subject: models.Model) -> Any:
    """The manager of the subject's history, or None."""
    return getattr(type(subject), "history", None)


def _key(model: type[Any]) -> str:
    """The column of a row of history that says whose it is."""
    name: str = model.instance_type._meta.pk.attname
    return name


def shown(value: Any) -> Any:
    """A value as the journal keeps it; long text is cut (the history row has all of it)."""
    value = plain(value)
    return f"{value[:LONG]}… ({len(value)} characters)" if isinstance(value, str) and len(value) > LONG else value


def _changes(pair: list[dict[str, Any]]) -> dict[str, list[Any]]:
    old, new = pair
    return {
        name: [shown(old[name]), shown(new[name])]
        for name in new
        if name not in NOT_NEWS and not name.endswith("_html") and plain(old[name]) != plain(new[name])
    }


def record(
    verb: str, *, actor: Actor, subject: models.Model, stream: str = "", changed: bool = True, **data: Any
) -> JournalEntry:
    """Write one entry in the caller's transaction, and with it what others must do about it.

    `stream` defaults to the subject's `journal_stream`. The entry answers for every row of history written since the
    last entry of the same action, and (unless `changed` is false) says what the action changed in the subject:
    {"field": [old, new]}.
    """
    draft = Draft(verb, subject, data, changed)
    return record_many([draft], actor=actor, stream=stream or str(subject.journal_stream))[0]  # type: ignore[attr-defined]


def record_many(drafts: Sequence[Draft], *, actor: Actor, stream: str) -> list[JournalEntry]:
    """Write entries one after the other into one stream, each sealed as `record` does, with a fixed number of queries.

    What was written and no draft names is answered for by the first of them.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("The journal is written inside an action's transaction.")
    if not drafts:
        return []
    rest = {*_written(drafts[0])}.difference(*(draft.named for draft in drafts))
    known = _Histories()
    known.read(drafts, rest)
    top = _locked(stream)
    entries = []
    for at, draft in enumerate(drafts):
        seals, pair = known.take(draft, {*draft.named, *(() if at else rest)})
        data = dict(draft.data)
        if draft.changed and len(pair) == 2:
            data = {**({"changes": changes} if (changes := _changes(pair)) else {}), **data}
        entries.append(_sealed(top, draft, actor, data, seals))
    JournalEntry.objects.bulk_create(entries)
    Stream.objects.filter(pk=top.pk).update(seq=top.seq, hash=top.hash)
    reactions.schedule(entries)
    return entries


def _written(draft: Draft) -> list[actions.Written]:
    """What the action wrote since its last entry; outside an action the newest row of the subject, whoever wrote it."""
    written = actions.take_written()
    if written is not None:
        return written
    manager = _history_of(draft.subject)
    if manager is None:
        return []
    newest = manager.filter(**{_key(manager.model): draft.subject.pk}).order_by("-history_id")
    return [(manager.model, pk) for pk in newest.values_list("history_id", flat=True)[:1]]


def _sealed(top: Stream, draft: Draft, actor: Actor, data: dict[str, Any], seals: Seals) -> JournalEntry:
    """The next entry of the stream, which then ends with it."""
    info, subject = requests.current.get(), draft.subject
    entry = JournalEntry(
        stream=top.name, seq=top.seq + 1, at=timezone.now(), verb=draft.verb, data=plain(data), prev_hash=top.hash,
        actor_kind=actor.actor_kind, actor_id=actor.pk, actor_name=actor.actor_name[:200],
        target_type=subject._meta.label, target_id=str(subject.pk), target_name=str(subject)[:300],
        history=seals,
        request_id=info.id, ip=info.ip,
    )  # fmt: skip
    entry.hash = seal(entry)
    top.seq, top.hash = entry.seq, entry.hash
    return entry
