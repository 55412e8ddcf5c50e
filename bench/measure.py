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

TIMES, WARM = 30, 3
PAIRS = 200


@dataclass
class Figure:
    """One measured thing: milliseconds and number of queries of a page."""

    ms: float
    queries: int


class Bench:
    """Asks for pages as somebody, and writes the lines."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.over = 0
        self.handler = WSGIHandler()

    def line(self, name: str, value: float, unit: str, limit: float | None = None, *, exactly: bool = False) -> None:
        """Print one figure; without a limit it is only told."""
        wrong = limit is not None and (value != limit if exactly else value > limit)
        self.over += wrong
        shown = f"{value:.0f}" if unit == "queries" else f"{value:.2f}"
        verdict = "over" if wrong else "ok"
        print(f"bench {self.prefix}{name} {shown} {unit} limit {'-' if limit is None else limit} {verdict}", flush=True)

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
    from bench import data  # noqa: PLC0415  models exist only after setup
    from core.actors import SYSTEM  # noqa: PLC0415
    from tickets.actions.tickets import add_ticket  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    bench = Bench("" if connection.vendor == "postgresql" else f"{connection.vendor}-")
    place = data.people()
    cookies = _login(place.alice)
    few = data.incidents(place, 10)
    tiny = data.big(place, "IR-2025-0101-010", 10)
    data.settle()
    small = {
        "list": bench.page("/", cookies),
        "overview": bench.page(f"/incidents/{tiny.number}/", cookies),
        "tree": bench.page(f"/incidents/{tiny.number}/tree/", cookies),
    }

    start = time.perf_counter()
    data.incidents(place, incidents - 10, first=10)
    half, whole = data.big(place, "IR-2025-0101-500", 500), data.big(place, "IR-2025-0101-999", 1000)
    data.settle()
    bench.line("load", time.perf_counter() - start, "s")

    constant, bare = bench.page("/bench/constant"), bench.page("/bench/bare")
    bench.line("constant-page", constant.ms, "ms")
    bench.line("bare-loop", bare.ms, "ms")

    rows = bench.page("/", cookies)
    bench.line("list", rows.ms, "ms")
    bench.line("list-queries", rows.queries, "queries", 8)
    bench.line("list-queries-more-than-with-10", rows.queries - small["list"].queries, "queries", 0, exactly=True)
    late = bench.page("/?show=closed&sort=title&page=20", cookies)
    bench.line("list-sorted-page-20", late.ms, "ms")
    bench.line("list-sorted-page-20-queries", late.queries, "queries", 8)

    for incident, count in ((half, 500), (whole, 1000)):
        overview = bench.page(f"/incidents/{incident.number}/", cookies)
        bench.line(f"overview-{count}", overview.ms, "ms")
        bench.line(f"overview-{count}-queries", overview.queries, "queries", 10)
        more = overview.queries - small["overview"].queries
        bench.line(f"overview-{count}-queries-more-than-with-10", more, "queries", 0, exactly=True)
        tree = bench.page(f"/incidents/{incident.number}/tree/", cookies)
        bench.line(f"tree-{count}", tree.ms, "ms")
        bench.line(f"tree-{count}-queries", tree.queries, "queries", 7)
        more = tree.queries - small["tree"].queries
        bench.line(f"tree-{count}-queries-more-than-with-10", more, "queries", 0, exactly=True)
        bench.line(f"tree-{count}-against-bare-loop", tree.ms / bare.ms, "times", 2.5 if count == 500 else None)

    hidden = next(incident for incident in few if incident.restricted)
    stranger = _login(place.mallory)
    away = bench.difference(f"/incidents/{hidden.number}/", "/incidents/IR-2019-0101-001/", stranger)
    bench.line("hidden-against-missing", away, "ms", 2)

    start = time.perf_counter()
    for at in range(100):
        add_ticket(actor=SYSTEM, incident=half, title=f"Another {at}", parent=101)
    bench.line("tickets-added-to-500", 100 / (time.perf_counter() - start), "per-second")
    return bench.over


if __name__ == "__main__":
    django.setup()
    if settings.ROOT_URLCONF != "bench.urls":
        raise SystemExit("Run python -m bench: it measures on a database of its own.")
    sys.exit(1 if main(int(sys.argv[1])) else 0)
