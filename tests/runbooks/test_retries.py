"""How long a try waits for the next one, whatever the other side asks for (SR-11)."""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from comms.models import Notification
from core import work
from core.models import Reaction
from people.models import User
from runbooks import patience, tasks
from runbooks.models import Execution
from runbooks.registry import ACTIONS, ActionKind, Call, Failed
from tests.comms.working import work_off
from tests.runbooks.automating import allow, asked, carried_out, give, switch
from tests.runbooks.webserver import Serve, says, serving
from tickets.models import Ticket

pytestmark = pytest.mark.security
serve = pytest.fixture(serving)
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
JUNK = [
    "", "-1", "0", "1.5", "1e3", "+5", "0x10", "٣", "²", "soon", "NaN", "inf", "5, 6", "5;6", "-" * 4000,
    "Thu, 01 Jan 1970 00:00:00 GMT", "Sat, 21 Nov 2026 11:59:59 GMT", "Sat, 32 Nov 2026 12:00:00 GMT",
    "Sat, 21 Nov 0000 12:00:00 GMT", "2026-11-21T13:00:00Z", "Sat, 21 Nov 2026 25:61:61 GMT",
]  # fmt: skip


@pytest.fixture
def ticket(make_ticket: Callable[..., Ticket]) -> Ticket:
    return make_ticket("Look the address up")


# -- What is asked for ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1", 1), ("120", 120), (" 120 ", 120), ("3600", 3600), ("3601", 3600), ("999999999", 3600), ("9" * 4000, 3600),
        ("Sat, 21 Nov 2026 12:02:00 GMT", 120), ("Saturday, 21-Nov-26 12:02:00 GMT", 120),
        ("Sat Nov 21 12:02:00 2026", 120), ("Fri, 31 Dec 9999 23:59:59 GMT", 3600), *[(junk, None) for junk in JUNK],
    ],
)  # fmt: skip
def test_a_number_or_a_date_is_understood_and_junk_says_nothing(text: str, seconds: float | None) -> None:
    with time_machine.travel(NOW, tick=False):
        assert patience.asked(text) == seconds


@pytest.mark.parametrize("after", [None, 0, -1, math.nan, -math.inf])
def test_our_own_pauses_double_and_differ(after: float | None) -> None:
    for attempts in range(1, 9):
        found = [patience.pause(attempts, after) for _ in range(50)]
        middle = min(3600, 30 * 2 ** (attempts - 1))
        assert all(middle * 0.8 <= one <= min(3600, middle * 1.2) for one in found)
        assert len(set(found)) > 1


@pytest.mark.parametrize("after", [3600, 3601, 999_999_999, math.inf])
def test_nobody_waits_longer_than_an_hour_and_not_all_the_same_time(after: float) -> None:
    for attempts in (1, 7, 8, 1000):
        found = [patience.pause(attempts, after) for _ in range(50)]
        assert all(2880 <= one <= 3600 for one in found)
    assert len({patience.pause(1, after) for _ in range(50)}) > 1


@pytest.mark.parametrize("after", [100, 1000, 3000, 3599])
def test_what_is_asked_for_is_waited_and_a_little_more(after: float) -> None:
    found = [patience.pause(1, after) for _ in range(50)]
    assert all(after <= one <= min(3600, after * 1.2) for one in found)
    assert len(set(found)) > 1


def test_a_wish_for_less_than_our_own_pause_is_none() -> None:
    assert all(30 * 2**4 * 0.8 <= patience.pause(5, 1) <= 30 * 2**4 * 1.2 for _ in range(50))


# -- As an automation -------------------------------------------------------------------------------------------------
def wait_after(ticket: Ticket, bob: User, port: int) -> float:
    """Seconds until the second try."""
    switch("http_request")
    allow(port)
    now = timezone.now()
    found = carried_out(give(ticket, bob, "http_request", {"url": f"http://127.0.0.1:{port}/"}, retries=3), bob)
    assert (found.state, found.waiting, found.attempts) == ("queued", "time", 1)
    return (found.due - now).total_seconds()


@pytest.mark.parametrize("status", [429, 503, 500])
def test_a_server_that_asks_for_ten_minutes_gets_them(status: int, ticket: Ticket, bob: User, serve: Serve) -> None:
    port = serve(says(f"HTTP/1.1 {status} No\nRetry-After: 600\nContent-Length: 0\n\n"))
    assert 600 <= wait_after(ticket, bob, port) <= 600 * 1.2 + 20


def test_a_server_that_names_a_time_is_left_alone_until_then(ticket: Ticket, bob: User, serve: Serve) -> None:
    then = (timezone.now() + timedelta(minutes=20)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    port = serve(says(f"HTTP/1.1 503 No\nRetry-After: {then}\nContent-Length: 0\n\n"))
    assert 1195 <= wait_after(ticket, bob, port) <= 1200 * 1.2 + 20


@pytest.mark.parametrize("junk", ["-1", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "1\nRetry-After: -5", ""])
def test_a_server_that_asks_for_nonsense_is_asked_again_in_our_own_time(
    junk: str, ticket: Ticket, bob: User, serve: Serve
) -> None:
    port = serve(says(f"HTTP/1.1 429 No\nRetry-After: {junk}\nContent-Length: 0\n\n"))
    assert 24 <= wait_after(ticket, bob, port) <= 36 + 20


@pytest.mark.parametrize(("head", "retries"), [("404 No", 3), ("429 No", 0)])
def test_what_would_not_be_tried_again_is_not_because_of_a_wish(
    head: str, retries: int, ticket: Ticket, bob: User, serve: Serve
) -> None:
    switch("http_request")
    port = serve(says(f"HTTP/1.1 {head}\nRetry-After: 1\nContent-Length: 0\n\n"))
    allow(port)
    automation = give(ticket, bob, "http_request", {"url": f"http://127.0.0.1:{port}/"}, retries=retries)
    assert carried_out(automation, bob).state == "failed"


def test_who_asks_for_ever_more_gets_eight_tries_in_a_day_and_the_owner_hears_of_it(
    make_ticket: Callable[..., Ticket], alice: User, bob: User, carol: User, serve: Serve
) -> None:
    ticket = make_ticket("Look the address up", assignee=alice)
    heard: list[bytes] = []
    port = serve(says("HTTP/1.1 429 No\nRetry-After: 999999999\nContent-Length: 0\n\n", heard))
    switch("http_request")
    allow(port)
    began = now = timezone.now()
    execution = carried_out(give(ticket, bob, "http_request", {"url": f"http://127.0.0.1:{port}/"}, retries=7), bob)
    found = execution
    for _ in range(30):
        found = Execution.objects.get(pk=execution.pk)
        if found.state != "queued":
            break
        assert timedelta(minutes=47) < found.due - now <= timedelta(minutes=61)
        with time_machine.travel(found.due - timedelta(seconds=5), tick=False):
            tasks.execute(execution.pk)  # somebody wakes it before its time
        now = found.due + timedelta(seconds=1)
        with time_machine.travel(now, tick=False):
            work.sweep()
            tasks.execute(execution.pk)
    assert (found.state, found.error, len(heard)) == ("failed", "The other side answered 429.", 8)
    assert now - began < timedelta(hours=24)
    ticket.refresh_from_db()
    assert ticket.outcome.count("failed: The other side answered 429.") == 1
    work_off(Reaction)
    told = Notification.objects.filter(kind="automation")
    assert {one.user for one in told} == {alice, bob}
    assert {one.text for one in told} == {"The automation of #101 Look the address up failed"}


def test_a_failure_of_nobodys_ticket_that_nobody_asked_for_is_told_to_who_commands(
    ticket: Ticket, alice: User, bob: User
) -> None:
    execution = asked(give(ticket, bob, "set_status", {"status": "eaten"}), bob)
    Execution.objects.filter(pk=execution.pk).update(asked_by=None)
    tasks.execute(execution.pk)
    work_off(Reaction)
    assert [one.user for one in Notification.objects.filter(kind="automation", text__endswith="failed")] == [alice]


def test_a_dry_run_that_cannot_be_made_is_told_to_nobody(ticket: Ticket, bob: User) -> None:
    give(ticket, bob, "http_request", {"url": "{{ nothing.there }}"})
    assert carried_out(ticket.automation, bob, dry=True).state == "failed"
    work_off(Reaction)
    assert not Notification.objects.filter(kind="automation").exists()


def test_a_plug_in_may_say_how_long_to_wait(ticket: Ticket, bob: User) -> None:
    def busy(call: Call) -> Any:
        raise Failed("Not now.", again=True, after=1800)

    ACTIONS["busy"] = ActionKind("busy", "Busy", busy, lambda call: "")
    try:
        now = timezone.now()
        found = carried_out(give(ticket, bob, "busy", {}, retries=1), bob)
        assert 1800 <= (found.due - now).total_seconds() <= 1800 * 1.2 + 20
    finally:
        del ACTIONS["busy"]
