"""`python -m bench`: measures on a PostgreSQL of its own, then on SQLite; exits 1 if a figure is over its limit."""

import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from bench import automations, crowd
from tests.servers import postgres

INCIDENTS = "10000"


def measure(**environment: str) -> int:
    """Run bench.measure with this environment, in a folder that is gone afterwards."""
    folder = tempfile.mkdtemp(prefix="treeline-bench-")
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    settings = {"DJANGO_SETTINGS_MODULE": "bench.settings", "DATA_DIR": folder, "LOCAL": "on"}
    try:
        command = [sys.executable, "-m", "bench.measure", INCIDENTS]
        return subprocess.run(command, env={**kept, **settings, **environment}, check=False).returncode
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> int:
    """Both databases; without PostgreSQL there is no benchmark."""
    try:
        with postgres() as server:
            over = measure(DATABASE_URL=server.url)
        over += crowd.measure(sqlite=False)
    except (pytest.skip.Exception, pytest.fail.Exception) as reason:
        print(f"No benchmark: {reason}")
        return 1
    return min(1, over + measure() + crowd.measure(sqlite=True) + automations.measure())


if __name__ == "__main__":
    sys.exit(main())
