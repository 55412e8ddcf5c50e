"""Lists: paged, counted in SQL from what the user may see."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.paginator import Paginator
from django.db import models
from django.http import HttpRequest

T = TypeVar("T", bound=models.Model)
MOST_PAGES = 2000


@dataclass(frozen=True)
class Listing(Generic[T]):
    """One page of a list: its rows, how many there are in all, and the addresses of its neighbours."""

    rows: list[T]
    total: int
    page: int
    pages: int
    first: int
    last: int
    previous_url: str
    next_url: str


def _url(request: HttpRequest, page: int) -> str:
    query = request.GET.copy()
    query["page"] = str(page)
    return f"?{query.urlencode()}"


def listing(request: HttpRequest, rows: models.QuerySet[T, Any], *, size: int = 50) -> Listing[T]:
    """The page named in the query string (nonsense is page 1); two queries: count and rows."""
    wanted = request.GET.get("page", "1")
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 6 else 1
    found = Paginator(rows, size).get_page(max(1, min(number, MOST_PAGES)))
    at, pages = found.number, found.paginator.num_pages
    return Listing(
        rows=list(found.object_list), total=found.paginator.count, page=at, pages=pages,
        first=found.start_index(), last=found.end_index(),
        previous_url=_url(request, at - 1) if found.has_previous() else "",
        next_url=_url(request, at + 1) if found.has_next() else "",
    )  # fmt: skip
