"""The house, and beside it the two pages that everything is compared with."""

import datetime as dt
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from core.access import open_to

CONSTANT = "<!doctype html><title>constant</title>" + "<p>Thirty kilobytes that never change.</p>" * 730
NOW = dt.datetime(2026, 11, 20, 10, 30, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Line:
    """What a row of the tree shows, without a database behind it."""

    number: int
    title: str
    status: str
    priority: str
    assignee: str
    lead: bool
    due_at: dt.datetime
    level: int
    comments_total: int
    files_total: int


LINES = [
    Line(
        number=number, title=f"Look at host {number}", status="doing" if number % 3 else "done", priority="normal",
        assignee=f"Person {number % 20}", lead=number % 7 == 0, due_at=NOW + dt.timedelta(minutes=number),
        level=number % 5, comments_total=number % 4, files_total=number % 2,
    )
    for number in range(1000)
]  # fmt: skip


@open_to("anyone")
def constant(request: HttpRequest) -> HttpResponse:
    """30 kB that are ready: what the machine and the middleware cost."""
    return HttpResponse(CONSTANT)


@open_to("anyone")
def bare(request: HttpRequest, count: int) -> HttpResponse:
    """So many rows by a plain template loop, without queries: what Django's templates cost."""
    return render(request, "bench/rows.html", {"lines": LINES[:count]})


urlpatterns = [path("bench/constant", constant), path("bench/bare/<int:count>", bare), path("", include("config.urls"))]
handler400 = "core.views.errors.bad_request"
handler403 = "core.views.errors.forbidden"
handler404 = "core.views.errors.not_found"
handler500 = "core.views.errors.server_error"
