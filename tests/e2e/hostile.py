"""Plants every hostile string of the catalogue into everything that people and tools can write, past all forms.

`python -m tests.e2e.hostile` in the environment of a running Treeline; prints the paths that show them, as JSON.
"""

import json
import os
from dataclasses import replace
from pathlib import Path

import django

CATALOGUE = Path(__file__).resolve().parents[1] / "security" / "payloads.json"
TALKED_ON = 6  # tickets that all comments and files are on


def payloads() -> list[str]:
    """The hostile strings; where one would tell somebody that it was seen, it tells port 9 of this machine."""
    entries = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    texts = [entry["payload"].replace("CANARY", "9") for entry in entries if entry["group"] == "markdown_html_xss"]
    return [text.encode("utf-8", "replace").decode() for text in texts]  # no database keeps half a surrogate pair


def plant() -> list[str]:
    """Write them; gives paths."""
    from django.contrib.auth.models import Group  # noqa: PLC0415  (Django must be set up first)

    from incidents.actions import team  # noqa: PLC0415
    from incidents.actions.incidents import open_incident  # noqa: PLC0415
    from incidents.models import Role  # noqa: PLC0415
    from intake.actions.imports import request_import  # noqa: PLC0415
    from people.models import Customer, User  # noqa: PLC0415
    from tests.uploads import kept  # noqa: PLC0415
    from tickets.actions import attachments, comments, tickets  # noqa: PLC0415
    from tickets.models import Ticket  # noqa: PLC0415

    hostile, alice = payloads(), User.objects.get(username="alice")
    responders = Group.objects.get(name="Responder")
    people = []
    for number, text in enumerate(hostile):
        person = User.objects.create_user(f"h{number}@demo.example", name=text[:120], job_title=text[:120])
        person.groups.add(responders)
        people.append(person)
        Customer.objects.create(name=text[:120], slug=f"hostile-{number}", notes=text)
    case = open_incident(
        actor=alice, reporter=alice, commander=alice, title="Hostile strings", summary="\n\n".join(hostile)
    )
    numbers: list[int] = []
    other = case
    for person, text in zip(people, hostile, strict=True):
        team.assign_role(actor=alice, incident=case, user=person, role=Role.MEMBER)
        ticket = tickets.add_ticket(
            actor=person,
            incident=case,
            title=text[:200],
            description=text,
            assignee=alice if len(numbers) % 4 else person,
        )
        tickets.set_status(actor=person, ticket=ticket, status="waiting", waiting_for=text[:80])
        numbers.append(ticket.number)
        other = open_incident(
            actor=person, reporter=person, title=text[:200], summary=text, tags=[text], detection_source=text[:120],
            customer=Customer.objects.get(slug=f"hostile-{len(numbers) - 1}"),
        )  # fmt: skip
        talked = Ticket.objects.get(incident=case, number=numbers[len(numbers) % min(len(numbers), TALKED_ON)])
        comments.add_comment(actor=person, ticket=talked, body=text)
        attachments.attach_file(actor=person, ticket=talked, file=replace(kept("x", b"x"), name=text))
    lines = "\n".join(_alert(number, text) for number, text in enumerate(hostile))
    request_import(actor=alice, file=kept("eve.json", lines.encode()), name=hostile[0], format="suricata")
    one, last = f"/incidents/{case.number}/", f"/incidents/{other.number}/"
    pages = [
        "",
        "members/",
        "tree/",
        "log/",
        "log/?page=2",
        "audit/",
        "audit/?page=2",
        "audit/?page=5",
        "report/",
        "merge/",
    ]
    return [
        *(f"/?show=all&page={page}" for page in (1, 2, 3)), last, f"{last}audit/",
        *(one + page for page in pages), *(f"{one}tickets/{number}/" for number in numbers[:TALKED_ON]),
        f"{one}tickets/{numbers[0]}/edit/", f"{one}tickets/{numbers[0]}/move/", f"{one}tickets/{numbers[0]}/assign/",
        f"{one}members/add/", "/incidents/new/", "/team/", f"/team/{people[3].pk}/", "/customers/",
        "/customers/hostile-3/", "/alerts/", "/alerts/?page=2", "/intake/", "/notifications/", "/notifications/?page=2",
        "/?q=%3Csvg%2Fonload%3D1%3E",
    ]  # fmt: skip


def _alert(number: int, text: str) -> str:
    return json.dumps(
        {
            "timestamp": "2026-11-20T10:00:00.000000+0000", "event_type": "alert", "flow_id": 10_000 + number,
            "src_ip": "192.0.2.1", "dest_ip": "198.51.100.7", "proto": "TCP", "host": text,
            "http": {"hostname": text, "url": text},
            "alert": {"action": "allowed", "gid": 1, "signature_id": 7_000 + number, "rev": 1, "signature": text,
                      "category": text, "severity": 2},
        }
    )  # fmt: skip


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    print(json.dumps(plant()))
