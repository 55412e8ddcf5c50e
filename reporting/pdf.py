"""The one door to PDF: HTML of ours goes into a process of its own, a PDF or a sentence comes out.

That process (reporting/pdf_process.py) holds no settings and no secrets, fetches nothing, and has limits of processor
time, memory and size. What goes over them ends it, and only it.
"""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
MISSING = f"PDF needs libraries that this server lacks. On Debian: apt-get install {PACKAGES}"
TOO_COMPLEX = "The report is too complex to lay out. Choose fewer comments, or shorten the longest texts."
SECONDS = 30
TICK = 0.25  # seconds between two looks at whether the work is still wanted

Progress = Callable[[int], bool]


class Refused(Exception):
    """This document cannot become a PDF here, now or later; the message is for the person who asked."""


class Died(Exception):
    """The process was ended from outside (killed, or the machine ran out of memory): worth another attempt."""


class Unwanted(Exception):
    """The work was cancelled while it was done."""


@dataclass(frozen=True)
class Pdf:
    """A finished document."""

    content: bytes
    pages: int


def available() -> bool:
    """Whether the libraries that draw text are installed."""
    return all(find_library(name) for name in ("pango-1.0", "pangoft2-1.0"))


def environment() -> dict[str, str]:
    """No secrets where hostile text is laid out: only what a Python built elsewhere needs, and a home that is none."""
    kept = {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}
    return {**kept, "HOME": "/nonexistent"}


def make(html: str, *, css: str, progress: Progress = lambda page: True, seconds: int = 0) -> Pdf:
    """Lay out a page of ours with a style sheet of ours.

    `progress` is told the page being laid out (0 before the first) several times a second; False stops the work.
    `seconds` is how long it may take, SECONDS unless given.

    Raises:
        Refused: too complex for the limits, broken, or the libraries are missing.
        Died, Unwanted: see there.
    """
    seconds = seconds or SECONDS
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(json.dumps({"html": html, "css": css}).encode())
        source.seek(0)
        program = Path(__file__).with_name("pdf_process.py")
        child = subprocess.Popen(
            [sys.executable, "-I", str(program), str(seconds)],
            stdin=source,
            stdout=target,
            stderr=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
            env=environment(),
        )
        try:
            said = _watch(child, progress=progress, deadline=time.monotonic() + seconds)
        finally:
            _end(child)
        return _result(child.returncode, said, target)


def _watch(child: subprocess.Popen[bytes], *, progress: Progress, deadline: float) -> dict[str, Any]:
    """Follow the child's lines of JSON until it closes them; gives its last word."""
    page, rest = 0, b""
    said: dict[str, Any] = {}
    pipe = child.stderr
    assert pipe is not None  # noqa: S101 (asked for above)
    while True:
        if time.monotonic() > deadline:
            raise Refused(TOO_COMPLEX)
        if not progress(page):
            raise Unwanted
        if not select.select([pipe], [], [], TICK)[0]:
            continue
        part = os.read(pipe.fileno(), 65536)
        if not part:
            with contextlib.suppress(subprocess.TimeoutExpired):  # then it is killed, as one that died
                child.wait(timeout=5)
            return said
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            word = _word(line)
            page = word.get("page", page)
            said = word if word.keys() & {"pages", "refused"} else said


def _word(line: bytes) -> dict[str, Any]:
    """One line of the child; libraries below it may write others, which say nothing to us."""
    with contextlib.suppress(ValueError):
        word = json.loads(line)
        if isinstance(word, dict):
            return word
    return {}


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.kill()
        child.wait()
    if child.stderr is not None:
        child.stderr.close()


def _result(code: int, said: dict[str, Any], target: IO[bytes]) -> Pdf:
    if said.get("refused") == "libraries":
        raise Refused(MISSING)
    if "refused" in said:
        raise Refused(TOO_COMPLEX if said["refused"] == "complex" else "The report could not be laid out.")
    if code == -signal.SIGKILL:
        raise Died("The process that lays out pages was killed.")
    if code or "pages" not in said:  # a signal of its own limits: processor time, memory, file size
        raise Refused(TOO_COMPLEX)
    target.seek(0)
    return Pdf(content=target.read(), pages=said["pages"])
