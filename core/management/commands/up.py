"""The whole product on one machine: prepare the database, then web, worker and beat until Ctrl-C."""

import hashlib
import http.client
import os
import socket
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from core.processes import Program, run_together

# Two processes with four threads each answer fastest on two cores; the environment may say otherwise.
WEB_DEFAULTS = {"GRANIAN_WORKERS": "2", "GRANIAN_BLOCKING_THREADS": "4"}


class Command(BaseCommand):
    help = "Prepare the database and run web, worker and beat together."
    requires_system_checks = ()  # migrate runs them, after the database is there

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, *args: object, **options: Any) -> None:
        host, port = options["host"], options["port"]
        require_free(host, port)
        prepare(say=self.say)
        greet = Greeting(host=host, port=port, say=self.say)
        code = run_together(
            programs(host=host, port=port),
            environment={**WEB_DEFAULTS, "PYTHONUNBUFFERED": "1", **os.environ},
            while_running=greet.when_ready,
        )
        if code:
            sys.exit(code)

    def say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def programs(*, host: str, port: int) -> list[Program]:
    python, celery = sys.executable, [sys.executable, "-m", "celery", "--quiet", "-A", "config"]
    listen = ["--interface", "wsgi", "--no-ws", "--host", host, "--port", str(port)]
    return [
        Program("web", [python, "-m", "granian", *listen, "config.wsgi:application"]),
        Program("worker", [*celery, "worker", "-P", "threads", "-c", "4", "--loglevel", "WARNING"], again=True),
        # No pid file: one that a killed beat left behind would stop the next from starting.
        Program(
            "beat", [*celery, "beat", "--pidfile=", "--schedule", str(settings.DATA_DIR / "beat-schedule")], again=True
        ),
    ]


def require_free(host: str, port: int) -> None:
    """The web server shares ports (SO_REUSEPORT), so a second one would start and get half of the requests."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"Cannot listen on {host}:{port} ({error.strerror})."
            raise CommandError(f"{reason} Try: make run PORT={port + 1}") from error


def prepare(*, say: Callable[[str], None]) -> None:
    """Migrate, collect static files, load the library, and the demo into an empty database; quick when it is done."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    collect_static()
    call_command("load_library", stdout=StringIO())
    if settings.DEMO and not get_user_model().objects.exists():
        say("Loading the demo data …")
        printed = StringIO()
        call_command("demo", stdout=printed)
        write_private(logins_file(), printed.getvalue())


def collect_static() -> None:
    """Collect and compress static files if one was added, removed or changed since the last time."""
    stamp = Path(settings.STATIC_ROOT) / ".collected-from"
    wanted = static_fingerprint()
    if stamp.exists() and stamp.read_text(encoding="ascii") == wanted:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(wanted, encoding="ascii")


def static_fingerprint() -> str:
    """SHA-256 over name, size and time of every file that would be collected."""
    digest = hashlib.sha256(str(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            about = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{about.st_size}\0{about.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def logins_file() -> Path:
    """Where the demo's logins are kept, to be shown again at the next start."""
    return Path(settings.DATA_DIR) / "demo-logins.txt"


def write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


class Greeting:
    """Says where Treeline is, once, as soon as its web server answers."""

    def __init__(self, *, host: str, port: int, say: Callable[[str], None]) -> None:
        self.host, self.port, self.say = host, port, say
        self.said = False

    def when_ready(self) -> None:
        if self.said or not self.answers():
            return
        self.said = True
        if settings.DEMO and logins_file().exists():
            self.say(f"\n{logins_file().read_text(encoding='utf-8').strip()}")
        self.say(f"\nTreeline is ready at {settings.BASE_URL}/ (Ctrl-C stops it)\n")

    def answers(self) -> bool:
        """Any answer but a server error counts: behind https the address redirects."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        connection = http.client.HTTPConnection(host, self.port, timeout=2)
        try:
            connection.request("GET", "/health/live", headers={"Host": urlsplit(settings.BASE_URL).netloc})
            return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
