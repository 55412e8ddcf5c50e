"""The warden of one script: starts it with limits, waits, and ends all that it left behind. Run by programs.py alone.

It holds no Django, no settings and no secrets. What the script starts and lets go of (double forks, sessions of their
own) becomes the warden's child, since it is a subreaper; so it can find and kill all of it without knowing how it hid.

    program_process.py PROGRAM LIMITS STATUS     LIMITS: {"seconds": …, "memory": …}; STATUS: a file descriptor

On STATUS it writes the return code of the program (negative: a signal), or "time" or "start". Told to end, as by the
kernel when the worker was killed, it removes the folder that they are in, since nobody else may be left to do so.
"""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # <linux/prctl.h>
FILE_BYTES, OPEN_FILES, MORE_PROCESSES = 16 * 2**20, 64, 64
CLEARING = 4.0  # seconds
FOLDER = "treeline-script-"


class Stopped(Exception):
    """The worker wants it ended."""


def stop(number: int, frame: FrameType | None) -> None:
    raise Stopped


def processes() -> int:
    """How many tasks this account has: the limit counts them all, of whatever program."""
    mine, found = os.getuid(), 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if entry.stat().st_uid == mine:
                    found += len(os.listdir(f"/proc/{entry.name}/task"))  # noqa: PTH208 - names alone are counted
    return found


def limit(seconds: int, memory: int) -> None:
    """Called in the child, before the program: what it may take of the machine."""
    for what, most in (
        (resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, FILE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NPROC, PROCESSES),
    ):  # fmt: skip
        hard = resource.getrlimit(what)[1]
        least = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (least, least))
    PRCTL(PR_SET_PDEATHSIG, signal.SIGKILL)


def children() -> list[int]:
    """Who is below this process now."""
    me = os.getpid()
    try:
        return [int(pid) for pid in Path(f"/proc/{me}/task/{me}/children").read_text().split()]
    except OSError:
        return []


def clear() -> None:
    """Kill and bury until nobody is left."""
    deadline = time.monotonic() + CLEARING
    while time.monotonic() < deadline:
        for pid in children():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.01)


def main(program: str, limits: dict[str, int], status: int) -> None:
    word = ""
    try:
        child = subprocess.Popen(
            [program],
            start_new_session=True,
            preexec_fn=lambda: limit(limits["seconds"], limits["memory"]),  # noqa: PLW1509 - one thread here
        )
        word = str(child.wait(limits["seconds"]))
    except subprocess.TimeoutExpired:
        word = "time"
    except (OSError, subprocess.SubprocessError):
        word = "start"
    except Stopped:
        word = "stopped"
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    clear()
    if word == "stopped" and (place := Path.cwd()).name.startswith(FOLDER):
        shutil.rmtree(place, ignore_errors=True)
    with contextlib.suppress(BrokenPipeError):
        os.write(status, word.encode())


if __name__ == "__main__":
    PRCTL = ctypes.CDLL(None).prctl  # loaded before the fork: the child only calls it
    PRCTL(PR_SET_CHILD_SUBREAPER, 1)
    PROCESSES = processes() + MORE_PROCESSES
    os.set_inheritable(int(sys.argv[3]), False)
    signal.signal(signal.SIGTERM, stop)
    main(sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3]))
