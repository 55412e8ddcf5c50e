"""Several rows of names as one value of another query, on both databases."""

from typing import Any

from django.db.models import Expression, F, Func, QuerySet, Subquery, TextField, Value
from django.db.models.functions import Coalesce


class _Gather(Func):
    """One text of a column's values; unlike an Aggregate it groups nothing, so a Subquery of it has one row."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, ',')"
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="GROUP_CONCAT", **extra)


def gathered(rows: QuerySet[Any], column: str) -> Expression:
    """What `rows` hold in a column of names, to stand in another query; `names` reads it."""
    found = rows.order_by().annotate(gathered=_Gather(F(column))).values("gathered")
    return Coalesce(Subquery(found), Value(""), output_field=TextField())


def names(gathered: str) -> frozenset[str]:
    """The names that `gathered` brought."""
    return frozenset(gathered.split(",")) - {""}
