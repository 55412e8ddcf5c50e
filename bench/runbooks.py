"""Inserting a runbook of 200 steps into a tree of 1,000 tickets, and reading task lines as long as they may be."""

import itertools
import time
from typing import Any

from django.db import connection

from bench.lines import Lines
from core.actors import SYSTEM
from incidents.models import Incident
from people.models import User
from runbooks import tasklines
from runbooks.actions.starts import run_runbook
from runbooks.actions.versions import load_approved
from runbooks.models import Document
from runbooks.tasklines.document import MOST_BYTES
from tickets.checks import broken

STEP = "- [ ] Look at {{ host }} again !2h #hosts #again\n  Ask **who** uses it.\n"
ACTION = '  ```action\n  create_tickets: {tasks: "- [ ] Look further"}\n  ```\n'
BOOKS = {  # three levels of sub-playbooks below the top: 18 steps of 200
    "rooms": (STEP + ACTION) * 3, "floors": "![[runbook:rooms]]\n" * 2, "sites": "## Site\n\n![[runbook:floors]]\n" * 2,
    "wide": "![[runbook:sites]]\n" + STEP * 179,
}  # fmt: skip
TASK = "- [ ] Look at the host {} @bob !2h #host\n  " + "It may be up. " * 20 + "\n"


def inserting(lines: Lines, incident: Incident, person: User) -> None:
    """By a person, all in one transaction."""
    for slug, body in BOOKS.items():
        load_approved(actor=SYSTEM, kind="runbook", slug=slug, title=slug.capitalize(), body=body)
    count = itertools.count()

    def counted(execute: Any, sql: str, *rest: Any) -> Any:
        if "SAVEPOINT" not in sql:
            next(count)
        return execute(sql, *rest)

    top = Document.objects.select_related("active").get(slug="wide")
    with connection.execute_wrapper(counted), lines.timed("runbook-insert", "s", 2):
        run = run_runbook(actor=person, incident=incident, document=top, under=101, values={"host": "DC01"})
    lines.line("runbook-insert-queries", next(count), "queries", 25)
    lines.line("runbook-insert-steps", run.steps.count(), "tickets", 200, exactly=True)
    lines.line("runbook-insert-broken", len(list(broken(Incident.objects.get(pk=incident.pk)))), "trees", 0)


def parsing(lines: Lines) -> None:
    """Of 1 MB, which is the most, and of half as much: twice the text may take three times as long."""
    whole = _read(MOST_BYTES)
    lines.line("tasklines-parse-1MB", whole, "s", 1)
    lines.line("tasklines-parse-1MB-against-half", whole / _read(MOST_BYTES // 2), "times", 3)


def _read(size: int) -> float:
    """Seconds for tickets of so many bytes in all, the best of five."""
    text, took = "", []
    found = (TASK.format(number) for number in itertools.count())
    while len(text) + len(line := next(found)) <= size:
        text += line
    for _ in range(5):
        start = time.perf_counter()
        tasklines.parse(text)
        took.append(time.perf_counter() - start)
    return min(took)
