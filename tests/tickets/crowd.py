"""Many processes at once on a database of the test's own, as several web and worker hosts are."""

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import servers

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 900  # seconds


@dataclass(frozen=True)
class Crowd:
    """Processes that share a database; `environment` is theirs."""

    environment: dict[str, str]

    def one(self, *task: str) -> Any:
        """Let one process do a task; gives its answer."""
        return self.all([task])[0]

    def all(self, tasks: Sequence[Sequence[str]]) -> list[Any]:
        """Let one process for each task begin at the same moment; gives their answers."""
        workers = [self._start(*task) for task in tasks]
        try:
            for worker in workers:
                assert worker.stdout is not None
                assert worker.stdout.readline() == "ready\n", worker.communicate()[1][-3000:]
            for worker in workers:
                assert worker.stdin is not None
                worker.stdin.write("go\n")
                worker.stdin.flush()
            return [self._answer(worker) for worker in workers]
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()

    def _start(self, *task: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.tickets.crowd_worker", *task], cwd=ROOT, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    @staticmethod
    def _answer(worker: subprocess.Popen[str]) -> Any:
        out, err = worker.communicate(timeout=PATIENCE)
        assert worker.returncode == 0, err[-3000:]
        return json.loads(out.splitlines()[-1])


def standing(counts: Mapping[str, int]) -> int:
    """How many tickets a mix has left in the tree, by what its processes say."""
    return counts["add-tickets"] + counts["plant-tickets"] - counts["purge-tickets"]


@contextmanager
def crowd(folder: Path, *, sqlite: bool = False) -> Iterator[Crowd]:
    """A migrated database: a PostgreSQL server, or a file in the folder."""
    with nullcontext() if sqlite else servers.postgres() as server:
        environment = {
            **os.environ, "DATABASE_URL": server.url if server else "", "DATA_DIR": str(folder), "LOCAL": "on",
            "DJANGO_SETTINGS_MODULE": "tests.settings", "SECRET_KEY": secrets.token_urlsafe(60),
            "LOG_LEVEL": "CRITICAL",
        }  # fmt: skip
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=environment, check=True,
            timeout=PATIENCE,
        )  # fmt: skip
        yield Crowd(environment)
