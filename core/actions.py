"""Actions: every write is one named function, one transaction, one journal entry. The one door to simple-history."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import models, transaction
from simple_history.models import HistoricalRecords
from simple_history.signals import post_create_historical_record

from core.actors import Actor

P = ParamSpec("P")
R = TypeVar("R")
Written = tuple[type[Any], int]
"""A row of history: its model and its id."""


def _acting_user(instance: models.Model, **_: object) -> int | None:
    actor: Actor | None = getattr(HistoricalRecords.context, "actor", None)
    return actor.pk if actor is not None and actor.actor_kind == "user" else None


def _keep_user(historical: Any, user_id: int | None) -> None:
    historical.history_user_id = user_id


def tracked(*, excluded: list[str] | None = None) -> HistoricalRecords:
    """History of a model. Who did it is kept as a number that outlives the person's row; `excluded` is not copied."""
    return HistoricalRecords(
        history_id_field=models.BigAutoField(),
        history_user_id_field=models.BigIntegerField(null=True, blank=True),
        history_user_getter=lambda historical: historical.history_user_id,
        history_user_setter=_keep_user,
        get_user=_acting_user,
        excluded_fields=excluded or [],
    )


class Unjournalled(RuntimeError):
    """An action changed tracked rows and wrote no entry after it: nobody could tell who did it."""


def _note(sender: object, *, history_instance: Any, **_: object) -> None:
    written = getattr(HistoricalRecords.context, "written", None)
    if written is not None:
        written.append((type(history_instance), history_instance.history_id))


post_create_historical_record.connect(_note, dispatch_uid="core.actions.written")


def keep_together(rows: Sequence[models.Model], *, changed: bool = False) -> list[models.Model]:
    """Write the history of rows that were inserted (or changed) together, which the library does not notice by itself.

    The next entry of the action answers for it, as for all that is written one by one. Gives the rows of history, in
    the order of the rows; one that changed several times is given as often, each time as it was then.
    """
    if not rows:
        return []
    manager: Any = getattr(type(rows[0]), "history")  # noqa: B009 (simple-history has no types)
    made: list[models.Model] = manager.bulk_history_create(list(rows), update=changed)
    for row in made:
        _note(type(row), history_instance=row)
    return made


def save_together(rows: Sequence[models.Model], columns: Collection[str]) -> None:
    """Save these columns of all rows, in two statements unless that is more than SQLite takes; their history is kept
    apart (`keep_together`).
    """
    if not rows or not columns:
        return
    first = rows[0]
    table: models.QuerySet[models.Model] = models.QuerySet(type(first))  # managers may refuse what goes in bulk
    shared = {name for name in columns if all(getattr(row, name) == getattr(first, name) for row in rows)}
    if shared:
        table.filter(pk__in=[row.pk for row in rows]).update(**{name: getattr(first, name) for name in shared})
    if own := [name for name in columns if name not in shared]:
        table.bulk_update(rows, [type(first)._meta.get_field(name).name for name in own])


def take_written() -> list[Written] | None:
    """The rows of history (model, id) written since the last entry of this action, for that entry to answer for.

    None outside an action.
    """
    written: list[Written] | None = getattr(HistoricalRecords.context, "written", None)
    if written is None:
        return None
    taken = list(written)
    written.clear()
    return taken


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Tell simple-history who acts, and note what it writes; the library keeps both in a context of its own.

    Raises:
        Unjournalled: rows were changed and no entry was written after that.
    """
    context = HistoricalRecords.context
    before, outer = getattr(context, "actor", None), getattr(context, "written", None)
    context.actor = actor
    if outer is None:
        context.written = []
    try:
        yield
        if outer is None and context.written and _still_there(context.written):
            raise Unjournalled(f"No journal entry answers for {context.written[0][0].__name__}.")
    finally:
        context.actor, context.written = before, outer


def _still_there(written: list[Written]) -> bool:
    """Whether any of the rows outlived the savepoints they were written in."""
    return any(model._default_manager.filter(history_id=pk).exists() for model, pk in written)


def action(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function an action: keyword arguments only, `actor` among them; atomic; history knows who acted."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if args:
            raise TypeError(f"{function.__name__} takes keyword arguments only.")
        actor = kwargs.get("actor")
        if actor is None:
            raise TypeError(f"{function.__name__} needs an actor: who does this?")
        with transaction.atomic(), acting(actor):  # type: ignore[arg-type]
            return function(**kwargs)  # type: ignore[call-arg]

    run.is_action = True  # type: ignore[attr-defined]
    return run
