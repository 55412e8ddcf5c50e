"""With the queue down work is delayed and never lost; what is done is done once; poison ends alone."""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from comms.models import Message, Notification
from core import reactions, tasks
from core.models import JournalEntry, Reaction
from core.processes import die_with_parent
from incidents.models import Incident
from people.models import User
from tests.comms.working import work_off
from tests.security.outbox_driver import ASSIGNED, POISON, REQUESTS
from tests.servers import free_port, redis
from tickets.actions import tickets as ticket_actions
from tickets.models import Ticket

pytestmark = pytest.mark.security

ROOT = Path(__file__).resolve().parent.parent.parent
DRIVER = [sys.executable, "-m", "tests.security.outbox_driver"]


class Deployment:
    """Processes that share a data folder; `redis_url` says where they look for the queue (empty: a folder)."""

    def __init__(self, folder: Path) -> None:
        self.redis_url = ""
        kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "HOME") if name in os.environ}
        self.base = {
            **kept, "DJANGO_SETTINGS_MODULE": "config.settings", "LOCAL": "on", "DEBUG": "on",
            "SECRET_KEY": secrets.token_urlsafe(60), "DATA_DIR": str(folder), "ALLOWED_HOSTS": "testserver,localhost",
        }  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        return {**self.base, "REDIS_URL": self.redis_url} if self.redis_url else self.base

    def step(self, name: str, *, dies: bool = False) -> dict[str, Any]:
        ran = subprocess.run(
            [*DRIVER, name], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if dies:
            assert ran.returncode == -9, ran.stderr[-2000:]
            return {}
        assert ran.returncode == 0, ran.stderr[-3000:]
        found: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
        return found

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        child = subprocess.Popen(
            [*DRIVER, "worker"], cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent(os.getpid()),  # noqa: PLW1509 - only calls prctl
        )  # fmt: skip
        try:
            yield child
        finally:
            child.terminate()
            try:
                child.wait(timeout=5)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def finish(self) -> dict[str, Any]:
        """Sweep as beat does, and start workers as a supervisor does, until nothing waits."""
        attending = subprocess.Popen(
            [*DRIVER, "attend"], cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        while attending.poll() is None:
            with self.worker() as child:
                while child.poll() is None and attending.poll() is None:
                    time.sleep(0.2)
        found: dict[str, Any] = json.loads(attending.communicate()[0].splitlines()[-1])
        assert not {"queued", "running"} & found["states"].keys(), found
        return found


def prove(deployment: Deployment, recover: Callable[[], None]) -> None:
    """Changes with the queue down, one process killed in the middle of a reaction, then recovery."""
    done = deployment.step("change")
    assert done["answers"] == {"302": ASSIGNED + REQUESTS}
    assert done["changes"] == ASSIGNED + REQUESTS
    waiting = deployment.step("figures")
    assert waiting["notifications"] == 0
    deployment.step("die", dies=True)
    assert deployment.step("figures")["notifications"] == 0  # the effect went with its transaction
    recover()
    found = deployment.finish()
    assert found["notifications"] == ASSIGNED
    assert found["doubled"] == 0
    assert found["messages"] == found["sent"] == found["mails"] == found["ids"]
    assert set(found["states"]) == {"done", "cancelled"}
    # The first to find the queue down may wait for the connection; core.work then leaves it alone for ten seconds.
    assert done["p99"] < 5
    assert done["slowest"] < 10
    print(
        f"G12 outbox: {done['changes']} changes with the queue down, all but one within {done['p99']:.2f} s, "
        f"slowest {done['slowest']:.2f} s, "
        f"{ASSIGNED - found['notifications']} notifications lost, {found['mails']} mails, "
        f"{found['mails'] - found['ids'] + found['doubled']} doubled"
    )


def test_a_queue_nobody_answers_loses_nothing(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path)
    deployment.step("prepare")
    deployment.redis_url = f"redis://127.0.0.1:{free_port()}/0"

    def recover() -> None:
        deployment.redis_url = ""  # the queue of a single machine; the truth is in the database anyway

    prove(deployment, recover)


@pytest.mark.services
def test_redis_down_and_up_again_loses_nothing(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path)
    with redis() as server:
        deployment.redis_url = server.url
        deployment.step("prepare")
        server.stop()
        prove(deployment, server.start)


def test_what_kills_every_worker_is_set_aside_after_three_and_the_rest_is_done(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path)
    deployment.step("prepare")
    deployment.step("add_poison")
    deployment.step("change")
    found = deployment.finish()
    assert found["poison"] == [["failed", 3, "Given up: the worker died 3 times."]]
    assert found["notifications"] == ASSIGNED
    assert found["states"]["failed"] == 1
    print(f"G13 poison: {POISON} set aside after 3 workers, {found['states']['done']} others done")


# -- Without processes of their own ------------------------------------------------------------------------------------
@pytest.fixture
def broken_handler(monkeypatch: pytest.MonkeyPatch) -> str:
    """A reaction to a ticket's assignment that always raises, after an effect that must not stay."""

    def raising(entry: JournalEntry) -> None:
        Notification.objects.all().delete()
        raise RuntimeError("no good")

    monkeypatch.setattr(reactions, "HANDLERS", {**reactions.HANDLERS})
    monkeypatch.setattr(tasks, "HANDLERS", reactions.HANDLERS)
    known = reactions._by_verb["ticket.assigned"]
    monkeypatch.setitem(reactions._by_verb, "ticket.assigned", [*known])
    reactions.on("ticket.assigned")(raising)
    return f"{raising.__module__}.{raising.__qualname__}"


def test_a_reaction_that_always_raises_fails_after_three_and_others_finish(
    alice: User, bob: User, incident: Incident, make_ticket: Callable[..., Ticket], broken_handler: str
) -> None:
    work_off()
    mail.outbox.clear()
    for number in range(10):
        ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(f"Ticket {number}"), assignee=bob)
    work_off()
    broken = list(Reaction.objects.filter(handler=broken_handler))
    for _ in range(3):
        Reaction.objects.filter(handler=broken_handler, state="queued").update(due=timezone.now())
        for reaction in broken:
            tasks.react(reaction.pk)
    ends = {(one.state, one.attempts) for one in Reaction.objects.filter(handler=broken_handler)}
    assert ends == {("failed", 3)}
    assert Reaction.objects.exclude(handler=broken_handler).exclude(state="done").count() == 0
    assert Notification.objects.filter(user=bob, kind="assigned").count() == 10
    assert len(mail.outbox) == 10


def test_a_reaction_told_ten_times_tells_bob_once(
    alice: User, bob: User, incident: Incident, make_ticket: Callable[..., Ticket]
) -> None:
    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(), assignee=bob)
    reaction = Reaction.objects.get(entry__verb="ticket.assigned", handler__startswith="comms.")
    for _ in range(10):
        tasks.react(reaction.pk)
    Reaction.objects.update(state="queued", attempts=0)  # and even if the row itself came back
    work_off()
    assert Notification.objects.filter(user=bob, kind="assigned").count() == 1
    assert Message.objects.filter(recipient=bob, entry=reaction.entry).count() == 1
