"""A small world in which every URL of the house leads somewhere: two incidents, one of them restricted, with everything
that can hang on one, and the people of the tests around them.

    world = pytest.fixture(make_world)

    def test_something(world): world.url(route, world.secret)
"""

import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.actors import SYSTEM
from core.models import JournalEntry
from incidents.actions import links
from incidents.actions.incidents import open_incident
from incidents.models import Incident, Role, RoleAssignment
from incidents.models.incidents import LinkKind
from intake.actions import imports, triage
from intake.models import Alert, ImportJob
from intake.tasks import run_import
from people.actions.invitations import invite
from people.models import Customer, User
from reporting.actions import reports
from reporting.models import ReportJob
from runbooks.actions import automations, documents, executions, versions
from runbooks.actions.runs import rate_run
from runbooks.actions.starts import run_runbook
from runbooks.models import Document
from tests.routes import Route
from tests.uploads import kept
from tickets.actions import attachments, blockers, comments, handovers, shifts, tickets, times
from tickets.models import Blocker, Ticket

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
EVE_LOG = (
    '{{"timestamp":"2026-11-20T10:00:0{n}.000000+0000","event_type":"alert","src_ip":"192.0.2.{n}","src_port":{n}000,'
    '"dest_ip":"198.51.100.7","dest_port":443,"proto":"TCP","flow_id":{n}77{n},"alert":{{"action":"allowed","gid":1,'
    '"signature_id":20{n}0,"rev":1,"signature":"Beacon {n} to a known address","category":"Malware","severity":2}}}}\n'
)
PART = re.compile(r"<\w+:(\w+)>|\(\?P<(\w+)>[^)]*\)\$?")
Values = dict[str, Any]


@dataclass
class World:
    """People by name, the incidents, and for each incident the values that URLs of its things are made with."""

    people: dict[str, User]
    incident: Incident
    secret: Incident
    other: Incident
    things: dict[int, Values] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, name: str) -> Client:
        """A browser of this person; of nobody for "nobody"."""
        if name not in self.clients:
            self.clients[name] = Client(raise_request_exception=False)
            if name != "nobody":
                self.clients[name].force_login(self.people[name], backend=BACKEND)
        return self.clients[name]

    def values(self, route: Route, incident: Incident) -> Values:
        """What stands in the route's parts when it leads to things of this incident."""
        found = self.things[incident.pk]
        return {part: found.get(f"{route.name.split(':')[0]}.{part}", found.get(part)) for part in route.parts}

    def url(self, route: Route, incident: Incident) -> str:
        """The route's address for things of this incident."""
        return address(route, self.values(route, incident))

    def missing(self, route: Route, incident: Incident, number: int = 0) -> Values:
        """Values of the same shape that never existed: the deepest part is not there, or no part at all."""
        values = self.values(route, incident)
        return {part: _never(part, value, number) for part, value in values.items()}


def address(route: Route, values: Values) -> str:
    """The path; where a route has no name, its pattern with the values put in."""
    if "/" not in route.name:
        return reverse(route.name, kwargs=values)
    return "/" + PART.sub(lambda part: str(values[part[1] or part[2]]), route.pattern)


def _never(part: str, value: Any, number: int) -> Any:
    if part == "kind":
        return value  # one of a few words, no thing that could be missing
    if part == "number":
        return f"IR-2019-0101-{number:03d}"
    if isinstance(value, uuid.UUID):
        return uuid.UUID(int=value.int ^ (number + 1))
    if part == "ticket":
        return 900 + number
    return 900_000 + number if isinstance(value, int) else f"never-{number}"


def make_world(
    *,
    alice: User, bob: User, carol: User, dora: User, mallory: User, eve: User, frank: User, auditor: User,
    admin_user: User, customer_a: Customer, incident: Incident, secret: Incident,
) -> World:  # fmt: skip
    """Everybody and everything; to be made a fixture where it is used."""
    other = open_incident(actor=alice, title="Phishing wave", reporter=bob, commander=alice)
    people = {
        "alice": alice, "bob": bob, "carol": carol, "mallory": mallory, "eve": eve, "frank": frank, "dora": dora,
        "auditor": auditor, "admin": admin_user,
    }  # fmt: skip
    world = World(people=people, incident=incident, secret=secret, other=other)
    job, document = _import(bob), _document(alice, dora)
    for number, one in enumerate((incident, secret)):
        found = _fill(one, other, alice, bob) | _run(one, document, bob)
        world.things[one.pk] = found | _around(bob, admin_user, customer_a, number, job)
    new, taken = Alert.objects.order_by("pk")[:2]
    triage.join_alert(actor=bob, alert=taken, incident=secret, alike=False)
    world.things[incident.pk]["alert"], world.things[secret.pk]["alert"] = new.pk, taken.pk
    return world


def _fill(incident: Incident, other: Incident, alice: User, bob: User) -> Values:
    ticket = tickets.add_ticket(actor=alice, incident=incident, title="Image the disk", assignee=bob, lead=True)
    tickets.add_ticket(actor=bob, incident=incident, title="Find a cable", parent=ticket.number)
    comment = comments.add_comment(actor=alice, ticket=ticket, body="The **disk** is on its way, @bob.")
    file = kept("disk.txt", b"sha256 of a disk", content_type="text/plain")
    attachment = attachments.attach_file(actor=bob, ticket=ticket, file=file)
    link = links.link_incidents(actor=alice, source=incident, target=other, kind=LinkKind.RELATED)
    role = RoleAssignment.objects.get(incident=incident, user=bob, role=Role.MEMBER, until=None)
    offer = handovers.hand_over(actor=bob, incident=incident, numbers=[ticket.number], receiver=alice, note="Nights")
    shift = shifts.write_shift(actor=bob, incident=incident, since=timezone.now(), body="## Quiet", watch="The VPN")
    blockers.block_ticket(actor=bob, ticket=ticket, by=102)
    spent = times.log_time(actor=alice, ticket=ticket, minutes=80, day=timezone.now().date(), note="On the phone")
    edited = tickets.edit_ticket(actor=alice, ticket=ticket, version=ticket.version, fields={"priority": "high"})
    entry = JournalEntry.objects.get(target_type=Ticket._meta.label, target_id=str(edited.pk), verb="ticket.edited")
    return {
        "entry": entry.seq, "blocker": Blocker.objects.get(ticket=ticket).pk, "spent": spent.pk,
        "handover": offer.pk, "shift": shift.pk,
        "number": incident.number, "part": "summary", "ticket": ticket.number, "comment": comment.pk,
        "attachment": attachment.pk, "link": link.pk, "assignment": role.pk, "reporting.job": _report(incident, alice),
        "execution": _execution(ticket, bob),
    }  # fmt: skip


def _document(alice: User, dora: User) -> Document:
    """A runbook in force."""
    body = "- [ ] Isolate {{ host }} !2h #lead\n  See [[reset-a-password]].\n"
    draft = documents.write_document(
        actor=alice, kind="runbook", slug="isolate-a-host", title="Isolate a host", body=body
    )
    versions.submit(actor=alice, draft=draft)
    return versions.approve(actor=dora, draft=draft, comment="Tried it out.").document


def _run(incident: Incident, document: Document, bob: User) -> Values:
    """A run of it that is over, and what Bob suggested after it."""
    run = run_runbook(actor=bob, incident=incident, document=document, under=None, values={"host": "FS01"})
    rate_run(actor=bob, run=run, version=1, rating=4, worked=True, suggestion="Name the switch")
    return {
        "run": run.pk, "suggestion": run.suggestions.get().pk, "runbooks.kind": document.kind,
        "runbooks.slug": document.slug, "runbooks.version": 1,
    }  # fmt: skip


def _execution(ticket: Ticket, bob: User) -> int:
    fields = {"action": "wait_for", "parameters": {"approval": "May we?"}, "needs_approval": True}
    automation = automations.set_automation(actor=bob, ticket=ticket, version=None, fields=fields)
    return executions.ask(actor=bob, automation=automation, needs_approval=True, shown={}).pk


def _report(incident: Incident, alice: User) -> uuid.UUID:
    asked = reports.request_report(actor=alice, incident=incident)
    job = ReportJob.claim(asked.pk)
    assert job is not None
    made = reports.Made(content=b"%PDF-1.7 a report", pages=1, head=(1, "0" * 64), as_of=timezone.now())
    reports.keep_report(actor=SYSTEM, job=job, made=made)
    return asked.uuid


def _import(bob: User) -> ImportJob:
    text = "".join(EVE_LOG.format(n=n) for n in range(1, 5)) + '{"broken": \n'
    file = kept("eve.json", text.encode(), content_type="application/json", folder="imports")
    job = imports.request_import(actor=bob, file=file, name="eve.json")
    run_import(job.pk)
    return ImportJob.objects.get(pk=job.pk)


def _around(bob: User, admin: User, customer: Customer, number: int, job: ImportJob) -> Values:
    invitation, token = invite(
        actor=admin, email=f"gina{number}@demo.example", name=f"Gina {number}", groups=["Responder"]
    )
    return {
        "user": bob.pk, "slug": customer.slug, "invitation": invitation.pk, "token": token, "intake.job": job.uuid,
        "key": "set-password", "uidb36": "1", "pk": 1, "object_id": str(customer.pk), "app_label": "people",
        "content_type_id": 1, "url": "nowhere",
    }  # fmt: skip
