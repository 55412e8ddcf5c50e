"""Every URL of the house, from walking its resolver."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

OTHER_SITES: dict[str, str] = {"admin": "Django's admin: its views ask core.admin.ReferenceSite.has_permission"}


@dataclass(frozen=True)
class Route:
    """One URL: its full name ("incidents:overview"), pattern and the names of the parts that stand for objects."""

    name: str
    pattern: str
    parts: tuple[str, ...]
    view: Callable[..., Any]

    @property
    def access(self) -> Any:
        """What the view declares (core.access), or None."""
        return getattr(self.view, "access", None)


def routes() -> list[Route]:
    """All of them, in the order of the resolver."""
    return list(_walk(get_resolver().url_patterns, "", "", ()))


def _walk(patterns: Any, names: str, before: str, parts: tuple[str, ...]) -> Iterator[Route]:
    for entry in patterns:
        pattern = before + str(entry.pattern)
        found = (*parts, *_parts(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from _walk(
                entry.url_patterns, names + (f"{entry.namespace}:" if entry.namespace else ""), pattern, found
            )
        elif isinstance(entry, URLPattern):
            yield Route(f"{names}{entry.name or pattern}", pattern, found, entry.callback)


def _parts(pattern: Any) -> tuple[str, ...]:
    return tuple(getattr(pattern, "converters", None) or pattern.regex.groupindex)
