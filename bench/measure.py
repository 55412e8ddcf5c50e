"""Measures one database (DATABASE_URL, or SQLite without it) and prints a line for each figure.

    bench NAME VALUE UNIT limit LIMIT ok|over

Requests go through the WSGI application in this process, over the one database connection that it keeps.
"""

import itertools
import statistics
import sys
import time
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.core.management import call_command
from django.db import connection
from django.test import Client, RequestFactory

from bench.lines import Lines

TIMES, WARM = 30, 3
PAIRS = 200


@dataclass
class Figure:
    """One measured thing: milliseconds and number of queries of a page."""

    ms: float
    queries: int


class Bench(Lines):
    """Asks for pages as somebody, and writes the lines."""

    def __init__(self, prefix: str) -> None:
        super().__init__(prefix)
        self.handler = WSGIHandler()

    def ask(self, path: str, cookies: str = "", status: int = 200) -> tuple[float, int]:
        """One request: how long it took, in milliseconds, and how many queries."""
        environ = RequestFactory().get(path, headers={"Cookie": cookies}).environ
        count = itertools.count()
        answered: list[str] = []

        def counted(execute: Any, *arguments: Any) -> Any:
            next(count)
            return execute(*arguments)

        with connection.execute_wrapper(counted):
            start = time.perf_counter()
            response: Any = self.handler(environ, lambda state, *_: answered.append(state))  # type: ignore[arg-type]
            body = b"".join(response)
            response.close()
            took = (time.perf_counter() - start) * 1000
        if not answered[0].startswith(str(status)):
            raise SystemExit(f"{path} answers {answered[0]}: {body[:300]!r}")
        return took, next(count)

    def page(self, path: str, cookies: str = "") -> Figure:
        """The median of 30 requests; the number of queries that most of them took."""
        for _ in range(WARM):
            self.ask(path, cookies)
        asked = [self.ask(path, cookies) for _ in range(TIMES)]
        usual = Counter(queries for _, queries in asked).most_common(1)[0][0]
        return Figure(ms=statistics.median(ms for ms, _ in asked), queries=usual)

    def difference(self, one: str, two: str, cookies: str) -> float:
        """Between the medians of two addresses that answer 404, asked in turns, in milliseconds."""
        times: dict[str, list[float]] = {one: [], two: []}
        for at in range(PAIRS):
            for path in (one, two) if at % 2 else (two, one):
                times[path].append(self.ask(path, cookies, status=HTTPStatus.NOT_FOUND)[0])
        return abs(statistics.median(times[one]) - statistics.median(times[two]))


def _login(user: Any) -> str:
    client = Client()
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def main(incidents: int) -> int:
    """Load, measure with little, load the rest, measure again."""
    from bench import data, runbooks  # noqa: PLC0415  models exist only after setup

    call_command("migrate", verbosity=0)
    bench = Bench("" if connection.vendor == "postgresql" else f"{connection.vendor}-")
    place = data.people()
    cookies = _login(place.alice)
    few = data.incidents(place, 10)
    tiny = data.big(place, "IR-2025-0101-010", 10)
    data.documents(place, 5)
    data.settle()
    small = {"list": bench.page("/", cookies).queries}
    small["documents"] = bench.page("/runbooks/", cookies).queries
    for name, path in PAGES.items():
        small[name] = bench.page(f"/incidents/{tiny.number}/{path}", cookies).queries

    with bench.timed("load", "s"):
        data.incidents(place, incidents - 10, first=10)
        sizes = {count: data.big(place, f"IR-2025-0101-{count}", count) for count in (500, 1000, 10_000)}
        data.documents(place, 495, first=5)
        data.settle()
    _lists(bench, cookies, small)
    for count, incident in sizes.items():
        _incident(bench, cookies, incident, count, small)
    hidden = next(incident for incident in few if incident.restricted)
    away = bench.difference(f"/incidents/{hidden.number}/", "/incidents/IR-2019-0101-001/", _login(place.mallory))
    bench.line("hidden-against-missing", away, "ms", 2)
    _changes(bench, sizes)
    runbooks.inserting(bench, sizes[1000], place.alice)
    runbooks.parsing(bench)
    return bench.over


PAGES = {"overview": "", "tree": "tree/"}
MOST = {"overview": 10, "tree": 7}  # queries


def _lists(bench: Bench, cookies: str, small: dict[str, int]) -> None:
    """The reference pages and the list of incidents."""
    constant = bench.page("/bench/constant")
    bench.line("constant-page", constant.ms, "ms")
    rows = bench.page("/", cookies)
    bench.line("list", rows.ms, "ms")
    bench.line("list-queries", rows.queries, "queries", 8)
    bench.line("list-queries-more-than-with-10", rows.queries - small["list"], "queries", 0, exactly=True)
    late = bench.page("/?show=closed&sort=title&page=20", cookies)
    bench.line("list-sorted-page-20", late.ms, "ms")
    bench.line("list-sorted-page-20-queries", late.queries, "queries", 8)
    shelf = bench.page("/runbooks/", cookies)
    bench.line("documents-500", shelf.ms, "ms")
    bench.line("documents-500-queries", shelf.queries, "queries", 8)
    bench.line("documents-500-queries-more-than-with-5", shelf.queries - small["documents"], "queries", 0, exactly=True)
    bench.line("documents-500-search", bench.page("/documents/?q=step+39", cookies).ms, "ms")


def _incident(bench: Bench, cookies: str, incident: Any, count: int, small: dict[str, int]) -> None:
    """The pages of one incident with so many tickets; its tree beside the bare loop over as many rows."""
    for name, path in PAGES.items():
        page = bench.page(f"/incidents/{incident.number}/{path}", cookies)
        bench.line(f"{name}-{count}", page.ms, "ms")
        bench.line(f"{name}-{count}-queries", page.queries, "queries", MOST[name])
        more = page.queries - small[name]
        bench.line(f"{name}-{count}-queries-more-than-with-10", more, "queries", 0, exactly=True)
        if name == "tree" and count in LOOPS:
            bare = bench.page(f"/bench/bare/{count}")
            bench.line(f"bare-loop-{count}", bare.ms, "ms")
            bench.line(f"tree-{count}-against-bare-loop", page.ms / bare.ms, "times", LOOPS[count])


LOOPS = {500: 2.5, 1000: 2}  # rows of the bare loop, and how many times its time a tree of as many may take


def _changes(bench: Bench, sizes: dict[int, Any]) -> None:
    """Adding to a tree, and moving a branch of 1,000 tickets in one of 10,000; nothing of other trees is touched."""
    from core.actors import SYSTEM  # noqa: PLC0415
    from tickets.actions.tickets import add_ticket, move_ticket  # noqa: PLC0415
    from tickets.checks import broken  # noqa: PLC0415
    from tickets.models import Ticket  # noqa: PLC0415

    start = time.perf_counter()
    for at in range(100):
        add_ticket(actor=SYSTEM, incident=sizes[500], title=f"Another {at}", parent=101)
    bench.line("tickets-added-to-500", 100 / (time.perf_counter() - start), "per-second")
    wide = sizes[10_000]
    branches = Ticket.objects.filter(incident=wide, parent__isnull=False).order_by("lft")
    branch = min(branches, key=lambda one: abs(one.get_descendant_count() - 1000))
    outside = branches.exclude(lft__gte=branch.lft, rght__lte=branch.rght).exclude(pk=branch.parent_id or 0)
    others = Ticket.objects.exclude(incident=wide)
    columns = ("pk", "lft", "rght", "level", "tree_id", "parent_id", "version")
    before = list(others.order_by("pk").values_list(*columns))
    goal = outside.filter(level=1).last()
    bench.line("branch-moved", branch.get_descendant_count() + 1, "tickets")
    with bench.timed("branch-moved-in-10000", "ms"):
        move_ticket(actor=SYSTEM, ticket=branch, parent=goal.number if goal else None)
    touched = sum(old != new for old, new in zip(before, others.order_by("pk").values_list(*columns), strict=True))
    bench.line("branch-moved-rows-of-others-touched", touched, "rows", 0)
    bench.line("branch-moved-broken", len(list(broken(wide))), "trees", 0)


if __name__ == "__main__":
    django.setup()
    if settings.ROOT_URLCONF != "bench.urls":
        raise SystemExit("Run python -m bench: it measures on a database of its own.")
    sys.exit(1 if main(int(sys.argv[1])) else 0)
