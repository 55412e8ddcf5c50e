"""Scripts and analyzers: executables that an admin has put into one folder. JSON on standard input, JSON on its output.

A program gets PATH and LANG and nothing else, an empty folder to work in, no shell, and limits of time, memory and
size. It runs below a warden (program_process.py), which ends whatever it leaves behind, also what went into a session
of its own. Nothing here waits for a pipe that somebody else might still hold.
"""

import contextlib
import json
import os
import re
import selectors
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.processes import die_with_parent
from runbooks.program_process import FOLDER
from runbooks.values import ExpressionError, plain

SECONDS = 60
MEMORY_BYTES = 512 * 2**20
MOST_IN, MOST_OUT, MOST_LOG = 2**20, 2**20, 4 * 1024
MOST_DISK, MOST_FILES = 64 * 2**20, 10_000  # in its folder, all together
LOOK = 0.2  # seconds between two looks at its folder
GRACE = 5.0  # seconds that the warden has to clear up
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
WARDEN = Path(__file__).with_name("program_process.py")


class ProgramFailed(Exception):
    """The program did not do what it should; the text is for people, `log` what it wrote to standard error."""

    def __init__(self, text: str, log: str = "") -> None:
        super().__init__(text)
        self.log = log


@dataclass(frozen=True)
class Ran:
    """What it said: its JSON, and what it wrote to standard error (the first 4 kB)."""

    output: dict[str, Any]
    log: str


def installed(folder: Path) -> list[str]:
    """Names of the programs that can be run, in order."""
    if not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.iterdir()):
        with contextlib.suppress(ProgramFailed):
            found.append(program(folder, path.name).name)
    return found


def program(folder: Path, name: str) -> Path:
    """The executable of this name.

    Raises:
        ProgramFailed: there is none, or somebody else than the admin could have put it there.
    """
    if not NAME.fullmatch(name):
        raise ProgramFailed("A script is named by letters, digits, dots, - and _, without a path.")
    path = folder / name
    try:
        folder_mode, mode = folder.stat().st_mode, path.lstat().st_mode
    except OSError as problem:
        raise ProgramFailed(f"There is no script named {name}.") from problem
    if not stat.S_ISREG(mode) or not os.access(path, os.X_OK):
        raise ProgramFailed(f"{name} is no executable file.")
    if (folder_mode | mode) & stat.S_IWOTH:
        raise ProgramFailed(f"{name} or its folder can be written by every account of the machine: chmod o-w.")
    return path


def run(folder: Path, name: str, payload: dict[str, Any], *, seconds: int = SECONDS) -> Ran:
    """Run it and wait for its answer.

    Raises:
        ProgramFailed: there is no such program, it took too long, wrote too much, ended with an error, or its answer is
            no JSON object.
    """
    path = program(folder, name)
    given = json.dumps(payload, ensure_ascii=False).encode()
    if len(given) > MOST_IN:
        raise ProgramFailed("The input is larger than 1 MB.")
    limits = {"seconds": seconds, "memory": MEMORY_BYTES}
    with _folder() as place, _status() as (reader, writer):
        child = subprocess.Popen(
            [sys.executable, "-I", "-S", str(WARDEN), str(path), json.dumps(limits), str(writer)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=place,
            env=environment(place),
            pass_fds=[writer],
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - it makes one system call and takes no lock
        )
        os.close(writer)
        try:
            said, log, ended = _talk(child, given, time.monotonic() + seconds + GRACE, place)
        finally:
            _end(child)
        word = _word(reader)
    return _result(name, said, log, ended or word, seconds)


def environment(place: str) -> dict[str, str]:
    """Nothing of ours: no database, no key. LD_LIBRARY_PATH only where this Python itself needs it."""
    kept = {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}
    return {**kept, "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": place, "TMPDIR": place}


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    """An empty folder, gone at the end with all that is in it, however deep."""
    place = tempfile.mkdtemp(prefix=FOLDER)
    try:
        yield place
    finally:
        try:
            shutil.rmtree(place)
        except (OSError, RecursionError):  # deeper than Python goes, or closed even to its owner
            subprocess.run(["chmod", "-R", "u+rwx", place], stderr=subprocess.DEVNULL, check=False)  # noqa: S607
            subprocess.run(["rm", "-rf", "--", place], stderr=subprocess.DEVNULL, check=False)  # noqa: S607


def _is_too_much(place: str) -> bool:
    """Whether it has written more than it may. What cannot be looked at is not counted."""
    folders, files, size = [place], 0, 0
    while folders:
        with contextlib.suppress(OSError), os.scandir(folders.pop()) as found:
            for entry in found:
                files += 1
                size += entry.stat(follow_symlinks=False).st_blocks * 512
                if size > MOST_DISK or files > MOST_FILES:
                    return True
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
    return False


@contextlib.contextmanager
def _status() -> Iterator[tuple[int, int]]:
    """A pipe on which the warden says how it ended; who uses it closes the second end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    try:
        yield reader, writer
    finally:
        os.close(reader)


class _Watch:
    """Looks at what it writes, at its folder now and then."""

    def __init__(self, place: str) -> None:
        self.place, self.next = place, time.monotonic() + LOOK

    def why(self, out: bytearray) -> str:
        """Why it has to end, as in WORDS; empty where it need not."""
        if len(out) > MOST_OUT:
            return "flood"
        if time.monotonic() < self.next:
            return ""
        is_too_much, self.next = _is_too_much(self.place), time.monotonic() + LOOK
        return "disk" if is_too_much else ""


def _talk(child: subprocess.Popen[bytes], given: bytes, deadline: float, place: str) -> tuple[bytes, bytes, str]:
    """Feed it and read it until the warden has ended or time is up; why it has to end before that, as in WORDS."""
    assert child.stdin is not None  # noqa: S101 (asked for above, all three)
    assert child.stdout is not None  # noqa: S101
    assert child.stderr is not None  # noqa: S101
    said: dict[int, bytearray] = {child.stdout.fileno(): bytearray(), child.stderr.fileno(): bytearray()}
    out, err = said
    left, watch = memoryview(given), _Watch(place)
    with selectors.DefaultSelector() as selector:
        for pipe, event in ((child.stdin, selectors.EVENT_WRITE), (child.stdout, 1), (child.stderr, 1)):
            os.set_blocking(pipe.fileno(), False)
            selector.register(pipe, event)
        while child.poll() is None and time.monotonic() < deadline:
            for key, _ in selector.select(0.1):
                if key.fileobj is child.stdin:
                    left = _write(child, left, selector.unregister)
                elif not _read(key.fd, said[key.fd], MOST_OUT if key.fd == out else MOST_LOG):
                    selector.unregister(key.fileobj)
            if why := watch.why(said[out]):
                return bytes(said[out]), bytes(said[err]), why
        for fd, found in said.items():  # what is still in the pipes; nobody is waited for
            while len(found) <= MOST_OUT and _read(fd, found, MOST_OUT if fd == out else MOST_LOG, quiet=True):
                pass
    return bytes(said[out]), bytes(said[err]), "flood" if len(said[out]) > MOST_OUT else ""


def _write(child: subprocess.Popen[bytes], left: memoryview, done: Callable[[Any], Any]) -> memoryview:
    assert child.stdin  # noqa: S101 (asked for above)
    try:
        left = left[os.write(child.stdin.fileno(), left[:65536]) :] if left else left
    except BlockingIOError:
        return left
    except OSError:  # it does not want to know
        left = left[len(left) :]
    if not left:
        done(child.stdin)
        with contextlib.suppress(OSError):
            child.stdin.close()
    return left


def _read(fd: int, found: bytearray, most: int, *, quiet: bool = False) -> bool:
    """Read what there is, keep at most one byte more than `most`; False at the end (or where nothing is there)."""
    try:
        part = os.read(fd, 65536)
    except BlockingIOError:
        return not quiet
    except OSError:
        return False
    found += part[: max(0, most + 1 - len(found))]
    return bool(part)


def _end(child: subprocess.Popen[bytes]) -> None:
    """End the warden, which ends all below it; then whatever it could not."""
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(GRACE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, 9)
    child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _word(reader: int) -> str:
    """How it ended, as the warden says: a return code, or a word."""
    try:
        return os.read(reader, 100).decode("ascii", "replace")
    except OSError:
        return ""


WORDS = {
    "flood": "{name} wrote more than 1 MB.",
    "disk": "{name} wrote more than 64 MB or 10,000 files into its folder.",
    "time": "{name} took longer than {seconds} seconds.",
    "start": "{name} cannot be started: it is no program of this machine.",
    "": "{name} was ended from outside.",
}


def _result(name: str, said: bytes, log: bytes, word: str, seconds: int) -> Ran:
    text = log[:MOST_LOG].decode("utf-8", "replace").replace("\x00", "")
    if word in WORDS:
        raise ProgramFailed(WORDS[word].format(name=name, seconds=seconds), text)
    if word != "0":
        why = f"was ended by signal {word[1:]}" if word.startswith("-") else f"ended with {word}"
        raise ProgramFailed(f"{name} {why}.", text)
    try:
        found = plain(json.loads(said.decode("utf-8"), parse_constant=_no_number))
    except (ValueError, RecursionError, ExpressionError) as problem:
        raise ProgramFailed(f"{name} did not answer with JSON that can be kept.", text) from problem
    if not isinstance(found, dict):
        raise ProgramFailed(f"{name} answered with JSON, but not with an object.", text)
    return Ran(found, text)


def _no_number(word: str) -> None:
    raise ValueError(word)
