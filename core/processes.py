"""Several programs run as one: their output marked by name, all ending together, nothing left behind.

Each program gets a session of its own, so Ctrl-C reaches only the parent, which then stops them in order. On Linux
the kernel sends them SIGTERM when the parent dies in any other way, `kill -9` included.
"""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType
from typing import IO

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
TICK = 0.1  # seconds between two looks at the children
MOST_STARTS, WITHIN = 5, 60.0  # a program that ends oftener than this, in seconds, is not started again


@dataclass(frozen=True)
class Program:
    """`again`: start it anew where it ends by itself; else all end with it."""

    name: str
    command: Sequence[str]
    again: bool = False


class Group:
    """The running programs. Start them once, wait, stop them: `run_together` does all three."""

    def __init__(self, *, environment: Mapping[str, str], output: IO[str]) -> None:
        self.environment = environment
        self.output = output
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.readers: list[threading.Thread] = []
        self.programs: dict[str, Program] = {}
        self.starts: dict[str, list[float]] = {}
        self.stopping = False

    def start(self, programs: Sequence[Program]) -> None:
        self.programs = {program.name: program for program in programs}
        for program in programs:
            self._fork(program)
        for program in programs:  # threads come after the last fork
            self._read(program.name)

    def _fork(self, program: Program) -> None:
        self.starts.setdefault(program.name, []).append(time.monotonic())
        self.running[program.name] = subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            bufsize=1,
            env=dict(self.environment),
            start_new_session=True,
            preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - it makes one system call and takes no lock
        )

    def _read(self, name: str) -> None:
        label = name.ljust(max(map(len, self.programs)))
        reader = threading.Thread(target=self._copy, args=(label, self.running[name].stdout), daemon=True)
        reader.start()
        self.readers.append(reader)

    def ended(self) -> str | None:
        """Name of a program that has ended, if any has."""
        return next((name for name, child in self.running.items() if child.poll() is not None), None)

    def revive(self, name: str) -> bool:
        """Start a program anew that has ended by itself; False where it may not, or ended too often of late."""
        since = time.monotonic() - WITHIN
        self.starts[name] = [at for at in self.starts[name] if at > since]
        if not self.programs[name].again or len(self.starts[name]) >= MOST_STARTS:
            return False
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.running[name].pid, signal.SIGKILL)  # what it left behind of its own
        self._fork(self.programs[name])
        self._read(name)
        return True

    def say(self, text: str) -> None:
        """A line of our own among theirs."""
        with suppress(OSError):
            self.output.write(f"{text}\n")
            self.output.flush()

    def stop(self, grace: float) -> None:
        """Ask all to end, give them `grace` seconds, then kill what is left of their sessions."""
        for child in self.running.values():
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + grace
        for child in self.running.values():
            with suppress(subprocess.TimeoutExpired):
                child.wait(timeout=max(0.0, deadline - time.monotonic()))
        for child in self.running.values():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        for reader in self.readers:
            reader.join(timeout=1)

    def _copy(self, label: str, lines: IO[str]) -> None:
        for line in lines:
            try:
                self.output.write(f"{label} | {line.rstrip()}\n")
                self.output.flush()
            except OSError:  # whoever read our output is gone: end, or the children would block on a full pipe
                self.stopping = True
                return


def run_together(
    programs: Sequence[Program],
    *,
    environment: Mapping[str, str] | None = None,
    output: IO[str] | None = None,
    grace: float = 15.0,
    while_running: Callable[[], None] = lambda: None,
) -> int:
    """Run all until SIGINT, SIGTERM or SIGHUP comes (returns 0) or one of them ends for good (returns 1).

    `while_running` is called between two looks at the children, about ten times a second.
    Only for the main thread, because only that one may handle signals.
    """
    group = Group(environment=os.environ if environment is None else environment, output=output or sys.stdout)

    def ask_to_stop(number: int, frame: FrameType | None) -> None:
        group.stopping = True

    before = {number: signal.signal(number, ask_to_stop) for number in STOP_SIGNALS}
    try:
        group.start(programs)
        return _watch(group, while_running)
    finally:
        group.stop(grace)
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(group: Group, while_running: Callable[[], None]) -> int:
    while not group.stopping:
        name = group.ended()
        if name is not None:
            code = group.running[name].returncode
            if group.revive(name):
                group.say(f"{name} ended with {code}; started again")
                continue
            group.say(f"{name} ended with {code}; stopping the rest")
            return 1
        while_running()
        time.sleep(TICK)
    return 0


def die_with_parent(parent: int, number: signal.Signals = signal.SIGTERM) -> Callable[[], None] | None:
    """What a child calls before exec (`preexec_fn`) so that Linux sends it `number` when `parent` dies; else None."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # loaded before the fork: the child only calls it

    def set_signal() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != parent:  # it died between fork and prctl
            os.kill(os.getpid(), number)

    return set_signal
