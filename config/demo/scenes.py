"""An incident being told: its people work the lines of its tree, in the order of their hours."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field

from config.demo.clock import Clock
from config.demo.lines import Line
from incidents.actions import lifecycle
from incidents.models import Incident, Status
from people.models import User
from tickets.actions import blockers, comments, headlines, tags, tickets, times, watches
from tickets.models import Ticket

DISPOSITION = {"C": "confirmed", "R": "ruled_out", "E": "dead_end", "K": "parked"}
PRIORITY = {"U": "urgent", "H": "high"}
LATER = 1000.0  # hours: after everything


@dataclass
class Scene:
    """Its people, its clock, the real moment the demo is loaded at, and the tickets so far by their titles."""

    people: dict[str, User]
    clock: Clock
    now: dt.datetime
    incident: Incident
    began: dt.datetime
    numbers: dict[str, int] = field(default_factory=dict)

    def grow(self, lines: list[Line], *, since: float = 0.0, until: float = LATER) -> None:
        """Add and work the lines whose hours are in this time: at each hour first all that is added, then the work."""
        parents = _parents(lines)
        steps: list[tuple[float, int, int, Callable[[], None]]] = []
        for at, line in enumerate(lines):
            steps.append((line.added, 0, at, lambda line=line, at=at: self.add(line, parents[at])))  # type: ignore[misc]
            steps.append((line.worked, 1, at, lambda line=line: self.work(line)))  # type: ignore[misc]
        for hours, _, _, do in sorted(steps, key=lambda step: step[:3]):
            if since <= hours < until:
                self.clock.set(self.began + dt.timedelta(hours=hours))
                do()

    def add(self, line: Line, parent: Line | None) -> None:
        """Add a line as a ticket."""
        self.clock.skip(2)
        made = tickets.add_ticket(
            actor=self.people["alice"], incident=self.incident, title=line.title,
            parent=self.numbers[parent.title] if parent else None, assignee=self.people.get(line.who),
            lead="L" in line.marks, shared="S" in line.marks, due_at=self.due(line), hypothesis=line.hypothesis,
            priority=next((PRIORITY[mark] for mark in PRIORITY if mark in line.marks), "normal"),
            origin=self.numbers[line.grew_from] if line.grew_from else None,
        )  # fmt: skip
        self.numbers[line.title] = made.number

    def due(self, line: Line) -> dt.datetime | None:
        """When it is due: hours from now, or for what is done a time that was met."""
        if line.due is not None:
            return self.now + dt.timedelta(hours=line.due)
        worked = self.began + dt.timedelta(hours=line.worked)
        return max(self.clock.at, worked) + dt.timedelta(hours=8) if line.state == "done" else None

    def ticket(self, title: str) -> Ticket:
        """The ticket as it is now."""
        return Ticket.objects.get(incident=self.incident, number=self.numbers[title])

    def work(self, line: Line) -> None:
        """What people said and did about one ticket."""
        actor, ticket = self.people.get(line.who, self.people["alice"]), self.ticket(line.title)
        for who, text, in_report in line.said:
            self.clock.skip(4)
            said = comments.add_comment(actor=self.people[who], ticket=ticket, body=text)
            if in_report:
                comments.choose_for_report(actor=self.people["alice"], comment=said, in_report=True)
        if line.tags:
            tags.set_tags(actor=actor, ticket=ticket, tags=line.tags)
        for who in line.watchers:
            watches.watch_ticket(actor=self.people[who], ticket=ticket)
        for title in line.waits_for:
            blockers.block_ticket(actor=actor, ticket=ticket, by=self.numbers[title])
        self.clock.skip(6)
        if line.state != "open":
            result = next((DISPOSITION[mark] for mark in line.marks if mark in DISPOSITION), "")
            tickets.set_status(
                actor=actor, ticket=ticket, status=line.state, waiting_for=line.waiting_for, disposition=result,
                disposition_reason=line.reason,
            )  # fmt: skip
        for who, minutes, note in line.times:
            times.log_time(
                actor=self.people[who], ticket=ticket, minutes=minutes, day=self.clock.at.date(), note=note
            )  # fmt: skip

    def sum_up(self, lines: list[Line]) -> None:
        """Let the owners of branches write how they stand."""
        for line in lines:
            if line.headline:
                self.clock.skip(0.5)
                owner, ticket = self.people.get(line.who, self.people["alice"]), self.ticket(line.title)
                headlines.set_headline(actor=owner, ticket=ticket, version=ticket.version, headline=line.headline)

    def step(self, *steps: Status) -> None:
        """Walk the life cycle."""
        for status in steps:
            self.clock.skip(25)
            self.incident = lifecycle.set_status(
                actor=self.people["alice"], incident=self.incident, status=status, reason="As it happened."
            )


def _parents(lines: list[Line]) -> list[Line | None]:
    above: list[Line] = []
    found: list[Line | None] = []
    for line in lines:
        del above[line.depth :]
        found.append(above[-1] if above else None)
        above.append(line)
    return found
