"""The demo's incidents, worked by its people through the same actions as anybody's."""

import datetime as dt
from dataclasses import dataclass, field

from config.demo import texts
from config.demo.clock import Clock, set_back
from incidents.actions import incidents as opening
from incidents.actions import lifecycle, team
from incidents.actions.links import link_incidents
from incidents.models import Incident, Role, Status
from people.models import Customer, User
from tickets.actions import comments, tickets
from tickets.models import Ticket

DISPOSITION = {"C": "confirmed", "R": "ruled_out"}


@dataclass
class Line:
    """One line of a tree as texts.py writes it."""

    depth: int
    title: str
    who: str = "-"
    state: str = "open"
    marks: frozenset[str] = frozenset()
    due: float | None = None
    waiting_for: str = ""
    said: list[tuple[str, str, bool]] = field(default_factory=list)


def read(text: str) -> list[Line]:
    """The lines of a tree, each with the comments that follow it."""
    lines: list[Line] = []
    for raw in text.strip("\n").splitlines():
        body = raw.strip()
        if body.startswith(">"):
            who, said = body.lstrip("> ").split(": ", 1)
            lines[-1].said.append((who, said, body.startswith(">>")))
            continue
        title, who, state, marks, due, waiting = (part.strip() for part in (body + " | | | | |").split("|")[:6])
        depth = (len(raw) - len(raw.lstrip())) // 2
        hours = float(due) if due else None
        lines.append(Line(depth, title, who, state, frozenset(marks.split()), hours, waiting))
    return lines


@dataclass
class Scene:
    """An incident being told: its people, its clock and the real moment the demo is loaded at."""

    people: dict[str, User]
    clock: Clock
    now: dt.datetime
    incident: Incident

    def grow(self, lines: list[Line]) -> None:
        """Add the lines as tickets, then let people work them."""
        above: list[int | None] = [None]
        made: list[tuple[Line, Ticket]] = []
        for line in lines:
            self.clock.skip(2)
            del above[line.depth + 1 :]
            ticket = tickets.add_ticket(
                actor=self.people["alice"], incident=self.incident, title=line.title, parent=above[line.depth],
                assignee=self.people.get(line.who), lead="L" in line.marks, shared="S" in line.marks,
                priority="urgent" if "U" in line.marks else "high" if "H" in line.marks else "normal",
                due_at=self.due(line),
            )  # fmt: skip
            above.append(ticket.number)
            made.append((line, ticket))
        for line, ticket in made:
            self.work(line, ticket)

    def due(self, line: Line) -> dt.datetime | None:
        """When it is due: hours from now, or for what is done a time that was met."""
        if line.due is not None:
            return self.now + dt.timedelta(hours=line.due)
        return self.clock.at + dt.timedelta(hours=8) if line.state == "done" else None

    def work(self, line: Line, ticket: Ticket) -> None:
        """What people said and did about one ticket."""
        actor = self.people.get(line.who, self.people["alice"])
        for who, text, in_report in line.said:
            self.clock.skip(4)
            said = comments.add_comment(actor=self.people[who], ticket=ticket, body=text)
            if in_report:
                comments.choose_for_report(actor=self.people["alice"], comment=said, in_report=True)
        result = next((DISPOSITION[mark] for mark in line.marks if mark in DISPOSITION), "")
        self.clock.skip(6)
        if line.state != "open":
            tickets.set_status(
                actor=actor, ticket=ticket, status=line.state, waiting_for=line.waiting_for, disposition=result
            )

    def step(self, *steps: Status) -> None:
        """Walk the life cycle."""
        for status in steps:
            self.clock.skip(25)
            self.incident = lifecycle.set_status(
                actor=self.people["alice"], incident=self.incident, status=status, reason="As it happened."
            )


def main_incident(people: dict[str, User], now: dt.datetime) -> Incident:
    """The incident of the screenshots: about forty tickets, contained, two days old."""
    began = now - dt.timedelta(days=2, hours=7, minutes=40)
    with set_back(began) as clock:
        incident = opening.open_incident(
            actor=people["mallory"], reporter=people["mallory"], title=texts.TITLE, type="unauthorized_access",
            severity="high", customer=Customer.objects.get(slug="customer-a"), detected_at=began,
            occurred_at=began - dt.timedelta(days=3, hours=21, minutes=38), detection_source="EDR import",
            summary=texts.SUMMARY, tags=["phishing", "cobalt-strike", "ad"],
        )  # fmt: skip
        clock.skip(13)
        team.take_command(actor=people["alice"], incident=incident)
        incident = lifecycle.assess_severity(
            actor=people["alice"], incident=incident, severity="critical", reason="Domain admin is lost."
        )
        for who, role in [("bob", Role.TECHNICAL), ("mallory", Role.COMMUNICATIONS),
                          ("dora", Role.SPONSOR), ("carol", Role.OBSERVER)]:  # fmt: skip
            clock.skip(3)
            team.assign_role(actor=people["alice"], incident=incident, user=people[who], role=role)
        scene = Scene(people, clock, now, incident)
        scene.step(Status.ANALYZING)
        scene.grow(read(texts.TREE))
        clock.set(began + dt.timedelta(hours=12, minutes=48))
        scene.step(Status.CONTAINED)
        clock.set(now - dt.timedelta(minutes=44))
        incident = Incident.objects.get(pk=incident.pk)
        fields = {
            "situation": texts.SITUATION,
            "affected_systems": ["WS-0147", "WS-0152", "WS-0161", "DC01", "FS02", "MX-OLD"],
            "affected_services": ["Active Directory", "File shares"], "data_types": ["HR records", "Contracts"],
            "affected_users": 1400,
            "business_impact": "Dispatching runs on paper in two depots. **38.6 GB** of files are with the attacker.",
        }  # fmt: skip
        return opening.edit_incident(actor=people["alice"], incident=incident, version=incident.version, fields=fields)


def small_incident(people: dict[str, User], now: dt.datetime, small: texts.Small) -> Incident:
    """One of the five others, each in another phase."""
    began = now - dt.timedelta(hours=small.hours_ago)
    commander = people["alice"] if small.status != Status.DETECTED else None
    with set_back(began) as clock:
        incident = opening.open_incident(
            actor=people["bob"], reporter=people["bob"], title=small.title, type=small.type, severity=small.severity,
            commander=commander, assessed=commander is not None, restricted=small.restricted,
            customer=Customer.objects.filter(slug=small.customer).first(), detected_at=began,
            tlp="TLP:RED" if small.restricted else "TLP:AMBER",
        )  # fmt: skip
        if not small.restricted:
            team.assign_role(actor=people["bob"], incident=incident, user=people["mallory"], role=Role.MEMBER)
        scene = Scene(people, clock, now, incident)
        scene.grow(read(small.tree))
        if small.status == Status.REVIEW:
            incident = Incident.objects.get(pk=incident.pk)
            fields = {"root_cause": "A key in a test fixture, pushed to a public repository."}
            opening.edit_incident(actor=people["bob"], incident=incident, version=incident.version, fields=fields)
        scene.step(*list(Status)[1 : Status(small.status).position])
    return scene.incident


def make_incidents(people: dict[str, User], now: dt.datetime) -> list[Incident]:
    """All six, oldest first, so that numbers follow the days."""
    rows = sorted(texts.SMALL, key=lambda small: -small.hours_ago)
    older = [small_incident(people, now, small) for small in rows if small.hours_ago > 56]
    main = main_incident(people, now)
    newer = [small_incident(people, now, small) for small in rows if small.hours_ago <= 56]
    link_incidents(actor=people["alice"], source=older[-1], target=main, kind="related_to")
    return [*older, main, *newer]
