"""Clocks: how long a ticket may take, when that turns, who is told, and what winds it anew."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from core.actors import SYSTEM
from core.models import JournalEntry
from core.verify import verify
from incidents.actions.lifecycle import assess_severity, set_status
from incidents.models import Incident
from incidents.queries.journal import lines
from people.models import User
from tests.comms.working import work_off
from tickets import clocks, tasks
from tickets.actions import tickets as actions
from tickets.actions.clocks import turn_clocks, wind_clocks
from tickets.actions.merging import merge_incidents
from tickets.actions.quick import Sprout, plant_branch
from tickets.actions.steps import status_fields
from tickets.actions.undo import undo_change, undo_drop_all, uproot
from tickets.clocks import Target, wound
from tickets.models import Category, ClockState, ClockTarget, Ticket, TicketStatus
from tickets.queries.turns import incidents_with_turned

MakeTicket = Callable[..., Ticket]
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ORDER = [ClockState.ON_TRACK, ClockState.AT_RISK, ClockState.BREACHED]


def ticket_of(**fields: Any) -> Ticket:
    """A ticket that began at noon."""
    return Ticket(created_at=NOON, **fields)


def wind(ticket: Ticket, target: Target, now: dt.datetime, **to_be: Any) -> Ticket:
    for name, value in {**to_be, **wound(ticket, target, now, **to_be)}.items():
        setattr(ticket, name, value)
    return ticket


def status(category: Category) -> TicketStatus:
    return TicketStatus(code=category.value, name=category.label, category=category)


def put(ticket: Ticket, category: Category, target: Target, now: dt.datetime) -> Ticket:
    """Give the ticket a status at that time, as the actions do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: now)
        return wind(ticket, target, now, **status_fields(ticket, status(category)))


def test_a_clock_is_at_risk_when_three_quarters_of_its_time_are_gone() -> None:
    target = Target(finish=4 * HOUR)
    states = [wound(ticket_of(), target, NOON + hours * HOUR)["clock_state"] for hours in (0, 2.9, 3, 3.9, 4, 9)]
    assert states == ["on_track", "on_track", "at_risk", "at_risk", "breached", "breached"]


def test_the_start_target_counts_until_somebody_starts() -> None:
    target = Target(start=HOUR, finish=8 * HOUR)
    ticket = wind(ticket_of(), target, NOON)
    assert ticket.clock_at == NOON + HOUR
    assert wind(ticket, target, NOON + 2 * HOUR).clock_state == ClockState.BREACHED
    put(ticket, Category.DOING, target, NOON + 2 * HOUR)
    assert (ticket.clock_at, ticket.clock_state) == (NOON + 8 * HOUR, ClockState.ON_TRACK)


def test_whether_a_ticket_was_in_time_is_asked_of_the_finish_not_of_the_start() -> None:
    target = Target(start=HOUR, finish=8 * HOUR)
    assert put(ticket_of(), Category.DONE, target, NOON + 5 * HOUR).clock_state == ClockState.MET
    assert put(ticket_of(), Category.DONE, target, NOON + 9 * HOUR).clock_state == ClockState.LATE
    only_start = put(ticket_of(), Category.DONE, Target(start=HOUR), NOON + 9 * HOUR)
    assert (only_start.clock_at, only_start.clock_state) == (None, ClockState.NONE)


def test_a_limit_of_its_own_runs_from_the_start_and_stands_still_while_blocked() -> None:
    ticket = wind(ticket_of(time_limit=120), Target(), NOON)
    assert ticket.clock_at is None
    put(ticket, Category.DOING, Target(), NOON + HOUR)
    assert ticket.clock_at == NOON + 3 * HOUR
    put(ticket, Category.BLOCKED, Target(), NOON + 2 * HOUR)
    assert (ticket.clock_at, ticket.clock_state) == (None, ClockState.PAUSED)
    put(ticket, Category.DOING, Target(), NOON + 7 * HOUR)
    assert ticket.clock_at == NOON + 8 * HOUR


def test_a_long_wait_does_not_put_a_ticket_at_risk_that_has_hardly_begun() -> None:
    target = Target(finish=10 * HOUR)
    ticket = put(ticket_of(), Category.BLOCKED, target, NOON + HOUR)
    put(ticket, Category.DOING, target, NOON + 101 * HOUR)
    assert (ticket.clock_at, ticket.clock_state) == (NOON + 110 * HOUR, ClockState.ON_TRACK)
    assert ticket.risk_at == NOON + 107.5 * HOUR


def test_a_due_time_is_a_date_in_the_world_and_runs_on_while_blocked() -> None:
    ticket = put(ticket_of(due_at=NOON + 4 * HOUR), Category.BLOCKED, Target(finish=2 * HOUR), NOON + HOUR)
    assert (ticket.clock_at, ticket.clock_state) == (NOON + 4 * HOUR, ClockState.ON_TRACK)
    assert wind(ticket, Target(finish=2 * HOUR), NOON + 5 * HOUR).clock_state == ClockState.BREACHED


def test_what_people_agreed_on_for_a_ticket_goes_before_the_houses_target_to_finish_it() -> None:
    target = Target(start=HOUR, finish=2 * HOUR)
    ticket = wind(ticket_of(due_at=NOON + 48 * HOUR), target, NOON)
    assert ticket.clock_at == NOON + HOUR  # it must still be started in time
    put(ticket, Category.DOING, target, NOON + HOUR)
    assert (ticket.clock_at, ticket.finish_by) == (NOON + 48 * HOUR, NOON + 2 * HOUR)
    assert wind(ticket, target, NOON + 5 * HOUR).clock_state == ClockState.ON_TRACK


def test_an_ended_clock_stands_still_and_runs_again_when_the_ticket_is_taken_up_again() -> None:
    target = Target(finish=4 * HOUR)
    ticket = put(ticket_of(), Category.DONE, target, NOON + HOUR)
    assert wind(ticket, clocks.kept(ticket), NOON + 90 * HOUR).clock_state == ClockState.MET
    put(ticket, Category.DOING, target, NOON + 2 * HOUR)
    assert (ticket.finished_at, ticket.clock_at, ticket.clock_state) == (None, NOON + 4 * HOUR, ClockState.ON_TRACK)


# -- Whatever happens -------------------------------------------------------------------------------------------------
minutes = st.integers(min_value=0, max_value=60 * 24 * 30)
TARGETS = st.builds(
    lambda start, more: Target(
        start=start if start is None else dt.timedelta(minutes=start),
        finish=more if more is None else dt.timedelta(minutes=(start or 0) + more),
    ),
    st.none() | minutes, st.none() | minutes,
)  # fmt: skip
STEPS = st.lists(st.tuples(minutes, st.sampled_from(list(Category))), max_size=8)
FRESH = st.builds(
    lambda due, limit: {"due_at": due if due is None else NOON + dt.timedelta(minutes=due), "time_limit": limit},
    st.none() | minutes, st.none() | st.integers(min_value=1, max_value=5000),
)  # fmt: skip


def _lived(fresh: dict[str, Any], target: Target, steps: list[tuple[int, Category]]) -> tuple[Ticket, dt.datetime]:
    ticket, now = wind(ticket_of(**fresh), target, NOON), NOON
    for later, category in steps:
        now += dt.timedelta(minutes=later)
        put(ticket, category, target, now)
    return ticket, now


@settings(max_examples=150, deadline=None)
@given(FRESH, TARGETS, STEPS, minutes)
def test_a_pause_makes_no_target_earlier_and_gives_its_time_back(
    fresh: dict[str, Any], target: Target, steps: list[tuple[int, Category]], pause: int
) -> None:
    ticket, now = _lived(fresh, target, [*steps, (0, Category.DOING)])
    before = (ticket.start_by, ticket.finish_by, clocks.kept(ticket))
    put(ticket, Category.BLOCKED, target, now)
    put(ticket, Category.DOING, target, now + dt.timedelta(minutes=pause))
    for old, new in zip(before[:2], (ticket.start_by, ticket.finish_by), strict=True):
        assert (old is None and new is None) or new == old + dt.timedelta(minutes=pause)  # type: ignore[operator]
    assert clocks.kept(ticket) == before[2] == target


@settings(max_examples=150, deadline=None)
@given(FRESH, TARGETS, STEPS, st.lists(minutes, min_size=2, max_size=5))
def test_while_nothing_changes_a_state_only_moves_on(
    fresh: dict[str, Any], target: Target, steps: list[tuple[int, Category]], later: list[int]
) -> None:
    ticket, now = _lived(fresh, target, steps)
    seen = [wound(ticket, target, now + dt.timedelta(minutes=more)) for more in sorted(later)]
    assert len({(one["clock_at"], one["risk_at"]) for one in seen}) == 1
    states = [one["clock_state"] for one in seen]
    if states[0] in ORDER:
        assert [ORDER.index(state) for state in states] == sorted(ORDER.index(state) for state in states)
    else:
        assert len(set(states)) == 1


@settings(max_examples=150, deadline=None)
@given(FRESH, TARGETS, STEPS, minutes)
def test_a_sweep_says_what_winding_would_say(
    fresh: dict[str, Any], target: Target, steps: list[tuple[int, Category]], later: int
) -> None:
    ticket, now = _lived(fresh, target, steps)
    now += dt.timedelta(minutes=later)
    assert clocks.turned(ticket, now) == wound(ticket, target, now)["clock_state"]


@settings(max_examples=150, deadline=None)
@given(FRESH, TARGETS, STEPS)
def test_the_end_is_the_first_of_all_ends_and_never_a_paused_one(
    fresh: dict[str, Any], target: Target, steps: list[tuple[int, Category]]
) -> None:
    ticket, _ = _lived(fresh, target, steps)
    if ticket.category == Category.BLOCKED:
        assert ticket.clock_at == ticket.due_at
    elif ticket.clock_at is not None:
        held_to = (ticket.due_at or ticket.finish_by, ticket.clock_at)
        assert ticket.clock_at <= min(end for end in held_to if end)
        assert ticket.risk_at is not None
        assert ticket.risk_at <= ticket.clock_at
    assert (ticket.clock_state in (ClockState.MET, ClockState.LATE)) == (ticket.is_ended and bool(ticket.clock_at))


# -- In an incident ---------------------------------------------------------------------------------------------------
def _old(ticket: Ticket, **ago: int) -> Ticket:
    """The ticket as if it had been added that long ago, with its clock wound then and not looked at since."""
    begun = timezone.now() - dt.timedelta(**ago)
    ticket.created_at = begun
    target = clocks.target_of(Incident.objects.get(pk=ticket.incident_id), ticket.priority)
    Ticket.objects.filter(pk=ticket.pk).update(created_at=begun, **wound(ticket, target, begun))
    ticket.refresh_from_db()
    return ticket


def _states(incident: Incident) -> dict[int, str]:
    return dict(Ticket.objects.filter(incident=incident).without_root().values_list("number", "clock_state"))


def test_a_new_ticket_is_held_to_the_targets_of_its_severity_and_priority(
    incident: Incident, make_ticket: MakeTicket
) -> None:
    normal, urgent = make_ticket(), make_ticket(priority="urgent")
    assert normal.start_by == normal.created_at + dt.timedelta(days=1)
    assert urgent.finish_by == urgent.created_at + dt.timedelta(hours=8)
    assert list(clocks.broken(incident)) == []


def test_the_sweep_writes_down_each_turn_once(incident: Incident, alice: User, make_ticket: MakeTicket) -> None:
    fresh, risky, late = make_ticket("A"), _old(make_ticket("B"), hours=20), _old(make_ticket("C"), days=2)
    version = late.version
    tasks.turn_clocks()
    tasks.turn_clocks()
    entries = JournalEntry.objects.filter(verb="ticket.clock_changed").order_by("seq")
    assert [(entry.target_id, entry.data["clock"], entry.actor_name) for entry in entries] == [
        (str(late.pk), ["on_track", "breached"], "Treeline"), (str(risky.pk), ["on_track", "at_risk"], "Treeline"),
    ]  # fmt: skip
    assert _states(incident) == {fresh.number: "on_track", risky.number: "at_risk", late.number: "breached"}
    assert Ticket.objects.get(pk=late.pk).version == version
    said = [line.sentence for line in lines(list(entries), alice)]
    assert said == [f"noted that {late} has run out of time", f"noted that {risky} is at risk of being late"]
    assert verify().entries > 0


def test_at_risk_first_and_run_out_later_are_two_turns(incident: Incident, make_ticket: MakeTicket) -> None:
    ticket = _old(make_ticket(), hours=20)
    turn_clocks(actor=SYSTEM, incident=incident)
    Ticket.objects.filter(pk=ticket.pk).update(clock_at=timezone.now())
    turn_clocks(actor=SYSTEM, incident=incident)
    turns = JournalEntry.objects.filter(verb="ticket.clock_changed").order_by("seq").values_list("data", flat=True)
    assert [data["clock"] for data in turns] == [["on_track", "at_risk"], ["at_risk", "breached"]]


def test_a_closed_incident_and_an_ended_or_paused_ticket_do_not_turn(
    incident: Incident, alice: User, make_ticket: MakeTicket
) -> None:
    waiting, done = make_ticket(), make_ticket()
    actions.set_status(actor=alice, ticket=waiting, status="waiting", waiting_for="The bank")
    actions.set_status(actor=alice, ticket=done, status="done", outcome="Clean")
    assert _states(incident) == {waiting.number: "paused", done.number: "met"}
    assert incidents_with_turned(timezone.now() + dt.timedelta(days=365), most=10) == []
    running = _old(make_ticket(), days=9)
    assert incidents_with_turned(timezone.now(), most=10) == [incident]
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    assert incidents_with_turned(timezone.now(), most=10) == []
    assert turn_clocks(actor=SYSTEM, incident=incident) == 0
    assert _states(incident)[running.number] == "on_track"


def test_many_that_turn_at_once_are_taken_in_parts(
    incident: Incident, make_ticket: MakeTicket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tickets.actions.clocks.MOST_TURNS", 2)
    for _ in range(3):
        _old(make_ticket(), days=2)
    assert [turn_clocks(actor=SYSTEM, incident=incident) for _ in range(3)] == [2, 1, 0]


def _told(user: User) -> list[tuple[str, str]]:
    found = user.notifications.filter(entry__verb__startswith="ticket.clock").order_by("pk")
    return list(found.values_list("kind", "text"))


def test_who_has_the_ticket_and_who_commands_are_told_that_its_time_is_over(
    incident: Incident, alice: User, bob: User, carol: User, make_ticket: MakeTicket
) -> None:
    ticket, own = _old(make_ticket(assignee=bob), days=3), _old(make_ticket(assignee=alice), days=2)
    _old(make_ticket(), hours=20)
    tasks.turn_clocks()
    work_off()
    assert _told(bob) == [("yours", f"The time of {ticket} is over")]
    assert _told(alice) == [("clock", f"The time of {ticket} is over"), ("yours", f"The time of {own} is over")]
    assert _told(carol) == []


def test_new_targets_that_make_several_late_are_told_in_one_line_each(
    incident: Incident, alice: User, bob: User, make_ticket: MakeTicket
) -> None:
    first, second, fresh = (_old(make_ticket(assignee=bob), hours=hours) for hours in (3, 4, 0))
    assess_severity(actor=alice, incident=incident, severity="critical")
    work_off()
    assert _told(bob) == _told(alice) == [("clock", f"The time of {first} and of 1 more is over")]
    assert [one.number for one in (second, fresh)] == [102, 103]


# -- Wound anew -------------------------------------------------------------------------------------------------------
def _wound(incident: Incident) -> list[JournalEntry]:
    return list(JournalEntry.objects.filter(stream=incident.journal_stream, verb="ticket.clocks_wound"))


def test_another_severity_winds_the_open_clocks_anew(incident: Incident, alice: User, make_ticket: MakeTicket) -> None:
    open_one, done = _old(make_ticket(), hours=3), make_ticket()
    actions.set_status(actor=alice, ticket=done, status="done")
    was = Ticket.objects.get(pk=done.pk)
    assess_severity(actor=alice, incident=incident, severity="critical")
    work_off()
    ticket = Ticket.objects.get(pk=open_one.pk)
    assert ticket.start_by == ticket.created_at + 2 * HOUR
    assert (ticket.clock_state, ticket.version) == (ClockState.BREACHED, open_one.version)
    [entry] = _wound(incident)
    assert (entry.data["tickets"], entry.data["clocks"]) == ([101], {"101": ["on_track", "breached"]})
    kept = Ticket.objects.get(pk=done.pk)
    assert (kept.finish_by, kept.clock_state) == (was.finish_by, ClockState.MET)
    assert lines([entry], alice)[0].sentence == "set the clocks of 1 ticket anew"
    assert list(clocks.broken(incident)) == []
    assert Incident.objects.get(pk=incident.pk).next_due_at == ticket.clock_at


def test_the_same_severity_again_winds_nothing(incident: Incident, alice: User, make_ticket: MakeTicket) -> None:
    make_ticket()
    assess_severity(actor=alice, incident=incident, severity=incident.severity)
    work_off()
    assert _wound(incident) == []
    assert wind_clocks(actor=SYSTEM, incident=incident) == []


def test_editing_what_has_ended_asks_no_new_target_of_it(
    incident: Incident, alice: User, make_ticket: MakeTicket
) -> None:
    ticket = actions.set_status(actor=alice, ticket=_old(make_ticket(), hours=20), status="done")
    ClockTarget.objects.filter(severity=incident.severity).update(start_minutes=1, finish_minutes=2)
    edited = actions.edit_ticket(
        actor=alice, ticket=ticket, version=ticket.version, fields={"title": "Image both disks", "priority": "low"}
    )
    assert (edited.clock_state, edited.finish_by) == (ClockState.MET, ticket.finish_by)
    again = actions.set_status(actor=alice, ticket=edited, status="doing")
    assert again.finish_by != ticket.finish_by


def test_another_priority_has_other_targets(incident: Incident, alice: User, make_ticket: MakeTicket) -> None:
    ticket = make_ticket()
    edited = actions.edit_ticket(
        actor=alice, ticket=ticket, version=ticket.version, fields={"priority": "urgent"}
    )  # fmt: skip
    assert edited.start_by == edited.created_at + HOUR
    entry = JournalEntry.objects.get(verb="ticket.edited")
    assert entry.data["words"] == {"priority": ["Normal", "Urgent"]}


def test_tickets_of_a_merged_incident_are_held_to_the_targets_of_the_other(
    incident: Incident, alice: User, make_incident: Callable[..., Incident], make_ticket: MakeTicket
) -> None:
    ticket = make_ticket()
    other = make_incident("Phishing wave", severity="critical")
    merge_incidents(actor=alice, source=incident, target=other, reason="The same mail")
    moved = Ticket.objects.get(pk=ticket.pk)
    assert (moved.incident_id, moved.start_by) == (other.pk, moved.created_at + 2 * HOUR)
    branch = Ticket.objects.get(incident=other, number=101)
    assert branch.start_by == branch.created_at + 2 * HOUR
    assert Incident.objects.get(pk=other.pk).next_due_at == min(moved.clock_at, branch.clock_at)  # type: ignore[type-var]
    assert list(clocks.broken(other)) == []


def test_a_clock_that_does_not_follow_from_its_ticket_is_found(incident: Incident, make_ticket: MakeTicket) -> None:
    ticket, other = make_ticket(), make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(clock_at=NOON)
    Ticket.objects.filter(pk=other.pk).update(clock_state=ClockState.BREACHED)
    assert [problem.split(":")[0] for problem in clocks.broken(incident)] == [
        f"{incident.number} #{ticket.number}", f"{incident.number} #{other.number}",
    ]  # fmt: skip


def test_a_lagging_state_is_not_broken(incident: Incident, make_ticket: MakeTicket) -> None:
    _old(make_ticket(), days=2)
    assert list(clocks.broken(incident)) == []


def test_closing_and_reopening_leaves_clocks_alone(incident: Incident, alice: User, make_ticket: MakeTicket) -> None:
    ticket = actions.set_status(actor=alice, ticket=make_ticket(), status="dropped", reason="False alarm")
    set_status(actor=alice, incident=incident, status="closed", reason="False", resolution="false_positive")
    assert wind_clocks(actor=SYSTEM, incident=incident) == []
    assert Ticket.objects.get(pk=ticket.pk).clock_state == ClockState.MET


def test_targets_that_changed_while_it_was_closed_hold_when_alice_opens_it_again(
    incident: Incident, alice: User, make_ticket: MakeTicket
) -> None:
    ticket = make_ticket()
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    ClockTarget.objects.filter(severity=incident.severity).update(start_minutes=7, finish_minutes=9)
    assert wind_clocks(actor=SYSTEM, incident=incident) == []
    set_status(actor=alice, incident=incident, status="detected", reason="It goes on.")
    work_off()
    again = Ticket.objects.get(pk=ticket.pk)
    assert again.finish_by == again.created_at + dt.timedelta(minutes=9)
    [entry] = _wound(incident)
    assert (entry.data["reason"], entry.data["tickets"]) == ("Reopened.", [101])
    assert list(clocks.broken(Incident.objects.get(pk=incident.pk))) == []


def _hours_later(monkeypatch: pytest.MonkeyPatch, hours: float) -> None:
    now = timezone.now() + hours * HOUR
    monkeypatch.setattr(timezone, "now", lambda: now)


@pytest.mark.parametrize("other_targets", [False, True], ids=["same targets", "other targets"])
def test_a_ticket_that_bob_reopened_by_mistake_is_as_much_in_time_as_it_was(
    *, incident: Incident, bob: User, make_ticket: MakeTicket, monkeypatch: pytest.MonkeyPatch, other_targets: bool
) -> None:
    due = (timezone.now() + HOUR).replace(second=0, microsecond=0)
    dated, plain = make_ticket(due_at=due), make_ticket("Read the log")
    actions.set_status(actor=bob, ticket=plain, status="waiting", waiting_for="the provider")
    done = [actions.set_status(actor=bob, ticket=one, status="done", outcome="Seen.") for one in (dated, plain)]
    assert {one.clock_state for one in done} == {ClockState.MET}
    if other_targets:
        ClockTarget.objects.filter(severity=incident.severity).update(start_minutes=1, finish_minutes=2)
    _hours_later(monkeypatch, 3)
    for was in done:
        opened = actions.set_status(actor=bob, ticket=was, status="waiting", waiting_for="a disk")
        entry = JournalEntry.objects.filter(verb="ticket.status_changed").latest("seq")
        again = undo_change(actor=bob, ticket=opened, entry=entry)
        names = (
            "status", "started_at", "finished_at", "paused_at", "paused_seconds", "clock_state", "start_by",
            "finish_by",
        )  # fmt: skip
        assert [getattr(again, name) for name in names] == [getattr(was, name) for name in names]
    assert list(clocks.broken(incident)) == []


def test_a_wait_that_bob_ended_by_mistake_is_as_long_as_it_was(
    incident: Incident, bob: User, make_ticket: MakeTicket, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = actions.set_status(actor=bob, ticket=make_ticket(), status="waiting", waiting_for="the provider")
    since = waiting.paused_at
    _hours_later(monkeypatch, 1)
    going = actions.set_status(actor=bob, ticket=waiting, status="doing")
    assert going.paused_seconds >= 3600
    again = undo_change(actor=bob, ticket=going, entry=JournalEntry.objects.latest("pk"))
    assert (again.paused_at, again.paused_seconds, again.waiting_for) == (since, 0, "the provider")


def test_times_that_do_not_go_with_the_meaning_of_a_status_by_now_stay_away(
    incident: Incident, bob: User, make_ticket: MakeTicket
) -> None:
    odd = TicketStatus.objects.create(code="parked", name="Parked", category=Category.DONE, position=90)
    ticket = actions.set_status(actor=bob, ticket=make_ticket(), status=odd.code)
    opened = actions.set_status(actor=bob, ticket=ticket, status="doing")
    entry = JournalEntry.objects.latest("pk")
    TicketStatus.objects.filter(pk=odd.pk).update(category=Category.DOING)
    again = undo_change(actor=bob, ticket=opened, entry=entry)
    assert (again.status, again.category, again.finished_at) == ("parked", Category.DOING, None)


# -- What the entries of other actions say of clocks ------------------------------------------------------------------
def test_what_turns_by_a_merge_is_named(
    incident: Incident, alice: User, make_incident: Callable[..., Incident], make_ticket: MakeTicket
) -> None:
    _old(make_ticket(), hours=3)
    other = make_incident("Phishing wave", severity="critical")
    merge_incidents(actor=alice, source=incident, target=other, reason="The same mail")
    entry = JournalEntry.objects.get(verb="incident.absorbed")
    assert entry.data["clocks"] == {"101": ["", "on_track"], "102": ["on_track", "breached"]}


def test_what_turns_when_a_branch_is_dropped_and_comes_back_is_named(
    incident: Incident, alice: User, make_ticket: MakeTicket
) -> None:
    top = make_ticket()
    _old(make_ticket("Read the log", parent=top), hours=1)
    actions.drop_branch(actor=alice, ticket=top, reason="Not ours.")
    entry = JournalEntry.objects.get(verb="ticket.branch_dropped")
    assert entry.data["clocks"] == {"101": ["on_track", "met"], "102": ["on_track", "met"]}
    ClockTarget.objects.filter(severity=incident.severity).update(start_minutes=50, finish_minutes=55)
    undo_change(actor=alice, ticket=Ticket.objects.get(pk=top.pk), entry=entry)
    entry = JournalEntry.objects.get(verb="ticket.branch_restored")
    assert entry.data["clocks"] == {"101": ["met", "on_track"], "102": ["met", "breached"]}


def test_what_turns_when_all_comes_back_that_was_dropped_is_named(
    incident: Incident, alice: User, make_ticket: MakeTicket
) -> None:
    make_ticket()
    actions.drop_open_tickets(actor=alice, incident=incident, reason="False alarm.")
    entry = JournalEntry.objects.get(verb="ticket.all_dropped")
    assert "clocks" not in entry.data  # what is dropped cannot run out: there is nobody to tell
    undo_drop_all(actor=alice, incident=incident, entry=entry)
    assert JournalEntry.objects.get(verb="ticket.all_restored").data["clocks"] == {"101": ["met", "on_track"]}


def test_a_planted_branch_that_is_taken_back_ends_in_time_and_tells_of_no_clock(incident: Incident, bob: User) -> None:
    sprouts = [Sprout(depth=1, title="Ask the bank"), Sprout(depth=2, title="Call them", done=True)]
    plant_branch(actor=bob, incident=incident, parent=None, sprouts=sprouts)
    uproot(actor=bob, incident=incident, entry=JournalEntry.objects.latest("pk"))
    assert "clocks" not in JournalEntry.objects.get(verb="tickets.uprooted").data
    assert Ticket.objects.get(number=101).clock_state == "met"
