"""Treeline as `manage.py up` runs it, with the demo data, on a port and in a folder of its own."""

import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from core.processes import die_with_parent
from tests import servers

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # seconds until it must answer; never a measure of speed


@dataclass(frozen=True)
class Treeline:
    """A running Treeline: where it is, the password of its demo people, and its environment."""

    base: str
    password: str = field(repr=False)
    environment: dict[str, str] = field(repr=False)

    def manage(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a management command on the same data."""
        return _manage(self.environment, *command)


def _manage(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def environment(*, data: Path, base: str) -> dict[str, str]:
    """What the program is told; nothing of the test run's own settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    key = secrets.token_urlsafe(64)
    return {**kept, "DATA_DIR": str(data), "BASE_URL": base, "SECRET_KEY": key, "LOCAL": "on", "DEMO": "on"}


@contextmanager
def running(folder: Path) -> Iterator[Treeline]:
    """Start it with its data under `folder`, wait until it answers, stop it afterwards.

    Raises:
        AssertionError: it does not come up; the message is what it printed.
    """
    port, password = servers.free_port(), secrets.token_urlsafe(12)
    base = f"http://localhost:{port}"
    told = environment(data=folder / "data", base=base)
    for command in (["migrate", "--verbosity", "0"], ["demo", f"--password={password}"]):
        done = _manage(told, *command)
        assert done.returncode == 0, done.stdout + done.stderr
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=ROOT,
            env=told,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid(), signal.SIGTERM),  # noqa: PLW1509 - only calls prctl
        )
    try:
        _wait(process, log, f"Treeline is ready at {base}/")
        _settle(folder / "data" / "treeline.sqlite3")
        yield Treeline(base=base, password=password, environment=told)
    finally:
        ended = process.poll()
        process.send_signal(signal.SIGINT)
        process.wait(timeout=PATIENCE)
    assert ended is None, f"It ended by itself: {log.read_text(errors='replace')[-2000:]}"


def _settle(database: Path) -> None:
    """Wait until the worker has told everybody what the demo did, so that news come from the test alone."""
    deadline = time.monotonic() + PATIENCE
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as reader:
        while reader.execute("SELECT EXISTS(SELECT 1 FROM core_reaction WHERE finished_at IS NULL)").fetchone()[0]:
            assert time.monotonic() < deadline, "The worker does not work off what the demo left to do."
            time.sleep(0.2)


def _wait(process: subprocess.Popen[bytes], log: Path, words: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while words not in log.read_text(errors="replace"):
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.2)
