"""Servers for tests come up, keep their data over a restart, and never outlive the tests."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest
import redis as redis_client

from tests import servers

pytestmark = pytest.mark.services
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0  # seconds until a test gives up
CRASHING = """
import sys, time
from tests import servers
with getattr(servers, sys.argv[1])() as server:
    print(server.process.pid, server.folder, flush=True)
    time.sleep(600)
"""


def test_postgresql_answers_and_keeps_its_rows_over_a_restart() -> None:
    with servers.postgres() as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("CREATE TABLE note (text text)")
            connection.execute("INSERT INTO note VALUES ('GRÖßE')")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url)
        server.start()
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT lower(text) FROM note").fetchone() == ("größe",)


def test_postgresql_asks_for_the_password() -> None:
    with servers.postgres() as server, pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url.replace("treeline:", "treeline:wrong-"))


def test_redis_answers_who_knows_the_password() -> None:
    with servers.redis() as server:
        with redis_client.Redis.from_url(server.url) as client:
            assert client.ping()
        address = server.url.replace(server.url.split("@")[0] + "@", "redis://")
        with redis_client.Redis.from_url(address) as stranger, pytest.raises(redis_client.AuthenticationError):
            stranger.ping()


@pytest.mark.parametrize("start", [servers.postgres, servers.redis])
def test_nothing_is_left_afterwards(start: Callable[[], AbstractContextManager[servers.Server]]) -> None:
    with start() as server:
        assert server.process is not None
        pid, folder = server.process.pid, server.folder
    assert not folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children of their parent's death")
@pytest.mark.parametrize("name", ["postgres", "redis"])
def test_killed_tests_leave_no_server_running(name: str) -> None:
    tests = subprocess.Popen([sys.executable, "-c", CRASHING, name], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert tests.stdout is not None
    line = tests.stdout.readline()
    tests.kill()
    tests.communicate()
    if not line:
        servers.skip_or_fail(f"{name} is not installed.")
    pid, folder = line.split()
    deadline = time.monotonic() + PATIENCE
    while running(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.05)
    shutil.rmtree(folder, ignore_errors=True)
    assert not running(int(pid))


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
