"""Whatever people do, in whatever order, the tree of an incident stays sound, and so does its journal."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import verify
from core.models import JournalEntry
from core.models.versions import Conflict
from incidents.models import Incident
from people.models import User
from tests.conftest import MakeUser
from tickets.actions import blockers, bulk, leads, purging, quick, undo
from tickets.actions import tickets as actions
from tickets.checks import broken
from tickets.models import Blocker, Ticket

MOST = 24
STEP = st.tuples(st.integers(0, 12), st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))
STATUSES = ["open", "doing", "waiting", "done", "dropped"]
Do = Callable[..., Any]


class Work:
    """Alice at work in one incident; each method is one thing that people do, chosen and aimed by numbers."""

    def __init__(self, alice: User, admin: User, incident: Incident) -> None:
        self.alice, self.admin, self.incident = alice, admin, incident
        self.does: list[Do] = [
            self.add, self.add, self.plant, self.move, self.beside, self.move_several, self.state,
            self.state_of_several, self.lead, self.block, self.drop, self.undo, self.purge,
        ]  # fmt: skip

    def one(self, at: int) -> Ticket | None:
        found = list(Ticket.objects.filter(incident=self.incident).without_root().order_by("number"))
        return found[at % len(found)] if found else None

    def add(self, a: int, b: int, c: int) -> None:
        above = self.one(a) if b % 4 else None
        actions.add_ticket(
            actor=self.alice, incident=self.incident, title="T", parent=above and above.number, lead=c % 5 == 0,
            priority="urgent" if c % 3 else "low",
        )  # fmt: skip

    def plant(self, a: int, b: int, c: int) -> None:
        above, depth, sprouts = self.one(a), 1, []
        for step in range(1 + b % 5):
            sprouts.append(
                quick.Sprout(depth=depth, title="P", done=(b + step) % 3 == 0, minutes=30 if c % 2 else None)
            )
            depth = depth + 1 if (c >> step) % 2 else max(1, depth - 1)
        quick.plant_branch(
            actor=self.alice, incident=self.incident, parent=above.number if above and a % 3 else None, sprouts=sprouts
        )

    def move(self, a: int, b: int, c: int) -> None:
        one, two = self.one(a), self.one(b)
        if one and two:
            actions.move_ticket(actor=self.alice, ticket=one, parent=two.number if c % 4 else None, first=c % 2 == 0)

    def beside(self, a: int, b: int, c: int) -> None:
        one, two = self.one(a), self.one(b)
        if one and two and two.parent:
            above = two.parent.number if two.parent.parent_id else None
            where = {"before": two.number} if c % 2 else {"after": two.number}
            actions.move_ticket(actor=self.alice, ticket=one, parent=above, **where)  # type: ignore[arg-type]

    def move_several(self, a: int, b: int, c: int) -> None:
        some, goal = [self.one(a), self.one(a + 1), self.one(b)], self.one(c)
        numbers = sorted({one.number for one in some if one})
        bulk.move_tickets(
            actor=self.alice, incident=self.incident, numbers=numbers, parent=goal.number if goal and c % 5 else None
        )

    def state(self, a: int, b: int, c: int) -> None:
        if one := self.one(a):
            actions.set_status(
                actor=self.alice, ticket=one, status=STATUSES[b % 5], reason="No more.", waiting_for="a disk",
                disposition="ruled_out" if one.lead and c % 2 else "",
            )  # fmt: skip

    def state_of_several(self, a: int, b: int, c: int) -> None:
        numbers = sorted({one.number for one in (self.one(a), self.one(b), self.one(c)) if one})
        fields = {"status": STATUSES[c % 4], "waiting_for": "", "outcome": "", "reason": "", "disposition": "dead_end"}
        bulk.change_tickets(actor=self.alice, incident=self.incident, numbers=numbers, fields=fields)

    def lead(self, a: int, b: int, c: int) -> None:
        one, two = self.one(a), self.one(b)
        if one and two:
            leads.mark_lead(
                actor=self.alice,
                ticket=one,
                lead=c % 3 > 0,
                disposition="confirmed" if c % 2 else "",
                origin=two.number,
            )

    def block(self, a: int, b: int, c: int) -> None:
        one, two = self.one(a), self.one(b)
        if one and two:
            blockers.block_ticket(actor=self.alice, ticket=one, by=two.number)

    def drop(self, a: int, b: int, c: int) -> None:
        if one := self.one(a):
            actions.drop_branch(actor=self.alice, ticket=one, reason="Not ours.")

    def undo(self, a: int, b: int, c: int) -> None:
        mine = JournalEntry.objects.filter(stream=self.incident.journal_stream, target_type=Ticket._meta.label)
        last = mine.order_by("-seq")[a % 3 : a % 3 + 1].first()
        ticket = Ticket.objects.filter(pk=last.target_id).first() if last else None
        if last and ticket:
            undo.undo_change(actor=self.alice, ticket=ticket, entry=last)

    def purge(self, a: int, b: int, c: int) -> None:
        one = self.one(a)
        if one and c % 4 == 0:
            purging.delete_branch(actor=self.admin, ticket=one, reason="A court order.")


@pytest.mark.security
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=MOST))
def test_whatever_people_do_tree_counts_clocks_and_journal_stay_sound(
    alice: User, make_user: MakeUser, make_incident: Callable[[], Incident], steps: list[tuple[int, int, int, int]]
) -> None:
    admin = User.objects.filter(username="root").first() or make_user("root", "Admin", is_staff=True)
    work = Work(alice, admin, make_incident())
    for what, *aim in steps:
        try:
            work.does[what % len(work.does)](*aim)
        except (ValidationError, Conflict):
            continue  # people are refused; what counts is what is left behind
    incident = Incident.objects.get(pk=work.incident.pk)
    assert list(broken(incident)) == []
    assert not Blocker.objects.filter(ticket__incident=incident).exclude(by__incident=incident).exists()
    verify.verify()
