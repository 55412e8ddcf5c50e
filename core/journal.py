"""Writing the journal, and its canonical form. Readers: the activity feed, the audit page, reactions, verification."""

import datetime as dt
import hashlib
import json
import uuid
from decimal import Decimal
from typing import Any

from django.db import connection, models, transaction
from django.utils import timezone

from core import actions, reactions, requests
from core.actors import Actor
from core.models import JournalEntry, Stream

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


def _history(subject: models.Model) -> tuple[dict[str, dict[str, str]], list[dict[str, Any]]]:
    """What the entry answers for, and the subject's row before this action and now (less where there is none)."""
    written = actions.take_written()
    seals: dict[str, dict[str, str]] = {}
    wanted: dict[type[Any], set[int]] = {}
    for model, pk in written or []:
        wanted.setdefault(model, set()).add(pk)
    pair: list[dict[str, Any]] = []
    manager: Any = getattr(type(subject), "history", None)
    if manager is not None:
        mine = wanted.setdefault(manager.model, set())
        rows = manager.filter(**{subject._meta.pk.attname: subject.pk}).order_by("-history_id").values()
        newest = list(rows[: len(mine) + 2])
        older = [row for row in newest[1:] if row["history_id"] not in mine]
        if newest and (written is None or newest[0]["history_id"] in mine):
            pair = [*older[:1], newest[0]]
        mine |= {row["history_id"] for row in newest[:1]}
    for model, pks in wanted.items():
        found = model._default_manager.filter(history_id__in=pks).order_by("history_id").values()
        if digests := {str(row["history_id"]): row_digest(model, row) for row in found}:
            seals[model._meta.label] = digests
    return seals, pair


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
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("The journal is written inside an action's transaction.")
    seals, pair = _history(subject)
    if changed and len(pair) == 2:
        data = {**({"changes": changes} if (changes := _changes(pair)) else {}), **data}
    top = _locked(stream or str(subject.journal_stream))  # type: ignore[attr-defined]
    info = requests.current.get()
    entry = JournalEntry(
        stream=top.name, seq=top.seq + 1, at=timezone.now(), verb=verb, data=plain(data), prev_hash=top.hash,
        actor_kind=actor.actor_kind, actor_id=actor.pk, actor_name=actor.actor_name[:200],
        target_type=subject._meta.label, target_id=str(subject.pk), target_name=str(subject)[:300],
        history=seals,
        request_id=info.id, ip=info.ip,
    )  # fmt: skip
    entry.hash = seal(entry)
    entry.save(force_insert=True)
    Stream.objects.filter(pk=top.pk).update(seq=entry.seq, hash=entry.hash)
    reactions.schedule(entry)
    return entry
