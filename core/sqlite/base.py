"""The engine that config/env.py names. Django 5.2 splits every statement at 999 values, SQLite's limit until 2020.

So 200 tickets would be ten INSERTs here and one on PostgreSQL. Django 6 asks the library, as this does.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from django.db.backends.sqlite3 import base, features, operations


class DatabaseFeatures(features.DatabaseFeatures):
    """With the limit of the library that is loaded."""

    @property
    def max_query_params(self) -> int:  # type: ignore[override]  # a constant in Django 5.2
        """SQLITE_MAX_VARIABLE_NUMBER: 32,766 unless the library was built with another one."""
        connection: Any = self.connection
        connection.ensure_connection()
        limit: int = connection.connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        return limit


class DatabaseOperations(operations.DatabaseOperations):
    """With room for all that `bulk_update` sends."""

    def bulk_batch_size(self, fields: Sequence[Any], objs: Sequence[Any]) -> int:
        """Half of what Django reckons: it counts a row's key twice, and sends it once for every column and once more.

        Django gets away with that, since its limit is far below the library's.
        """
        return max(super().bulk_batch_size(fields, objs) // 2, 1)


class DatabaseWrapper(base.DatabaseWrapper):
    """Otherwise Django's own."""

    features_class = DatabaseFeatures
    ops_class = DatabaseOperations
