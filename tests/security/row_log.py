"""What really happened in the database: triggers on every table write each changed row, with old and new values.

with logged():
    ...
    for row in taken(): row.table, row.what, row.old, row.new
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

LOG = "row_log"
WHATS = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Changed:
    """One row that was inserted, updated or deleted."""

    table: str
    what: str
    old: dict[str, Any]
    new: dict[str, Any]

    @property
    def row(self) -> dict[str, Any]:
        """It as it is now, or was before it was deleted."""
        return self.new or self.old

    @property
    def columns(self) -> set[str]:
        """Those with another value than before; all of an inserted or deleted row."""
        if self.what != "UPDATE":
            return set(self.row)
        return {name for name in self.new if self.new[name] != self.old[name]}

    def __str__(self) -> str:
        return f"{self.what} {self.table} {self.row.get('id', '')} ({', '.join(sorted(self.columns))[:120]})"


@contextmanager
def logged() -> Iterator[None]:
    """Put triggers on every table; take them away in the end."""
    tables = [name for name in connection.introspection.table_names() if name != LOG]
    make = _sqlite if connection.vendor == "sqlite" else _postgresql
    with connection.cursor() as cursor:
        for statement in make(tables):
            cursor.execute(statement)
        yield
        for statement in _undone(tables):
            cursor.execute(statement)


def taken() -> list[Changed]:
    """What was changed since this was asked last, in order."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT tbl, what, old, new FROM {LOG} ORDER BY id")  # noqa: S608  a constant
        rows = cursor.fetchall()
        cursor.execute(f"DELETE FROM {LOG}")  # noqa: S608
    return [Changed(table, what, _values(old), _values(new)) for table, what, old, new in rows]


def _values(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = (json.loads(value) if isinstance(value, str) else value) or {}
    return found


def _sqlite(tables: list[str]) -> Iterator[str]:
    yield f"CREATE TABLE {LOG} (id integer PRIMARY KEY AUTOINCREMENT, tbl text, what text, old text, new text)"
    for table in tables:
        old, new = (_json(table, side) for side in ("OLD", "NEW"))
        for what, values in zip(WHATS, (f"NULL, {new}", f"{old}, {new}", f"{old}, NULL"), strict=True):
            yield (
                f'CREATE TRIGGER "{LOG}_{what}_{table}" AFTER {what} ON "{table}" BEGIN '  # noqa: S608
                f"INSERT INTO {LOG} (tbl, what, old, new) VALUES ('{table}', '{what}', {values}); END"
            )


def _json(table: str, side: str) -> str:
    with connection.cursor() as cursor:
        names = [column.name for column in connection.introspection.get_table_description(cursor, table)]
    # JSON holds no bytes.
    values = (
        f"""'{n}', CASE typeof({side}."{n}") WHEN 'blob' THEN hex({side}."{n}") ELSE {side}."{n}" END""" for n in names
    )
    return f"json_object({', '.join(values)})"


def _postgresql(tables: list[str]) -> Iterator[str]:
    yield f"CREATE TABLE {LOG} (id bigserial PRIMARY KEY, tbl text, what text, old jsonb, new jsonb)"
    yield f"""
        CREATE FUNCTION {LOG}_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO {LOG} (tbl, what, old, new) VALUES (TG_TABLE_NAME, TG_OP,
                CASE TG_OP WHEN 'INSERT' THEN NULL ELSE to_jsonb(OLD) END,
                CASE TG_OP WHEN 'DELETE' THEN NULL ELSE to_jsonb(NEW) END);
            RETURN NULL;
        END $$"""  # noqa: S608
    for table in tables:
        yield (
            f'CREATE TRIGGER {LOG} AFTER INSERT OR UPDATE OR DELETE ON "{table}" '
            f"FOR EACH ROW EXECUTE FUNCTION {LOG}_write()"
        )


def _undone(tables: list[str]) -> Iterator[str]:
    for table in tables:
        if connection.vendor == "sqlite":
            yield from (f'DROP TRIGGER "{LOG}_{what}_{table}"' for what in WHATS)
        else:
            yield f'DROP TRIGGER {LOG} ON "{table}"'
    yield f"DROP TABLE {LOG}"
    if connection.vendor != "sqlite":
        yield f"DROP FUNCTION {LOG}_write"
