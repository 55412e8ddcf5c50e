"""Whoever has a ticket or watches it hears what happens to it, once, and is told why."""

from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client

from comms.models import Notification
from core import journal
from core.actions import action
from core.actors import SYSTEM, Actor
from incidents.actions import team
from incidents.models import Incident, Role, RoleAssignment
from people.models import User
from tests.comms.working import work_off
from tickets.actions import blockers, comments
from tickets.actions import tickets as actions
from tickets.models import Ticket, Watch

Make = Callable[..., Ticket]


@pytest.fixture
def ticket(make_ticket: Make, bob: User, carol: User) -> Ticket:
    """Bob has it, Carol watches it; what making it told people is forgotten."""
    found = make_ticket("Pull the logs", assignee=bob)
    Watch.objects.create(ticket=found, user=carol)
    work_off()
    Notification.objects.all().delete()
    mail.outbox.clear()
    return found


def told(user: User) -> list[tuple[str, str]]:
    work_off()
    return [(one.text, one.why) for one in Notification.objects.visible_to(user).select_related("ticket")]


def test_bob_and_carol_hear_of_another_status_and_why_they_do(ticket, alice, bob, carol) -> None:
    actions.set_status(actor=alice, ticket=ticket, status="doing")
    text = "Alice Example set #101 Pull the logs to In progress"
    assert told(bob) == [(text, "#101 is yours")]
    assert told(carol) == [(text, "You watch #101")]
    assert told(alice) == []
    assert "Why you get this: You watch #101." in next(one.body for one in mail.outbox if one.to == [carol.email])


def test_nobody_hears_of_what_they_did_themselves(ticket, bob, carol) -> None:
    actions.set_status(actor=bob, ticket=ticket, status="doing")
    assert told(bob) == []
    assert len(told(carol)) == 1


def test_who_has_it_and_watches_it_hears_once(ticket, alice, bob) -> None:
    Watch.objects.create(ticket=ticket, user=bob)
    actions.set_status(actor=alice, ticket=ticket, status="doing")
    assert [why for _, why in told(bob)] == ["#101 is yours"]
    assert len([one for one in mail.outbox if one.to == [bob.email]]) == 1


def test_a_comment_is_told_to_both_and_as_a_mention_to_who_is_called(ticket, alice, bob, carol) -> None:
    comments.add_comment(actor=alice, ticket=ticket, body="@carol look at this")
    assert told(bob) == [("Alice Example commented on #101 Pull the logs", "#101 is yours")]
    assert told(carol) == [("Alice Example mentioned you on #101 Pull the logs", "You were mentioned")]


@action
def turn(*, actor: Actor, ticket: Ticket, clock: list[str]) -> None:
    """An entry as the sweep of clocks writes it."""
    journal.record("ticket.clock_changed", actor=actor, subject=ticket, changed=False, clock=clock)


def test_a_clock_that_ran_out_is_told(ticket, bob, carol) -> None:
    turn(actor=SYSTEM, ticket=ticket, clock=["at_risk", "breached"])
    assert [text for text, _ in told(bob)] == ["The time of #101 Pull the logs is over"]
    assert [text for text, _ in told(carol)] == ["The time of #101 Pull the logs is over"]


def test_the_end_of_what_it_waited_for_is_told_in_one_line(ticket, make_ticket: Make, alice, bob, carol) -> None:
    first, second = make_ticket("Get the disk"), make_ticket("Mount the disk", assignee=bob)
    for waiting in (ticket, second):
        blockers.block_ticket(actor=alice, ticket=waiting, by=first.number)
    assert [text for text, _ in told(bob)] == ["Alice Example gave you #103 Mount the disk"]
    actions.set_status(actor=alice, ticket=first, status="done")
    assert told(bob)[0] == ("#101 Pull the logs and 1 more need not wait any more", "A wait is over")
    assert told(carol) == [("#101 Pull the logs need not wait any more", "A wait is over")]


def test_taking_a_blocker_away_is_told(ticket, make_ticket: Make, alice, bob) -> None:
    blockers.block_ticket(actor=alice, ticket=ticket, by=make_ticket("Get the disk").number)
    blockers.unblock_ticket(actor=alice, blocker=ticket.blockers.get())
    assert [text for text, _ in told(bob)] == ["#101 Pull the logs need not wait for #102"]


def test_a_clock_that_is_only_at_risk_is_told_to_nobody(ticket, bob) -> None:
    turn(actor=SYSTEM, ticket=ticket, clock=["on_track", "at_risk"])
    assert told(bob) == []


def test_a_watcher_who_may_no_longer_see_it_hears_nothing(secret: Incident, alice, bob, carol) -> None:
    team.assign_role(actor=alice, incident=secret, user=carol, role=Role.OBSERVER)
    hidden = actions.add_ticket(actor=alice, incident=secret, title="Interview", assignee=bob)
    Watch.objects.create(ticket=hidden, user=carol)
    work_off()
    team.end_role(actor=alice, assignment=RoleAssignment.objects.get(incident=secret, user=carol, until=None))
    Notification.objects.all().delete()
    mail.outbox.clear()
    actions.set_status(actor=alice, ticket=hidden, status="doing")
    assert told(carol) == []
    assert not Notification.objects.filter(user=carol).exists()
    assert [one.to for one in mail.outbox] == [[bob.email]]


def test_the_page_says_why(ticket, alice, carol, client_of: Callable[[User], Client]) -> None:
    actions.set_status(actor=alice, ticket=ticket, status="doing")
    work_off()
    assert "You watch #101" in client_of(carol).get("/notifications/").content.decode()
