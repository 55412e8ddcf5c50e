"""One process of a crowd: `python -m tests.tickets.crowd_worker TASK [ARGUMENT]…` prints what it did as JSON.

Workers wait on their standard input until all are ready, so that they begin together.
"""

import json
import random
import re
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django

django.setup()

from django.contrib.auth.models import Group  # noqa: E402 - models only after setup
from django.core.exceptions import ValidationError  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402

from core.models import JournalEntry  # noqa: E402
from core.models.versions import Conflict  # noqa: E402
from incidents.actions.incidents import open_incident  # noqa: E402
from incidents.models import Incident  # noqa: E402
from people.models import User  # noqa: E402
from tickets.actions import tickets as actions  # noqa: E402
from tickets.checks import broken  # noqa: E402
from tickets.models import Ticket  # noqa: E402

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
    entries = list(JournalEntry.objects.filter(stream=incident.journal_stream).values_list("verb", "data"))
    return {
        "title": ticket.title, "description": ticket.description, "version": ticket.version,
        "history": Ticket.history.filter(id=ticket.pk).count(), "verbs": dict(Counter(verb for verb, _ in entries)),
        "dropped": sum(len(data["tickets"]) for verb, data in entries if verb == "ticket.branch_dropped"),
        "rows": Ticket.history.filter(incident_id=incident.pk).count(),
        "tickets": Ticket.objects.filter(incident=incident, parent__isnull=False).count(), "last": incident.last_ticket,
        "broken": [fault for one in Incident.objects.all() for fault in broken(one)],
    }  # fmt: skip


def mix(number: str, seed: str, many: str) -> dict[str, int]:
    """Random additions, moves, edits and drops in one tree; counts what was accepted, refused, and failed otherwise."""
    choose, counts = random.Random(int(seed)), Counter[str]()
    alice, incident = User.objects.get(username="alice"), Incident.objects.get(number=number)
    for _ in range(int(many)):
        what = choose.choices(["add", "move", "edit", "drop"], [40, 38, 16, 6])[0]
        known = list(Ticket.objects.filter(incident=incident, parent__isnull=False))
        one, other = choose.choice(known), choose.choice(known)
        try:
            if what == "add":
                actions.add_ticket(
                    actor=alice, incident=incident, title="T", parent=choose.choice([None, other.number])
                )
            elif what == "move":
                parent, first = choose.choice([None, other.number]), choose.random() < 0.5
                actions.move_ticket(actor=alice, ticket=one, parent=parent, first=first)
            elif what == "edit":
                title = f"T {choose.random()}"
                actions.edit_ticket(actor=alice, ticket=one, version=one.version, fields={"title": title})
            elif not actions.drop_branch(actor=alice, ticket=one, reason="Not ours."):
                what = "nothing"  # all of it was dropped before
            counts[what] += 1
        except (ValidationError, Conflict):
            counts["refused"] += 1
        except Exception as error:  # noqa: BLE001 - a deadlock or a broken constraint is what is looked for
            counts["failed"] += 1
            print(repr(error), file=sys.stderr)
    return dict(counts)


def open_many(many: str) -> list[str]:
    """Incidents declared one after the other, while other processes do the same; gives their numbers."""
    alice = User.objects.get(username="alice")
    return [open_incident(actor=alice, title="At once", reporter=alice).number for _ in range(int(many))]


TASKS = {task.__name__: task for task in (prepare, edit, state, mix, open_many)}

if __name__ == "__main__":
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(TASKS[sys.argv[1]](*sys.argv[2:])), flush=True)
