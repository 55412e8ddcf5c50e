"""The one command, for real: it comes up on an empty machine, answers, and ends with nothing left running."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests import servers

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # seconds until the test gives up; never a measure of speed


def test_treeline_starts_from_nothing_answers_and_stops_clean(tmp_path: Path) -> None:
    port = servers.free_port()
    base = f"http://localhost:{port}"
    with (tmp_path / "log").open("wb") as log:
        running = subprocess.Popen(
            [sys.executable, "manage.py", "up", "--port", str(port)],
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(data=tmp_path / "data", base=base),
        )
    try:
        wait_for(base, log=tmp_path / "log", running=running)
        with urlopen(f"{base}/health/live") as answer:
            assert answer.status == 200
        children = descendants(running.pid)
        assert len(children) >= 4, "web with its workers, worker and beat"
    finally:
        running.send_signal(signal.SIGINT)
        code = running.wait(timeout=PATIENCE)
    assert code == 0, (tmp_path / "log").read_text()
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


def environment(*, data: Path, base: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    key = secrets.token_urlsafe(64)
    return {**kept, "DATA_DIR": str(data), "BASE_URL": base, "SECRET_KEY": key, "LOCAL": "on", "DEMO": "off"}


def wait_for(base: str, *, log: Path, running: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while f"Treeline is ready at {base}/" not in log.read_text(errors="replace"):
        assert running.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.2)


def descendants(parent: int) -> list[int]:
    """Process ids below a process, by what /proc says of each process's parent."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            found = re.match(r"(\d+) \(.*\) \S (\d+)", stat.read_text(errors="replace"), re.DOTALL)
        except (FileNotFoundError, ProcessLookupError):
            continue
        if found:
            parents[int(found[1])] = int(found[2])
    below = [pid for pid, of in parents.items() if of == parent]
    return below + [deeper for pid in below for deeper in descendants(pid)]
