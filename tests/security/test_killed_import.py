"""A worker killed by SIGKILL in the middle of an import: afterwards each alert exists exactly once (G11)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import postgres

SCRIPT = Path(__file__).with_name("killed_import.py")


def run(tmp_path: Path, **environment: str) -> str:
    """Run the script in an environment of its own; gives what it printed."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], env={
            **inherited, "DJANGO_SETTINGS_MODULE": "tests.settings", "LOCAL": "on", "DATA_DIR": str(tmp_path),
            "PYTHONPATH": str(SCRIPT.parents[2]), **environment,
        }, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return done.stdout


@pytest.mark.security
def test_an_import_killed_at_forty_points_comes_in_exactly_once(tmp_path: Path, capsys) -> None:
    printed = run(tmp_path)
    with capsys.disabled():
        print(f"\n{printed.strip().splitlines()[-1]}")


@pytest.mark.services
@pytest.mark.security
def test_an_import_killed_at_forty_points_comes_in_exactly_once_on_postgresql(tmp_path: Path, capsys) -> None:

    with postgres() as server:
        printed = run(tmp_path, DATABASE_URL=server.url)
    with capsys.disabled():
        print(f"\n{printed.strip().splitlines()[-1]}")
