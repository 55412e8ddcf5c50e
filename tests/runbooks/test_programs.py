"""Scripts of admins: whatever they do, the worker goes on, and what they did is known (AI-06)."""

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runbooks import programs
from runbooks.programs import ProgramFailed, installed, run

pytestmark = pytest.mark.security
Put = Callable[..., Path]
MARK = f"treeline_left_behind_{os.getpid()}"


@pytest.fixture
def put(tmp_path: Path) -> Put:
    """Put a script into the folder of scripts, as an admin does; Python unless it says otherwise."""
    folder = tmp_path / "scripts"
    folder.mkdir(mode=0o755)

    def write(text: str, name: str = "script", mode: int = 0o755) -> Path:
        first = "" if text.startswith("#!") else f"#!{sys.executable} -S\nimport json, os, sys, time\n"
        (folder / name).write_text(first + text)
        (folder / name).chmod(mode)
        return folder

    return write


def alive(mark: str) -> list[str]:
    """Processes whose command line has the mark in it."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in line:
            found.append(line)
    return found


def failure(folder: Path, *, seconds: int = 10) -> ProgramFailed:
    with pytest.raises(ProgramFailed) as failed:
        run(folder, "script", {}, seconds=seconds)
    return failed.value


# -- The convention ---------------------------------------------------------------------------------------------------
def test_it_gets_json_and_answers_with_json(put: Put) -> None:
    folder = put(
        "data = json.load(sys.stdin)\nprint('one', file=sys.stderr)\nprint(json.dumps({'got': data['a'] + ['é']}))"
    )
    ran = run(folder, "script", {"a": ["ü"]})
    assert ran.output == {"got": ["ü", "é"]}
    assert ran.log == "one\n"


def test_it_may_be_of_any_language(put: Put) -> None:
    folder = put("#!/bin/sh\nread line\nprintf '{\"length\": %d}' ${#line}\n")
    assert run(folder, "script", {"a": 1}).output == {"length": 8}


def test_a_program_that_reads_nothing_is_fine_with_much_input(put: Put) -> None:
    assert run(put("print('{}')"), "script", {"a": "x" * 900_000}).output == {}


def test_it_sees_nothing_of_ours(put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary-of-the-key")
    monkeypatch.setenv("DATABASE_URL", "postgres://canary")
    folder = put(
        "fds = sorted(int(one) for one in os.listdir('/proc/self/fd'))\n"
        "up = open('/proc/%d/environ' % os.getppid()).read()\n"
        "print(json.dumps({'environment': dict(os.environ), 'at': os.getcwd(), 'cwd': os.listdir('.'),"
        " 'argv': sys.argv[1:], 'fds': fds,"
        " 'up': 'canary' in up}))"
    )
    ran = run(folder, "script", {})
    assert set(ran.output["environment"]) <= {"PATH", "LANG", "LC_CTYPE", "LD_LIBRARY_PATH", "HOME", "TMPDIR"}
    assert {ran.output["environment"][one] for one in ("HOME", "TMPDIR")} == {ran.output["at"]}
    assert (ran.output["cwd"], ran.output["argv"], ran.output["up"]) == ([], [], False)
    assert max(ran.output["fds"]) <= 3  # and the folder that it looks at itself


def test_what_it_writes_is_gone_afterwards(put: Put) -> None:
    folder = put("open('file', 'w').write('x' * 1000)\nprint(json.dumps({'at': os.getcwd()}))")
    ran = run(folder, "script", {})
    assert not Path(ran.output["at"]).exists()
    assert installed(folder) == ["script"]


@pytest.mark.parametrize(
    "text",
    [
        "for _ in range(3000):\n    os.mkdir('a')\n    os.chdir('a')",
        "os.mkdir('a')\nopen('a/b', 'w').close()\nos.chmod('a', 0)",
    ],
)
def test_folders_that_are_hard_to_take_away_are_gone_as_well(put: Put, text: str) -> None:
    ran = run(put(f"at = os.getcwd()\n{text}\nprint(json.dumps({{'at': at}}))"), "script", {})
    assert not Path(ran.output["at"]).exists()


# -- What goes wrong --------------------------------------------------------------------------------------------------
def test_one_that_hangs_is_ended(put: Put) -> None:
    began = time.monotonic()
    assert "longer than 1 seconds" in str(failure(put("time.sleep(600)"), seconds=1))
    assert time.monotonic() - began < 6


def test_one_that_ignores_being_asked_is_ended_too(put: Put) -> None:
    text = "import signal\nfor n in (1, 2, 15):\n    signal.signal(n, signal.SIG_IGN)\nwhile True: time.sleep(1)"
    assert "longer than" in str(failure(put(text), seconds=1))


def test_one_that_counts_for_ever_is_ended(put: Put) -> None:
    words = str(failure(put("while True: pass"), seconds=1))
    assert "signal" in words or "longer than" in words  # by processor time or by the clock, whichever is first


FORKS = f"""
for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execv(sys.executable, [sys.executable, '-S', '-c', 'import time; time.sleep(300)', '{MARK}'])
        os._exit(0)
"""


@pytest.mark.parametrize("then", ["print('{}')", "time.sleep(600)", "sys.exit(1)"])
def test_what_it_leaves_behind_is_found_and_ended(put: Put, then: str) -> None:
    folder = put(FORKS + "time.sleep(0.3)\n" + then)
    began = time.monotonic()
    try:
        assert run(folder, "script", {}, seconds=2).output == {}
    except ProgramFailed:
        assert "{}" not in then
    assert time.monotonic() - began < 9
    assert alive(MARK) == []


def test_children_that_hold_its_output_open_are_not_waited_for(put: Put) -> None:
    folder = put("if os.fork() == 0:\n    os.setsid()\n    time.sleep(300)\nprint('{\"a\": 1}')")
    began = time.monotonic()
    assert run(folder, "script", {}, seconds=30).output == {"a": 1}
    assert time.monotonic() - began < 5


def test_one_that_floods_its_output_is_ended(put: Put) -> None:
    began = time.monotonic()
    assert "more than 1 MB" in str(failure(put("while True: sys.stdout.write('a' * 65536)"), seconds=20))
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    "text",
    ["for i in range(1000):\n    open(str(i), 'wb').write(b'x' * 2**20)\n    time.sleep(0.005)",
     "for i in range(10**6):\n    open(str(i), 'w').close()"],
)  # fmt: skip
def test_one_that_fills_the_disk_with_many_files_is_ended(put: Put, text: str) -> None:
    began = time.monotonic()
    assert "64 MB or 10,000 files" in str(failure(put(text), seconds=60))
    assert time.monotonic() - began < 20


def test_one_that_floods_its_log_is_kept_short(put: Put) -> None:
    ran = run(put("sys.stderr.write('b' * 5_000_000)\nprint('{}')"), "script", {})
    assert ran.log == "b" * programs.MOST_LOG


@pytest.mark.parametrize(
    "text", ["", "print('no')", "print('[1]')", "print('NaN')", "print('{\"a\": NaN}')", "print('[' * 100000)",
             "print('{}{}')", "sys.stdout.buffer.write(b'\\xff\\xfe')", "print('\"x\"')",
             "print('{\"a\": 1' + '0' * 400 + '}')"],
)  # fmt: skip
def test_junk_is_a_failure_with_words(put: Put, text: str) -> None:
    assert "JSON" in str(failure(put(text)))


def test_one_that_fails_says_how_and_its_log_is_kept(put: Put) -> None:
    failed = failure(put("print('what went wrong', file=sys.stderr)\nsys.exit(3)"))
    assert (str(failed), failed.log) == ("script ended with 3.", "what went wrong\n")
    assert "signal 9" in str(failure(put("os.kill(os.getpid(), 9)")))


def test_one_that_takes_all_memory_fails_alone(put: Put) -> None:
    assert "ended with 1" in str(failure(put("a = 'x' * (2 * 10**9)\nprint('{}')")))


def test_one_that_writes_without_end_fails_alone(put: Put) -> None:
    text = "f = open('big', 'wb')\nfor _ in range(40):\n    f.write(b'x' * 2**20)\n    f.flush()\nprint('{}')"
    assert "ended" in str(failure(put(text)))


def test_what_is_no_program_is_said_so(put: Put) -> None:
    folder = put("#!/nowhere/interpreter\n")
    assert "cannot be started" in str(failure(folder))


# -- Which may be run -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", ["../script", "/bin/sh", "a/b", "", ".", "..", ".hidden", "a b", "script\n", "x" * 200, "no"]
)
def test_a_script_is_a_plain_name_of_what_is_there(put: Put, name: str) -> None:
    folder = put("print('{}')")
    with pytest.raises(ProgramFailed):
        run(folder, name, {})


def test_what_anybody_could_have_written_is_not_run(put: Put) -> None:
    folder = put("print('{}')", mode=0o757)
    assert "chmod" in str(failure(folder))
    folder = put("print('{}')")
    folder.chmod(0o777)
    assert "chmod" in str(failure(folder))


def test_what_is_not_executable_or_leads_elsewhere_is_not_run(put: Put) -> None:
    folder = put("print('{}')", mode=0o644)
    assert "no executable" in str(failure(folder))
    (folder / "script").unlink()
    (folder / "script").symlink_to("/bin/sh")
    assert "no executable" in str(failure(folder))
    (folder / "script").unlink()
    os.mkfifo(folder / "script")
    assert stat.S_ISFIFO((folder / "script").stat().st_mode)
    assert "no executable" in str(failure(folder))
    assert installed(folder) == []
    assert installed(folder / "none") == []


def test_no_more_than_a_megabyte_is_given(put: Put) -> None:
    with pytest.raises(ProgramFailed, match="input"):
        run(put("print('{}')"), "script", {"a": "x" * 2**20})


def test_the_warden_ends_with_its_worker(put: Put, tmp_path: Path) -> None:
    """A worker that is killed leaves neither a script nor its folder behind."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    folder: Any = put(
        "os.mkdir('sub'); open('sub/kept', 'w').close()\n"
        f"os.execv(sys.executable, [sys.executable, '-S', '-c', 'import time; time.sleep(300)', '{MARK}'])"
    )
    code = (
        "import sys; sys.path.insert(0, '.')\nfrom pathlib import Path\nfrom runbooks.programs import run\n"
        f"run(Path({str(folder)!r}), 'script', {{}})"
    )
    worker = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "TMPDIR": str(temporary)})
    deadline = time.monotonic() + 20
    while not [line for line in alive(MARK) if "exec" not in line] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(MARK)
    assert len(list(temporary.glob("*/sub/kept"))) == 1
    worker.kill()
    worker.wait()
    deadline = time.monotonic() + 10
    while (alive(MARK) or any(temporary.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(MARK) == []
    assert list(temporary.iterdir()) == []
