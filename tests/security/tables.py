"""What the whole database holds, table by table: two digests that are equal mean that no row was changed."""

import hashlib
from collections.abc import Collection

from django.db import connection


def digests(*, but: Collection[str] = ()) -> dict[str, str]:
    """SHA-256 over all rows of every table, by the table's name; `but` names tables to leave out."""
    return {name: _digest(name) for name in connection.introspection.table_names() if name not in but}


def _digest(table: str) -> str:
    rows = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608  a name the database gave
        found = sorted(repr(row) for row in cursor.fetchall())
    rows.update("\n".join(found).encode("utf-8", "backslashreplace"))
    return rows.hexdigest()


def changed(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The tables whose rows are not the same."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
