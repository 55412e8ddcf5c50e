"""The laying-out process: HTML and CSS in, PDF out; run by reporting/pdf.py as a program, never on its own.

It holds no Django, no settings and no database, and gives its documents nothing: every address is refused, whatever
its scheme, and an audit hook of Python refuses what the libraries should never do (connect, start programs, write
files, read outside Python's and the fonts' folders) in case a way around the fetcher is found.

Standard input: JSON {"html": …, "css": …}. Standard output: the PDF. Standard error: lines of JSON: {"page": n} while
laying out, then {"pages": n} or {"refused": "libraries" | "complex" | "broken"}.
"""

import contextlib
import ctypes
import ctypes.util
import io
import json
import logging
import os
import resource
import signal
import sys
from typing import Any

MEMORY_BYTES = 640 * 2**20
"""Of address space; about 200 MB of it are libraries that cost no memory of their own."""
PDF_BYTES = 64 * 2**20
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000  # <linux/sched.h>
READABLE = (
    sys.prefix, sys.base_prefix, "/usr/share/fonts", "/usr/local/share/fonts", "/etc/fonts", "/usr/share/fontconfig",
    "/var/cache/fontconfig", "/System/Library/Fonts", "/Library/Fonts", "/opt/homebrew/share/fonts",
)  # fmt: skip
NEVER = ("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "shutil.", "urllib.", "ftplib.")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def say(**word: Any) -> None:
    """One line to the parent."""
    sys.stderr.write(json.dumps(word) + "\n")
    sys.stderr.flush()


class Pages(logging.Handler):
    """Tells the parent which page is being laid out."""

    def emit(self, record: logging.LogRecord) -> None:
        if record.args and "Page" in record.msg and isinstance(record.args, tuple):
            say(page=record.args[0])


def refuse(event: str, details: tuple[Any, ...]) -> None:
    """What no document may make us do, whatever the library believes."""
    if event.startswith(NEVER):
        raise PermissionError(f"{event} is refused")
    if event == "open":
        path, _, flags = details
        if isinstance(path, int):
            return
        place = os.path.realpath(os.fsdecode(path))
        if flags & WRITES or not place.startswith(tuple(f"{folder}{os.sep}" for folder in READABLE)):
            raise PermissionError("opening this file is refused")


def limit(seconds: int) -> None:
    """Time, memory, size; no core file; where the system lets us, a network without any way out."""
    limits = {
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_AS: MEMORY_BYTES,
        resource.RLIMIT_FSIZE: PDF_BYTES,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        with contextlib.suppress(ValueError, OSError):  # macOS knows the name RLIMIT_AS and refuses the limit
            resource.setrlimit(kind, (most, most + 5 if kind == resource.RLIMIT_CPU else most))
    signal.alarm(seconds + 5)  # in case the parent is gone and nobody else would end us
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None)
        # Not everybody may have one of their own: then the fetcher, the hook and the deployment hold the door.
        if libc.unshare(CLONE_NEWNET) != 0:
            libc.unshare(CLONE_NEWUSER | CLONE_NEWNET)


def lay_out(html: str, css: str) -> tuple[bytes, int]:
    """The PDF and its number of pages. `html` may hold anything; nothing that it names is fetched.

    Raises:
        URLFetchingError, FatalURLFetchingError: the library insisted on an address.
        RecursionError, MemoryError: too complex.
    """
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class FetchNothing(URLFetcher):  # type: ignore[misc]  # the library has no types
        """Whatever is asked for, the answer is no; data: addresses too, because none of ours has one."""

        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            raise ValueError("blocked")

    nothing = FetchNothing()
    document = HTML(string=html, base_url=None, url_fetcher=nothing, media_type="print").render(
        stylesheets=[CSS(string=css, base_url=None, url_fetcher=nothing)]
    )
    target = io.BytesIO()
    document.write_pdf(target)
    return target.getvalue(), len(document.pages)


def prepare(seconds: int) -> bool:
    """Load the library while files may still be read, then close the doors; False where it cannot be loaded."""
    if sys.platform.startswith("linux"):
        # Asked for a name that is not there, it starts the compiler; the library tries full names after that.
        ctypes.util.find_library = lambda name: None
    try:
        from weasyprint import logger
        from weasyprint.text import fonts
    except (ImportError, OSError):  # OSError is what missing pango raises
        return False
    fonts.FontConfiguration()
    logger.LOGGER.handlers[:] = [logging.NullHandler()]
    logger.PROGRESS_LOGGER.setLevel(logging.INFO)
    logger.PROGRESS_LOGGER.handlers[:] = [Pages()]
    limit(seconds)
    sys.addaudithook(refuse)
    return True


def outcome(html: str, css: str) -> tuple[bytes, dict[str, Any]]:
    """The PDF and the last word about it; an empty PDF where there is none."""
    from weasyprint.urls import FatalURLFetchingError, URLFetchingError

    try:
        content, pages = lay_out(html, css)
    except (RecursionError, MemoryError):
        return b"", {"refused": "complex"}
    except (URLFetchingError, FatalURLFetchingError, Exception):  # noqa: BLE001 (the library has no family of errors)
        return b"", {"refused": "broken"}
    return content, {"pages": pages}


def main() -> None:
    """One document, then the end."""
    asked = json.load(sys.stdin.buffer)
    if not prepare(int(sys.argv[1])):
        say(refused="libraries")
        return
    content, word = outcome(asked["html"], asked["css"])
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
    say(**word)


if __name__ == "__main__":
    main()
