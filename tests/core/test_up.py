"""One command runs everything; whatever ends it, nothing is left running."""

import http.server
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management.base import CommandError
from pytest_django import Settings

from core.management.commands import up

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 20.0  # seconds until a test gives up; never a measure of speed

SLEEPER = "import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"
WITH_GRANDCHILD = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}]); {SLEEPER}"
CHATTERBOX = """
import os, time
print('pid', os.getpid(), flush=True)
while True:
    print('x' * 100, flush=True)
    time.sleep(0.01)
"""
PARENT = """
import sys
from core.processes import Program, run_together
again = "# again"
programs = [Program(f"child{n}", [sys.executable, "-c", c], again=again in c) for n, c in enumerate(sys.argv[2:])]
sys.exit(run_together(programs, grace=float(sys.argv[1])))
"""


class Family:
    """A parent that runs some children, and the process ids that they print."""

    def __init__(self, *children: str, grace: float = PATIENCE) -> None:
        command = [sys.executable, "-c", PARENT, str(grace), *children]
        self.parent = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.lines: list[str] = []

    def pids(self, count: int) -> list[int]:
        """Wait until `count` processes have said who they are."""
        assert self.parent.stdout is not None
        while len(found := [int(line.split()[-1]) for line in self.lines if " | pid " in line]) < count:
            line = self.parent.stdout.readline()
            assert line, f"ended too early: {self.lines}"
            self.lines.append(line)
        return found

    def end(self, number: signal.Signals) -> int:
        self.parent.send_signal(number)
        self.parent.communicate(timeout=PATIENCE)
        return self.parent.returncode


@pytest.fixture
def family() -> Iterator[Callable[..., Family]]:
    started: list[Family] = []

    def start(*children: str, grace: float = PATIENCE) -> Family:
        started.append(Family(*children, grace=grace))
        return started[-1]

    yield start
    for each in started:
        each.parent.terminate()
        each.parent.communicate(timeout=PATIENCE)


def runs(pid: int) -> bool:
    """A zombie that nobody has fetched yet does not run."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def left_running(pids: list[int]) -> list[int]:
    deadline = time.monotonic() + PATIENCE
    while (left := [pid for pid in pids if runs(pid)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_all_children_and_is_no_failure(
    family: Callable[..., Family], number: signal.Signals
) -> None:
    running = family(SLEEPER, SLEEPER)
    pids = running.pids(2)
    assert all(map(runs, pids))
    assert running.end(number) == 0
    assert left_running(pids) == []


def test_when_one_child_dies_the_rest_are_stopped_and_the_command_fails(family: Callable[..., Family]) -> None:
    running = family(SLEEPER, SLEEPER)
    pids = running.pids(2)
    os.kill(pids[0], signal.SIGKILL)
    output, _ = running.parent.communicate(timeout=PATIENCE)
    assert running.parent.returncode == 1
    assert "ended with -9; stopping the rest" in output
    assert left_running(pids) == []


def test_a_child_that_may_is_started_again_and_the_others_go_on(family: Callable[..., Family]) -> None:
    running = family(SLEEPER, f"{SLEEPER}  # again")
    running.pids(2)
    label = {int(line.split()[-1]): line.split(" | ")[0] for line in running.lines if " | pid " in line}
    steady, killed = sorted(label, key=lambda pid: label[pid])
    os.kill(killed, signal.SIGKILL)
    anew = next(pid for pid in running.pids(3) if pid not in (steady, killed))
    assert any("child1 ended with -9; started again" in line for line in running.lines)
    assert runs(steady)
    assert running.end(signal.SIGTERM) == 0
    assert left_running([steady, killed, anew]) == []


def test_a_child_that_ends_over_and_over_ends_all(family: Callable[..., Family]) -> None:
    running = family(SLEEPER, "raise SystemExit(3)  # again")
    output, _ = running.parent.communicate(timeout=PATIENCE)
    assert running.parent.returncode == 1
    assert output.count("started again") == 4
    assert "child1 ended with 3; stopping the rest" in output


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells children of their parent's death")
def test_a_killed_parent_leaves_nothing_running(family: Callable[..., Family]) -> None:
    running = family(SLEEPER, SLEEPER)
    pids = running.pids(2)
    running.parent.kill()
    assert left_running(pids) == []


def test_who_ignores_the_request_to_end_is_killed_with_all_its_own_children(family: Callable[..., Family]) -> None:
    running = family(WITH_GRANDCHILD, STUBBORN, grace=0.5)
    pids = running.pids(3)
    assert running.end(signal.SIGTERM) == 0
    assert left_running(pids) == []


def test_each_line_says_which_child_wrote_it(family: Callable[..., Family]) -> None:
    running = family(SLEEPER, SLEEPER)
    running.pids(2)
    assert {line.split(" | ")[0] for line in running.lines} == {"child0", "child1"}


def test_a_reader_who_goes_away_ends_the_programs_instead_of_blocking_them(family: Callable[..., Family]) -> None:
    running = family(CHATTERBOX)
    pids = running.pids(1)
    assert running.parent.stdout is not None
    running.parent.stdout.close()
    running.parent.wait(timeout=PATIENCE)
    assert left_running(pids) == []


def test_a_taken_port_is_named_before_anything_is_touched() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CommandError, match=f"127.0.0.1:{port}.*make run PORT={port + 1}"):
            up.require_free("127.0.0.1", port)


def test_static_files_are_collected_again_only_after_a_change(settings: Settings, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "app.css").write_text("a{}")
    settings.STATICFILES_DIRS, settings.STATIC_ROOT = [source], target
    up.collect_static()
    (target / "app.css").unlink()
    up.collect_static()
    assert not (target / "app.css").exists(), "collected although nothing had changed"
    (source / "app.css").write_text("a{color:red}")
    up.collect_static()
    assert (target / "app.css").read_text() == "a{color:red}"


def test_the_demo_logins_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    up.write_private(tmp_path / "logins.txt", "alice")
    assert (tmp_path / "logins.txt").stat().st_mode & 0o777 == 0o600


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health/live" else 404)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


def test_the_address_and_the_demo_logins_are_said_once_when_the_web_server_answers(
    settings: Settings, tmp_path: Path
) -> None:
    settings.DEMO, settings.DATA_DIR, settings.BASE_URL = True, tmp_path, "http://localhost:8123"
    up.write_private(up.logins_file(), "alice@demo.example\n")
    said: list[str] = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Healthy) as server:
        greet = up.Greeting(host="127.0.0.1", port=server.server_address[1], say=said.append)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        greet.when_ready()
        greet.when_ready()
        server.shutdown()
    assert "".join(said).count("http://localhost:8123/") == 1
    assert "alice@demo.example" in said[0]


def test_nothing_is_said_while_the_web_server_does_not_answer() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        said: list[str] = []
        up.Greeting(host="127.0.0.1", port=closed.getsockname()[1], say=said.append).when_ready()
    assert said == []
