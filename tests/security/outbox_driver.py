"""Steps of the outbox's proof, each a process of its own as in a deployment: -m tests.security.outbox_driver STEP.

Every step prints one line of JSON. The processes share nothing but the database, the mail folder and the queue.
"""

import json
import os
import signal
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
from django.conf import settings

ASSIGNED = 60
REQUESTS = 12
POISON = "poison"
LEASE = timedelta(seconds=5)  # instead of a minute, so that the dead are missed sooner
PATIENCE = 120.0


def _people() -> tuple[Any, Any]:
    from people.models import User  # noqa: PLC0415

    return User.objects.get(username="alice"), User.objects.get(username="bob")


def prepare() -> dict[str, object]:
    """An incident of Alice and Bob with sixty tickets; what making it woke is not part of the proof."""
    from django.contrib.auth.models import Group  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415

    from core.work import kinds  # noqa: PLC0415
    from incidents.actions import incidents, team  # noqa: PLC0415
    from people.models import User  # noqa: PLC0415
    from tickets.actions import tickets  # noqa: PLC0415

    call_command("migrate", verbosity=0)
    for name in ("alice", "bob"):
        user = User.objects.create_user(f"{name}@demo.example", username=name, name=name.capitalize())
        user.groups.set(Group.objects.filter(name="Responder"))
    alice, bob = User.objects.get(username="alice"), User.objects.get(username="bob")
    incident = incidents.open_incident(actor=alice, title="Outbox", reporter=alice, commander=alice)
    team.assign_role(actor=alice, incident=incident, user=bob, role="team_member")
    for number in range(ASSIGNED):
        tickets.add_ticket(actor=alice, incident=incident, title=f"Ticket {number}")
    for kind in kinds():
        kind._default_manager.all().delete()
    return {"incident": incident.number}


def change() -> dict[str, object]:
    """Sixty tickets given to Bob, six reports asked for and cancelled, all by requests; how long each took."""
    from django.test import Client  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from incidents.models import Incident  # noqa: PLC0415
    from reporting.models import ReportJob  # noqa: PLC0415
    from tickets.models import Ticket  # noqa: PLC0415

    alice, bob = _people()
    incident = Incident.objects.get()
    took, answers = [], Counter[int]()
    browser = Client()
    browser.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")

    def post(name: str, data: dict[str, object], **parts: object) -> None:
        began = time.monotonic()
        answers[browser.post(reverse(name, kwargs={"number": incident.number, **parts}), data).status_code] += 1
        took.append(time.monotonic() - began)

    for ticket in Ticket.objects.without_root().exclude(title=POISON):
        post("tickets:assign", {"assignee": bob.pk, "version": ticket.version}, ticket=ticket.number)
    for _ in range(REQUESTS // 2):
        post("reporting:make", {})
        post("reporting:cancel", {}, job=ReportJob.objects.latest("pk").uuid)
    return {"changes": len(took), "slowest": max(took), "p99": sorted(took)[-2], "answers": dict(answers)}


def add_poison() -> dict[str, object]:
    """One more change, with a reaction that kills whoever runs it."""
    from incidents.models import Incident  # noqa: PLC0415
    from tickets.actions import tickets  # noqa: PLC0415

    alice, _ = _people()
    tickets.add_ticket(actor=alice, incident=Incident.objects.get(), title=POISON)
    return {}


def die() -> dict[str, object]:
    """Run one reaction whose process is killed after its effect and before its end."""
    from core import tasks  # noqa: PLC0415
    from core.models import JournalEntry, Reaction  # noqa: PLC0415
    from core.reactions import HANDLERS  # noqa: PLC0415

    reaction = Reaction.objects.filter(handler__endswith="tell_the_assignee", state="queued").order_by("pk")[0]
    handler = HANDLERS[reaction.handler]

    def killed(entry: JournalEntry) -> None:
        handler(entry)
        os.kill(os.getpid(), signal.SIGKILL)

    HANDLERS[reaction.handler] = killed
    tasks.react(reaction.pk)
    return {}


def attend() -> dict[str, object]:
    """Sweep as beat does, until nothing waits; then the figures."""
    from core import work  # noqa: PLC0415

    found = figures()
    deadline = time.monotonic() + PATIENCE
    while {"queued", "running"} & dict(found["states"]).keys() and time.monotonic() < deadline:  # type: ignore[call-overload]
        work.sweep()
        time.sleep(0.5)
        found = figures()
    return found


def figures() -> dict[str, object]:
    """What is there: rows by state, notifications, messages, mails in the folder and their Message-IDs."""
    from django.db.models import Count  # noqa: PLC0415

    from comms.models import Message, Notification  # noqa: PLC0415
    from core.models import Reaction  # noqa: PLC0415
    from core.work import kinds  # noqa: PLC0415

    states = Counter[str]()
    for kind in kinds():
        states.update(kind._default_manager.values_list("state", flat=True))
    doubled = Message.objects.values("entry", "recipient", "channel").annotate(many=Count("pk")).filter(many__gt=1)
    folder = Path(settings.EMAIL_FILE_PATH)
    mails = [file.read_text() for file in folder.glob("*")] if folder.exists() else []
    ids = [line for text in mails for line in text.splitlines() if line.startswith("Message-ID:")]
    poison = Reaction.objects.filter(handler__endswith=POISON).values_list("state", "attempts", "error")
    return {
        "states": dict(states), "notifications": Notification.objects.filter(kind="assigned").count(),
        "messages": Message.objects.count(), "sent": Message.objects.filter(state="done").count(),
        "doubled": doubled.count(), "mails": len(ids), "ids": len(set(ids)), "poison": list(poison),
    }  # fmt: skip


def worker() -> dict[str, object]:
    """A real worker, which also knows the poisonous reaction; it ends only by a signal."""
    from celery import current_app  # noqa: PLC0415

    return current_app.worker_main(["worker", "--pool", "threads", "--concurrency", "1", "--loglevel", "WARNING"])


def _make_ready() -> None:
    """What every process of this deployment knows: the poisonous reaction, and leases that end soon."""
    from core.models import JournalEntry  # noqa: PLC0415
    from core.reactions import HANDLERS, on  # noqa: PLC0415
    from core.work import kinds  # noqa: PLC0415

    for kind in kinds():
        kind.lease = LEASE

    def poison(entry: JournalEntry) -> None:
        if POISON in entry.target_name:
            os.kill(os.getpid(), signal.SIGKILL)

    poison.__module__, poison.__qualname__ = "tests.security.outbox_driver", POISON
    on("ticket.added")(poison)
    assert f"tests.security.outbox_driver.{POISON}" in HANDLERS


STEPS = [prepare, change, add_poison, die, attend, figures, worker]

if __name__ == "__main__":
    django.setup()
    _make_ready()
    print(json.dumps(next(step for step in STEPS if step.__name__ == sys.argv[1])()))
