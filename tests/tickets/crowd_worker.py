"""One process of a crowd: `python -m tests.tickets.crowd_worker TASK [ARGUMENT]…` prints what it did as JSON.

Workers wait on their standard input until all are ready, so that they begin together.
"""

import json
import random
import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import django

django.setup()

from django.contrib.auth.models import Group  # noqa: E402 - models only after setup
from django.core.exceptions import ValidationError  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from core.models import JournalEntry  # noqa: E402
from core.models.versions import Conflict  # noqa: E402
from core.verify import verify  # noqa: E402
from incidents.actions.incidents import open_incident  # noqa: E402
from incidents.models import Incident  # noqa: E402
from people.models import User  # noqa: E402
from tickets.actions import tickets as actions  # noqa: E402
from tickets.actions.bulk import change_tickets  # noqa: E402
from tickets.actions.purging import delete_branch  # noqa: E402
from tickets.actions.quick import Sprout, plant_branch  # noqa: E402
from tickets.actions.vocabulary import replace_status  # noqa: E402
from tickets.checks import broken  # noqa: E402
from tickets.models import Category, Ticket, TicketStatus  # noqa: E402
from tickets.tasks import do_chore  # noqa: E402

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def prepare() -> str:
    """Alice with one incident and one ticket; gives the incident's number."""
    alice = User.objects.create_user("alice@demo.example", "correct horse battery", username="alice", name="Alice")
    alice.groups.set(Group.objects.filter(name="Responder"))
    incident = open_incident(actor=alice, title="Ransomware", reporter=alice, commander=alice)
    actions.add_ticket(actor=alice, incident=incident, title="Beacon")
    return incident.number


def edit(number: str, first: str, many: str) -> list[dict[str, Any]]:
    """Edits of ticket 101 at once, all with version 1, each with a title and a description of its own."""
    alice, url = User.objects.get(username="alice"), f"/incidents/{number}/tickets/101/edit/"

    def one(index: int) -> dict[str, Any]:
        client = Client(SERVER_NAME="localhost")
        client.force_login(alice, backend=BACKEND)
        form = {"version": 1, "title": f"title of {index}", "description": f"words of {index}", "priority": "normal"}
        answer = client.post(url, form)
        html = answer.content.decode()
        connection.close()
        texts = [sorted({int(found) for found in re.findall(rf"{what} of (\d+)", html)}) for what in ("title", "words")]
        return {"index": index, "status": answer.status_code, "texts": texts}

    indexes = range(int(first), int(first) + int(many))
    with ThreadPoolExecutor(len(indexes)) as threads:
        return list(threads.map(one, indexes))


def state(number: str) -> dict[str, Any]:
    """The ticket, its history and the soundness of the tree, as they are now."""
    incident = Incident.objects.get(number=number)
    ticket = Ticket.objects.get(incident=incident, number=101)
    return {
        **tree(number), "title": ticket.title, "description": ticket.description, "version": ticket.version,
        "history": Ticket.history.filter(id=ticket.pk).count(),
    }  # fmt: skip


def tree(number: str) -> dict[str, Any]:
    """What the whole incident holds, the soundness of tree and journal, and history that no entry answers for."""
    incident = Incident.objects.get(number=number)
    entries = list(JournalEntry.objects.filter(stream=incident.journal_stream).values_list("verb", "history"))
    answered = {int(key) for _, rows in entries for key in rows.get(Ticket.history.model._meta.label, {})}
    rows = Ticket.history.filter(incident_id=incident.pk)
    verify()
    return {
        "verbs": dict(Counter(verb for verb, _ in entries)), "last": incident.last_ticket,
        "tickets": Ticket.objects.filter(incident=incident, parent__isnull=False).count(),
        "unanswered": len({*rows.values_list("history_id", flat=True)} - answered),
        "broken": [fault for one in Incident.objects.all() for fault in broken(one)],
    }  # fmt: skip


WAYS = {"add": 36, "move": 30, "edit": 14, "drop": 5, "plant": 4, "bulk": 7, "replace": 2, "purge": 2}
BRANCH = [Sprout(depth=depth, title="S", tags=("planted",), minutes=30) for depth in (1, 2, 2, 3)]


@dataclass
class Somebody:
    """Alice in one process of the crowd: each way of changing the tree, on tickets chosen by chance."""

    alice: User
    incident: Incident
    choose: random.Random

    def ticket(self) -> Ticket:
        return self.choose.choice(list(Ticket.objects.filter(incident=self.incident, parent__isnull=False)))

    def place(self) -> int | None:
        return self.choose.choice([None, self.ticket().number])

    def add(self) -> int:
        actions.add_ticket(actor=self.alice, incident=self.incident, title="T", parent=self.place())
        return 1

    def move(self) -> int:
        first = self.choose.random() < 0.5
        actions.move_ticket(actor=self.alice, ticket=self.ticket(), parent=self.place(), first=first)
        return 1

    def edit(self) -> int:
        one = self.ticket()
        fields = {"title": f"T {self.choose.random()}"}
        actions.edit_ticket(actor=self.alice, ticket=one, version=one.version, fields=fields)
        return 1

    def drop(self) -> int:
        return actions.drop_branch(actor=self.alice, ticket=self.ticket(), reason="Not ours.")

    def plant(self) -> int:
        return len(plant_branch(actor=self.alice, incident=self.incident, parent=self.place(), sprouts=BRANCH))

    def bulk(self) -> int:
        numbers = {self.ticket().number for _ in range(10)}
        fields = {
            "status": self.choose.choice(["doing", "open", *words()]), "due_at": None,
            "priority": self.choose.choice(["high", "normal", "low"]),
            "add_tags": self.choose.sample(["a", "b", "c", "d"], 2), "remove_tags": self.choose.sample("abcd", 2),
        }  # fmt: skip
        return len(change_tickets(actor=self.alice, incident=self.incident, numbers=numbers, fields=fields))

    def replace(self) -> int:
        """Give a status of the crowd's own, and let a worker move the tickets that have another one to it."""
        known, code = words(), f"crowd-{self.choose.getrandbits(40):x}"
        new = TicketStatus.objects.create(code=code, name=code, category=Category.DOING)
        if not known:
            return 0
        old = TicketStatus.objects.get(code=self.choose.choice(known))
        do_chore(replace_status(actor=self.alice, status=old, by=new).pk)
        return 1

    def purge(self) -> int:
        """A leaf or a small branch goes for good; a large one would leave the others nothing to do."""
        one = self.ticket()
        if one.get_descendant_count() > 5:
            return 0
        return len(delete_branch(actor=self.alice, ticket=one, reason="By order."))


def words() -> list[str]:
    """The statuses that the crowd itself has given and not yet replaced."""
    return list(TicketStatus.objects.filter(code__startswith="crowd-", active=True).values_list("code", flat=True))


def mix(number: str, seed: str, many: str) -> dict[str, int]:
    """Random changes of one tree; counts what was accepted, refused, and failed otherwise, and the tickets of each."""
    choose, counts = random.Random(int(seed)), Counter[str]()
    one = Somebody(User.objects.get(username="alice"), Incident.objects.get(number=number), choose)
    for _ in range(int(many)):
        what = choose.choices(list(WAYS), list(WAYS.values()))[0]
        try:
            touched = getattr(one, what)()
            counts[what if touched else "nothing"] += 1
            counts[f"{what}-tickets"] += touched
        except (ValidationError, Conflict) as refusal:
            counts["refused"] += 1
            gone = isinstance(refusal, ValidationError) and any("no longer in" in text for text in refusal.messages)
            print("gone" if gone else repr(refusal), file=sys.stderr)
        except Exception as error:  # noqa: BLE001 - a deadlock or a broken constraint is what is looked for
            counts["failed"] += 1
            print("FAILED", repr(error), file=sys.stderr)
    return dict(counts)


def open_many(many: str) -> list[str]:
    """Incidents declared one after the other, while other processes do the same; gives their numbers."""
    alice = User.objects.get(username="alice")
    return [open_incident(actor=alice, title="At once", reporter=alice).number for _ in range(int(many))]


TASKS = {task.__name__: task for task in (prepare, edit, state, tree, mix, open_many)}

if __name__ == "__main__":
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])), flush=True)
