"""Keys taken before the rows are there: for rows that name each other and are inserted all at once."""

from collections.abc import Sequence

from django.db import connection, models

TAKE = {
    "postgresql": "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
    "sqlite": "SELECT seq FROM sqlite_sequence WHERE name = %s",
}


def taken(model: type[models.Model], count: int) -> Sequence[int]:
    """So many new keys of a table, in order; one query.

    SQLite counts only when a row goes in. There the caller's transaction holds the one lock for writing, so nobody else
    inserts until the rows with these keys are in.
    """
    if not count:
        return []
    table, column = model._meta.db_table, model._meta.pk.column
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(TAKE["postgresql"], [table, column, count])
            return sorted(key for (key,) in cursor.fetchall())
        cursor.execute(TAKE["sqlite"], [table])
        last = cursor.fetchone()
    first = (last[0] if last else 0) + 1
    return range(first, first + count)
