"""A script: an import whose worker is killed by SIGKILL at one point after another, then finished by the next worker.

Run by test_killed_import.py with DATABASE_URL (or SQLite) of its own. Prints one line of figures, or fails.
"""

import json
import os
import signal
import sys
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from core.models import Reaction  # noqa: E402
from core.models.work import MAX_ATTEMPTS, WorkState  # noqa: E402
from core.verify import verify  # noqa: E402
from core.work import sweep  # noqa: E402
from incidents.models import Incident  # noqa: E402
from intake import tasks  # noqa: E402
from intake.actions.imports import request_import  # noqa: E402
from intake.models import Alert, ImportJob  # noqa: E402
from people.models import User  # noqa: E402
from tests.uploads import kept  # noqa: E402

LINES, PER_BATCH = 60, 7
tasks.BATCH_PIECES = PER_BATCH


def content(run: int) -> bytes:
    """Sixty alerts of this run: every tenth broken, every twentieth critical."""
    lines = []
    for n in range(LINES):
        if n % 10 == 9:
            lines.append('{"broken": ')
            continue
        line: dict[str, Any] = {
            "timestamp": f"2026-11-20T10:{n:02d}:00.000000+0000", "flow_id": run * 1000 + n, "event_type": "alert",
            "src_ip": "203.0.113.7", "dest_ip": f"198.51.100.{n}", "in_iface": "eth0",
            "alert": {"signature_id": run * 1000 + n, "signature": f"Test {run} {n}", "severity": 2},
        }  # fmt: skip
        if n % 20 == 5:
            line["alert"]["metadata"] = {"signature_severity": ["Critical"]}
        lines.append(json.dumps(line))
    return "\n".join(lines).encode()


def worker(pk: int, die_at: int) -> int:
    """Import in a child that kills itself around SQL statement number `die_at`; gives how it ended."""
    connection.close()
    child = os.fork()
    if child == 0:
        count = 0

        def counted(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            nonlocal count
            count += 1
            if count == die_at and die_at % 2:
                os.kill(os.getpid(), signal.SIGKILL)
            result = execute(sql, params, many, context)
            if count == die_at:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        with connection.execute_wrapper(counted):
            tasks.run_import(pk)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def one(run: int, die_at: int, user: User) -> bool:
    """Kill one import at one point, finish it, and look; gives whether the child was killed before the end."""
    job = request_import(actor=user, file=kept("eve.json", content(run)), name=f"run {run}")
    killed = worker(job.pk, die_at) == -signal.SIGKILL
    for _ in range(MAX_ATTEMPTS):
        job.refresh_from_db()
        if job.is_finished:
            break
        ImportJob.objects.filter(pk=job.pk).update(due=timezone.now() - timedelta(seconds=1))
        sweep()
        worker(job.pk, 0)
    job.refresh_from_db()
    alerts = Alert.objects.filter(job=job)
    found = (job.state, job.created, job.problems, job.repeated, job.incidents)
    assert found == (WorkState.DONE, 54, 6, 0, 3), f"killed at {die_at}: {found}"
    assert alerts.count() == 54
    assert alerts.values("dedup_key").distinct().count() == 54
    assert job.problem_rows.count() == 6
    assert Incident.objects.filter(alerts__job=job).distinct().count() == 3
    return killed


def main() -> None:
    """Forty kill points spread over the whole import, and more until one comes after its end."""
    call_command("migrate", verbosity=0)
    Reaction.objects.all().delete()
    user = User.objects.create_user("alice@demo.example", "correct horse battery", username="alice", name="Alice")
    killed, run, die_at = 0, 0, 1
    step = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    while True:
        run += 1
        if not one(run, die_at, user):
            break
        killed += 1
        die_at += step
    assert killed >= 40, f"only {killed} kill points: make the step smaller"
    verify()
    engine = connection.vendor
    print(f"G11 import on {engine}: killed at {killed} points, each alert exactly once, counts exact")


main()
