"""PostgreSQL and Redis of a test's own: in a temporary folder, on a private port, gone afterwards.

    with postgres() as server:
        ... server.url ...          # postgres://treeline:…@127.0.0.1:21034/treeline
        server.stop(); server.start()

`python -m tests.servers COMMAND …` runs a command with both, as DATABASE_URL and REDIS_URL.
"""

import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as redis_client

from core.processes import die_with_parent

NAME = "treeline"
PATIENCE = 60.0  # seconds until a server must answer
PORTS = range(20000, 32000)  # below the ports that Linux gives to outgoing connections


class Unavailable(Exception):
    """What this machine lacks, in one sentence."""


def skip_or_fail(reason: str) -> None:
    """Skip a test for what the machine lacks; in CI nothing may be lacking."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} In CI nothing is skipped.")
    pytest.skip(reason)


@dataclass
class Server:
    """One server process; `url` stays the same over stop and start."""

    url: str
    command: Sequence[str]
    folder: Path
    user: int | None
    answers: Callable[[], bool]
    stop_signal: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
                # After the change of user, which would clear it: the server ends when the tests are killed.
                preexec_fn=die_with_parent(os.getpid(), self.stop_signal),  # noqa: PLW1509 - only calls prctl
                **_as_user(self.user),
            )
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Unavailable(f"{self.command[0]} does not start: {self.log()[-500:]}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def postgres() -> Iterator[Server]:
    """A PostgreSQL server with an empty database; skips the test where there is none."""
    with _running(_postgres) as server:
        yield server


@contextmanager
def redis() -> Iterator[Server]:
    """A Redis server with a password that keeps nothing on disk; skips the test where there is none."""
    with _running(_redis) as server:
        yield server


@contextmanager
def _running(make: Callable[[Path], Server]) -> Iterator[Server]:
    folder = Path(tempfile.mkdtemp(prefix=f"{NAME}-server-"))
    server = None
    try:
        try:
            server = make(folder)
            server.start()
        except Unavailable as error:
            skip_or_fail(str(error))
            raise
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _postgres(folder: Path) -> Server:
    initdb, postgres = _postgres_program("initdb"), _postgres_program("postgres")
    user, port, password = _plain_user(), free_port(), secrets.token_urlsafe(16)
    data, secret = folder / "data", folder / "password"
    secret.write_text(password)
    for path in (folder, secret):
        if user is not None:
            os.chown(path, user, -1)
    options = ["--username", NAME, "--pwfile", str(secret), "--auth", "scram-sha-256", "--encoding", "UTF8"]
    made = subprocess.run(
        [initdb, "--pgdata", str(data), "--locale", "C.UTF-8", "--no-sync", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **_as_user(user),
    )
    if made.returncode:
        raise Unavailable(f"initdb failed: {made.stderr[-500:]}")
    url = f"postgres://{NAME}:{password}@127.0.0.1:{port}"
    speed = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200")
    command = [postgres, "-D", str(data), "-p", str(port), "-h", "127.0.0.1", "-k", str(folder)]
    command += [word for setting in speed for word in ("-c", setting)]
    # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave.
    return Server(f"{url}/{NAME}", command, folder, user, lambda: _has_database(url), signal.SIGINT)


def _has_database(url: str) -> bool:
    try:
        with psycopg.connect(f"{url}/postgres", autocommit=True, connect_timeout=5) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME]).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {NAME}")
    except psycopg.OperationalError:
        return False
    return True


def _redis(folder: Path) -> Server:
    program = shutil.which("redis-server")
    if program is None:
        raise Unavailable("Redis is not installed (Debian: apt-get install redis-server).")
    port, password = free_port(), secrets.token_urlsafe(16)
    settings = folder / "redis.conf"
    settings.write_text(f'bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave ""\nappendonly no\ndir {folder}\n')
    url = f"redis://:{password}@127.0.0.1:{port}/0"
    return Server(url, [program, str(settings)], folder, None, lambda: _pongs(url))


def _pongs(url: str) -> bool:
    with redis_client.Redis.from_url(url, socket_timeout=5) as client:
        try:
            return bool(client.ping())
        except redis_client.ConnectionError:
            return False


def _postgres_program(name: str) -> str:
    """The newest server on the machine: Debian keeps each version's programs in a folder of its own."""
    versions = sorted(Path("/usr/lib/postgresql").glob("[0-9]*"), key=lambda path: int(path.name), reverse=True)
    found = next((path for version in versions if (path := shutil.which(name, path=version / "bin"))), None)
    found = found or shutil.which(name)
    if found is None:
        raise Unavailable("PostgreSQL's server is not installed (Debian: apt-get install postgresql).")
    return found


def _plain_user() -> int | None:
    """PostgreSQL refuses to run as root: the user `nobody` then, None for who is already somebody."""
    return pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None


def _as_user(user: int | None) -> dict[str, Any]:
    """Arguments of subprocess that drop root's rights."""
    return {} if user is None else {"user": user, "group": pwd.getpwuid(user).pw_gid, "extra_groups": []}


def free_port() -> int:
    for port in random.sample(PORTS, k=100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Unavailable("No free port between 20000 and 32000.")


def main(command: Sequence[str]) -> int:
    """Run a command with both servers; without them it is left out with one line, in CI that is an error."""
    try:
        with postgres() as database, redis() as queue:
            environment = {**os.environ, "DATABASE_URL": database.url, "REDIS_URL": queue.url}
            return subprocess.run(command, env=environment, check=False).returncode
    except pytest.skip.Exception as reason:
        print(f"Skipped: {' '.join(command)}. {reason}")
        return 0
    except pytest.fail.Exception as reason:
        print(f"Failed: {' '.join(command)}. {reason}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
