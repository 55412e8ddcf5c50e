"""Keeping what somebody is still writing. It is their own, so no journal tells of it."""

import datetime as dt

from django.db import transaction
from django.utils import timezone

from people.models import Draft, User

MOST = 200
LIFE = dt.timedelta(days=30)


def keep(*, user: User, path: str, field: str, text: str, version: int = 0) -> None:
    """Keep the text in place of what was kept there before; no text keeps nothing. Of too many the oldest go."""
    if not text:
        forget(user=user, path=path, fields=[field])
        return
    now = {"text": text, "version": version, "saved_at": timezone.now()}
    with transaction.atomic():
        Draft.objects.update_or_create(user=user, path=path, field=field, defaults=now)
        mine = Draft.objects.filter(user=user).order_by("-saved_at", "-pk")
        if surplus := list(mine.values_list("pk", flat=True)[MOST:]):
            Draft.objects.filter(pk__in=surplus).delete()


def forget(*, user: User, path: str, fields: list[str]) -> None:
    """The form was saved, or its author wants the draft no more."""
    Draft.objects.filter(user=user, path=path, field__in=fields).delete()


def forget_below(root: str, names: list[str]) -> None:
    """Whatever anybody is writing at the addresses that begin with the root and one of the names, such as "109/"."""
    near = Draft.objects.filter(path__startswith=root).values_list("pk", "path")
    below = tuple(root + name for name in names)
    Draft.objects.filter(pk__in=[pk for pk, path in near if path.startswith(below)]).delete()


def sweep() -> None:
    """Forget what nobody went on writing."""
    Draft.objects.filter(saved_at__lt=timezone.now() - LIFE).delete()
