"""Actions: every write is one named function, one transaction, one journal entry. The one door to simple-history."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import models, transaction
from simple_history.models import HistoricalRecords

from core.actors import Actor

P = ParamSpec("P")
R = TypeVar("R")


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


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Tell simple-history who acts; the library reads it from its own context when a row is saved."""
    before = getattr(HistoricalRecords.context, "actor", None)
    HistoricalRecords.context.actor = actor
    try:
        yield
    finally:
        HistoricalRecords.context.actor = before


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
