"""An Admin is always left, even when two disable each other at the same moment."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests import servers

ROOT = Path(__file__).resolve().parents[2]


def race(folder: Path, *, database: str = "") -> str:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    environment = {
        **kept, "DJANGO_SETTINGS_MODULE": "tests.settings", "LOCAL": "on", "DATA_DIR": str(folder),
        "SECRET_KEY": secrets.token_urlsafe(60), "DATABASE_URL": database,
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.people.racing"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip().splitlines()[-1]


def test_two_admins_cannot_disable_each_other_on_sqlite(tmp_path: Path) -> None:
    assert race(tmp_path) == "rounds 15 without an admin 0 otherwise wrong 0"


@pytest.mark.services
def test_two_admins_cannot_disable_each_other_on_postgresql(tmp_path: Path) -> None:
    with servers.postgres() as server:
        assert race(tmp_path, database=server.url) == "rounds 15 without an admin 0 otherwise wrong 0"
