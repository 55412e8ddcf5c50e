"""Whatever is done to several tickets at once is told to each person once; clocks and waits of whole branches too."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail

from comms.models import Notification
from core import journal
from core.actions import action
from core.actors import Actor
from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tests.comms.working import work_off
from tickets.actions import blockers, bulk, handovers, undo
from tickets.actions import tickets as actions
from tickets.models import Ticket, Watch

Make = Callable[..., Ticket]


@pytest.fixture(autouse=True)
def one_by_one(settings: Any) -> None:
    """Each ticket is changed by its ordinary action, which loads and locks it anew: so it is meant here."""
    settings.ZEAL_ALLOWLIST = [{"model": "*", "field": "*"}]


@pytest.fixture
def three(make_ticket: Make, carol: User) -> list[Ticket]:
    """#101 to #103; Carol watches the first two."""
    made = [make_ticket(title) for title in ("Beacon", "Mail", "Disk")]
    for ticket in made[:2]:
        Watch.objects.create(ticket=ticket, user=carol)
    return made


def told(user: User) -> list[str]:
    """What is new to the person, oldest first; then it is forgotten, with the mail that told of it."""
    work_off()
    found = list(Notification.objects.visible_to(user).order_by("pk").values_list("text", flat=True))
    assert len({one.subject for one in mail.outbox if one.to == [user.email]}) <= len(found)
    Notification.objects.filter(user=user).delete()
    mail.outbox.clear()
    return found


def last() -> JournalEntry:
    return JournalEntry.objects.filter(stream__startswith="incident:").latest("seq")


def change(actor: User, incident: Incident, *numbers: int, **fields: Any) -> None:
    bulk.change_tickets(actor=actor, incident=incident, numbers=numbers, fields=fields)


def test_alice_gets_one_line_and_one_mail_for_all_that_bob_gives_her(three, incident, alice, bob) -> None:
    change(bob, incident, 101, 102, 103, assignee=alice)
    work_off()
    assert len([one for one in mail.outbox if one.to == [alice.email]]) == 1
    assert told(alice) == ["Bob Example gave you #101 Beacon and 2 more"]


def test_taking_back_gives_them_to_who_had_them_in_one_line(three, incident, alice, bob) -> None:
    change(bob, incident, 101, 102, assignee=alice)
    assert len(told(alice)) == 1
    change(bob, incident, 101, 102, assignee=bob)
    undo.undo_batch(actor=bob, incident=incident, entry=last())
    assert told(alice) == ["Bob Example gave you #101 Beacon and 1 more"]


def test_carol_hears_once_of_the_status_of_what_she_watches(three, incident, bob, carol) -> None:
    told(carol)
    change(bob, incident, 101, 102, 103, status="doing")
    assert told(carol) == ["Bob Example set #101 Beacon and 1 more to In progress"]
    undo.undo_batch(actor=bob, incident=incident, entry=last())
    assert told(carol) == ["Bob Example set #101 Beacon and 1 more to Open"]


def test_what_is_done_alone_after_a_batch_is_told_alone(three, incident, alice, bob) -> None:
    actions.assign_ticket(actor=bob, ticket=three[0], assignee=alice)
    change(bob, incident, 102, 103, assignee=alice)
    actions.assign_ticket(actor=bob, ticket=Ticket.objects.get(number=101), assignee=None)
    actions.assign_ticket(actor=bob, ticket=Ticket.objects.get(number=101), assignee=alice)
    alone = "Bob Example gave you #101 Beacon"
    assert told(alice) == [alone, "Bob Example gave you #102 Mail and 1 more", alone]


def test_who_waited_for_several_that_ended_together_hears_once(*, three, incident, make_ticket, alice, bob) -> None:
    waiting = [make_ticket(title, assignee=bob) for title in ("Mount it", "Read it")]
    for ticket, by in zip(waiting, (101, 102), strict=True):
        blockers.block_ticket(actor=alice, ticket=ticket, by=by)
    told(bob)
    change(alice, incident, 101, 102, status="done")
    assert told(bob) == ["#104 Mount it and 1 more need not wait any more"]


def test_who_waited_for_dropped_branches_hears_once(*, three, incident, make_ticket, alice, bob) -> None:
    waiting = [make_ticket(title, assignee=bob) for title in ("Mount it", "Read it")]
    for ticket, by in zip(waiting, (101, 102), strict=True):
        blockers.block_ticket(actor=alice, ticket=ticket, by=by)
    told(bob)
    bulk.drop_tickets(actor=alice, incident=incident, numbers=[101, 102], reason="Not ours.")
    assert told(bob) == ["#104 Mount it and 1 more need not wait any more"]


@action
def say(*, actor: Actor, incident: Incident, verb: str, data: dict[str, Any]) -> None:
    """An entry about the whole incident."""
    journal.record(verb, actor=actor, subject=incident, changed=False, **data)


@pytest.mark.parametrize(
    "verb", ["ticket.restated", "incident.absorbed", "ticket.all_restored", "ticket.branch_dropped"]
)
def test_clocks_that_ran_out_by_it_are_told(*, verb, incident, make_ticket: Make, alice, bob) -> None:
    for title in ("Beacon", "Mail", "Disk"):
        make_ticket(title, assignee=bob)
    told(bob)
    states = {"101": ["at_risk", "breached"], "102": ["on_track", "breached"], "103": ["breached", "on_track"]}
    say(actor=alice, incident=incident, verb=verb, data={"clocks": states})
    assert told(bob) == ["The time of #101 Beacon and of 1 more is over"]
    say(actor=alice, incident=incident, verb=verb, data={})
    assert told(bob) == []


def test_who_waited_for_an_uprooted_branch_is_told(incident, make_ticket: Make, alice, bob) -> None:
    make_ticket("Mount it", assignee=bob)
    told(bob)
    say(actor=alice, incident=incident, verb="tickets.uprooted", data={"freed": [101]})
    assert told(bob) == ["#101 Mount it need not wait any more"]


def test_why_an_offer_was_declined_stays_in_a_restricted_incident(secret: Incident, alice, bob) -> None:
    actions.add_ticket(actor=alice, incident=secret, title="Interview", assignee=bob)
    offer = handovers.hand_over(actor=bob, incident=secret, numbers=[101], receiver=alice, note="")
    told(bob)
    handovers.decline_handover(actor=alice, handover=offer, answer="CANARY")
    assert told(bob) == ["Alice Example does not take over #101"]
