"""Automations with a real worker that is killed twice on the way: none is lost, none is done twice."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.processes import die_with_parent

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
DRIVER = [sys.executable, "-m", "tests.runbooks.automation_driver"]
COUNT = 60


def finished_once(folder: Path, count: int, *, kills: int = 2) -> tuple[dict[str, Any], float]:
    """Let one worker finish them all, killed `kills` times on the way; the figures, and how many seconds it took."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "HOME") if name in os.environ}
    environment = {
        **kept, "DJANGO_SETTINGS_MODULE": "config.settings", "LOCAL": "on", "DATA_DIR": str(folder),
        "SECRET_KEY": secrets.token_urlsafe(60),
    }  # fmt: skip

    def step(*words: str) -> dict[str, Any]:
        ran = subprocess.run(
            [*DRIVER, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr[-3000:]
        found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return found

    def worker() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*DRIVER, "worker"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - only calls prctl
        )  # fmt: skip

    step("prepare", str(count))
    began = time.monotonic()
    attending = subprocess.Popen([*DRIVER, "attend"], cwd=ROOT, env=environment, stdout=subprocess.PIPE)
    running = worker()
    try:
        for part in range(1, kills + 1):
            _until(lambda part=part: step("figures")["results"] >= count * part // (kills + 2))  # type: ignore[misc]
            running.kill()
            running.wait()
            running = worker()
        said = attending.communicate(timeout=600)[0]
    finally:
        for one in (running, attending):
            one.kill()
            one.wait()
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found, time.monotonic() - began


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_one_worker_killed_twice_finishes_all_and_none_twice(tmp_path: Path) -> None:
    found, seconds = finished_once(tmp_path, COUNT)
    print(f"automations: {COUNT} by one worker killed twice in {seconds:.0f} s, {found['doubled']} doubled")
    assert found == {"states": {"done": COUNT}, "results": COUNT, "doubled": 0}
