"""Rows that several people edit at once: each change raises the version, a stale one is never saved over a newer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models


class Conflict(Exception):
    """Somebody else saved first and the same fields differ: `theirs` is the row now, `mine` what was submitted.

    `base` is the row as the editor saw it, where that is known.
    """

    def __init__(self, *, theirs: Any, mine: Mapping[str, Any], fields: list[str], base: Any = None) -> None:
        super().__init__(f"{theirs} was changed by somebody else: {', '.join(fields)}")
        self.theirs = theirs
        self.mine = dict(mine)
        self.fields = fields
        self.base = base

    @property
    def untouched(self) -> set[str]:
        """Fields that the editor left as they were: what is sent again with a choice must not set them back."""
        if self.base is None:
            return set()
        return {name for name, value in self.mine.items() if getattr(self.base, name, None) == value} - {*self.fields}


class Versioned(models.Model):
    """A row with a version; see `merged` for what happens to a stale edit."""

    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def merged(self, *, version: int, submitted: Mapping[str, Any]) -> dict[str, Any]:
        """What of `submitted` is to be applied to this (locked, fresh) row, when the editor had seen `version`.

        Fields that the editor left as they were in `version` are dropped; fields changed by others meanwhile stay.

        Raises:
            Conflict: the editor and somebody else changed the same field differently, or the version is unknown.
        """
        changed = {name: value for name, value in submitted.items() if getattr(self, name) != value}
        if version == self.version or not changed:
            return changed
        base = self._at_version(version)
        if base is None:
            raise Conflict(theirs=self, mine=submitted, fields=sorted(changed))
        mine = {name: value for name, value in changed.items() if getattr(base, name) != value}
        clash = sorted(name for name in mine if getattr(base, name) != getattr(self, name))
        if clash:
            raise Conflict(theirs=self, mine=submitted, fields=clash, base=base)
        return mine

    def _at_version(self, version: int) -> Any | None:
        history: Any = getattr(self, "history", None)
        return history.filter(version=version).order_by("-history_id").first() if history is not None else None

    def put(self, fields: Mapping[str, Any]) -> list[str]:
        """Set the fields and raise the version, here and not in the database; gives back what there is to save."""
        for name, value in fields.items():
            setattr(self, name, value)
        self.version += 1
        return [*fields, "version", "updated_at"]

    def apply(self, fields: Mapping[str, Any]) -> list[str]:
        """Set the fields, raise the version and save just these columns; gives back the names saved."""
        names = self.put(fields)
        self.save(update_fields=names)
        return names
