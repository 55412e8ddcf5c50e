"""Loads what the benchmark measures on: fast, by bulk inserts, with the counts that actions would have left.

Only for an empty database of its own: nothing here passes through actions, and the journal of these rows is thin.
"""

import datetime as dt
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.core.management.color import no_style
from django.db import connection, models
from django.utils import timezone

from core.journal import seal
from core.models import JournalEntry, Stream
from incidents.models import Incident, IncidentGrant, Role, RoleAssignment, Severity, Status, Tag
from incidents.models.lifecycle import IncidentType
from incidents.models.team import PERMISSIONS
from people.models import Customer, User
from runbooks.models import Document, Version
from tickets import clocks
from tickets.models import ENDED, Comment, Ticket
from tickets.models.tickets import ROOT_NUMBER
from tickets.models.vocabulary import FIRST

DAY = dt.date(2026, 1, 1)
CATEGORY = {code: category.value for category, code in FIRST.items()}
STATES = ["open", "open", "doing", "doing", "waiting", "done", "done", "done", "dropped"]
DEEPEST = 6
BRANCH = 1000
BATCH = 1000


@dataclass
class Place:
    """People to log in as, and the customers."""

    alice: User
    mallory: User
    people: list[User]
    customers: list[Customer]


def people() -> Place:
    """Alice, Mallory, 40 more responders and 20 customers."""
    responder = Group.objects.get(name="Responder")
    found = []
    for name in ["alice", "mallory", *(f"person{n}" for n in range(40))]:
        user = User.objects.create_user(f"{name}@demo.example", username=name, name=f"{name.capitalize()} Example")
        user.groups.add(responder)
        found.append(user)
    customers = [Customer.objects.create(name=f"Customer {n}", slug=f"customer-{n}") for n in range(20)]
    return Place(alice=found[0], mallory=found[1], people=found, customers=customers)


def incidents(place: Place, count: int, *, first: int = 0, tickets: int = 5) -> list[Incident]:
    """So many more incidents, a third of them closed, one in fifty restricted, each with a small tree."""
    chance, now = random.Random(first), timezone.now()
    rows = []
    for at in range(first, first + count):
        day, status = DAY + dt.timedelta(days=at // 100), chance.choice(list(Status))
        closed = status is Status.CLOSED or chance.random() < 0.2
        rows.append(
            Incident(
                number=f"IR-{day:%Y-%m%d}-{at % 100 + 1:03d}",
                title=f"Suspicious sign-in {at}",
                summary="Somebody signed in from two countries within an hour. " * 4,
                severity=chance.choice(Severity.values),
                type=chance.choice(IncidentType.values),
                status=Status.CLOSED if closed else status,
                restricted=at % 50 == 7,
                detected_at=now - dt.timedelta(hours=at),
                closed_at=now if closed else None,
                severity_assessed_at=now if at % 9 else None,
                reporter=place.people[at % 40],
                commander=place.people[at % 40] if at % 11 else None,
                customer=place.customers[at % 20],
                last_ticket=ROOT_NUMBER + tickets,
                folded=f"suspicious sign-in {at}",
            )
        )
    made = Incident.objects.bulk_create(rows, batch_size=BATCH)
    _teams(place, made)
    for start in range(0, len(made), BATCH):
        _trees(made[start : start + BATCH], tickets, place, chance)
    return made


def _teams(place: Place, made: Sequence[Incident]) -> None:
    """The commander and two members of each, with what their roles permit."""
    now = timezone.now()
    roles, grants = [], []
    grant: Any = IncidentGrant
    known = {p.codename: p for p in Permission.objects.filter(content_type__app_label="incidents")}
    for at, incident in enumerate(made):
        team = {place.people[(at + step) % 40].pk: Role.MEMBER for step in (1, 2)}
        if incident.commander_id:
            team[incident.commander_id] = Role.COMMANDER
        for user, role in team.items():
            roles.append(RoleAssignment(incident=incident, user_id=user, role=role, since=now))
            grants += [grant(user_id=user, content_object=incident, permission=known[p]) for p in PERMISSIONS[role]]
    RoleAssignment.objects.bulk_create(roles, batch_size=BATCH)
    grant.objects.bulk_create(grants, batch_size=BATCH)


def big(place: Place, number: str, count: int) -> Incident:
    """One incident of Alice's with so many tickets, as many comments, and an entry for each."""
    now = timezone.now()
    incident = Incident(
        number=number, title=f"Ransomware with {count} tickets", status=Status.ANALYZING, severity=Severity.CRITICAL,
        severity_assessed_at=now, detected_at=now, reporter=place.alice, commander=place.alice,
        customer=place.customers[0], summary="It **spreads**.", last_ticket=ROOT_NUMBER + count, folded="ransomware",
    )  # fmt: skip
    Incident.objects.bulk_create([incident])
    _teams(place, [incident])
    _trees([incident], count, place, random.Random(count))
    rows = list(Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("pk"))
    said = [Comment(ticket=row, author=place.people[row.number % 40], body="Looked.", body_html="") for row in rows]
    Comment.objects.bulk_create(said, batch_size=BATCH)
    Ticket.objects.filter(incident=incident, parent__isnull=False).update(comments_total=1)
    _journal(incident, rows, place)
    return incident


def _trees(made: Sequence[Incident], count: int, place: Place, chance: random.Random) -> None:
    rows: list[Ticket] = []
    first = (Ticket.objects.aggregate(last=models.Max("pk"))["last"] or 0) + 1
    for incident in made:
        rows += _tree(incident, count, place, chance, first + len(rows))
    # The queryset of tickets refuses this, rightly; here keys, parents and tree numbers are computed whole.
    models.QuerySet(Ticket).bulk_create(rows, batch_size=BATCH)
    for incident in made:
        mine = [row for row in rows if row.incident_id == incident.pk and row.number != ROOT_NUMBER]
        incident.tickets_total = len(mine)
        incident.tickets_done = sum(row.category in ENDED for row in mine)
        incident.leads_total = sum(row.lead for row in mine)
        incident.leads_done = sum(row.lead and row.is_resolved for row in mine)
        incident.next_due_at = min(
            (row.clock_at for row in mine if row.clock_at and row.category not in ENDED), default=None
        )
    names = ["tickets_total", "tickets_done", "leads_total", "leads_done", "next_due_at"]
    Incident.objects.bulk_update(made, names, batch_size=200)


def _tree(incident: Incident, count: int, place: Place, chance: random.Random, first: int) -> list[Ticket]:
    """Root and tickets with keys from `first` on and nested-set numbers."""
    below: dict[int, list[int]] = {0: []}
    level = {0: 0}
    for at in range(1, count + 1):
        above = chance.choice([0, *(n for n in range(max(0, at - 40), at) if level[n] < DEEPEST)])
        if above == 0 and 1 < at <= BRANCH < count:
            above = 1  # in a large tree the first branch has a thousand tickets
        level[at] = level[above] + 1
        below[above].append(at)
        below[at] = []
    above_of = {child: above for above, children in below.items() for child in children}
    left: dict[int, int] = {}
    right: dict[int, int] = {}
    _number(0, below, left, right, 1)
    found = []
    for at in range(count + 1):
        status = chance.choice(STATES) if at else "open"
        due = timezone.now() + dt.timedelta(hours=at % 90 - 20) if at % 3 == 0 else None
        lead = bool(at) and chance.random() < 0.15
        found.append(
            Ticket(
                pk=first + at,
                parent_id=first + above_of[at] if at else None,
                incident=incident,
                number=ROOT_NUMBER + at,
                title=f"Look at host {at}" if at else incident.title,
                status=status,
                category=CATEGORY[status],
                lead=lead,
                disposition="ruled_out" if lead and status == "done" else "",
                assignee=place.people[at % 40] if at % 5 else None,
                lft=left[at],
                rght=right[at],
                level=level[at],
                tree_id=incident.pk,
                description="Ask the owner. " * 5,
                description_html="",
                due_at=due,
                finished_at=timezone.now() if CATEGORY[status] in ENDED else None,
            )
        )
        for name, value in clocks.wound(found[-1], clocks.NO_TARGET).items():
            setattr(found[-1], name, value)
    return found


def _number(at: int, below: dict[int, list[int]], left: dict[int, int], right: dict[int, int], number: int) -> int:
    left[at] = number
    number += 1
    for child in below[at]:
        number = _number(child, below, left, right, number)
    right[at] = number
    return number + 1


def _journal(incident: Incident, rows: Sequence[Ticket], place: Place) -> None:
    """One sealed entry for each ticket."""
    entries, before = [], ""
    for seq, row in enumerate(rows, 1):
        user = place.people[seq % 40]
        entry = JournalEntry(
            stream=incident.journal_stream, seq=seq, at=timezone.now(), verb="ticket.added", data={"parent": None},
            prev_hash=before, actor_kind="user", actor_id=user.pk, actor_name=user.actor_name,
            target_type=Ticket._meta.label, target_id=str(row.pk), target_name=str(row),
        )  # fmt: skip
        before = entry.hash = seal(entry)
        entries.append(entry)
    JournalEntry.objects.bulk_create(entries, batch_size=BATCH)
    Stream.objects.create(name=incident.journal_stream, seq=len(entries), hash=before)


def documents(place: Place, count: int, *, first: int = 0) -> None:
    """So many more runbooks of 40 steps in force, each with two tags."""
    body = "".join(f"- [ ] Step {n} of what has to be done now @technical_lead !2h\n" for n in range(40))
    tags = [Tag.objects.get_or_create(name=f"word-{n}")[0] for n in range(20)]
    made = Document.objects.bulk_create(
        Document(
            kind="runbook", slug=f"runbook-{n}", title=f"Runbook {n}", summary="What to do.",
            owner=place.people[n % 40], folded=f"runbook {n}\n{body}".casefold(), review_due=DAY + dt.timedelta(days=n),
        )
        for n in range(first, first + count)
    )  # fmt: skip
    texts = [Version(document=one, number=1, body=body, state="active", author=one.owner) for one in made]
    for one, text in zip(made, Version.objects.bulk_create(texts), strict=True):
        one.active = text
    Document.objects.bulk_update(made, ["active"], batch_size=200)
    through = Document.tags.through
    pairs = [(one, tags[(at + step) % 20]) for at, one in enumerate(made) for step in (0, 7)]
    through.objects.bulk_create(through(document=one, tag=tag) for one, tag in pairs)


def settle() -> None:
    """Let the database know what it holds now."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Ticket]):
            cursor.execute(statement)
        cursor.execute("ANALYZE")
