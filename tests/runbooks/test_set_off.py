"""Automations that wait for a condition: whatever makes it true sets them off, at the same cost however many wait."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from core.models import JournalEntry, Reaction
from incidents.actions import incidents, lifecycle, team
from incidents.models import Incident
from people.models import Customer, User
from runbooks.actions import executions
from runbooks.models import Automation, Execution
from runbooks.queries.automations import incident_values, ready, ticket_values
from tests.comms.working import work_off
from tests.runbooks.automating import asked, carried_out, give
from tickets.actions import bulk, handovers, leads, undo
from tickets.actions import tickets as actions
from tickets.actions.merging import merge_incidents
from tickets.actions.tags import set_tags
from tickets.actions.vocabulary import prioritise_tickets, restate_tickets
from tickets.models import Ticket, TicketPriority, TicketStatus

Change = Callable[[User, Ticket], Any]
NEVER_CHANGE = {"number", "url"}


def edit_incident(by: User, ticket: Ticket, **fields: Any) -> None:
    now = Incident.objects.get(pk=ticket.incident_id)
    tags = fields.pop("tags", None)
    incidents.edit_incident(actor=by, incident=now, version=now.version, fields=fields, tags=tags)


def edit(by: User, ticket: Ticket, **fields: Any) -> None:
    actions.edit_ticket(actor=by, ticket=ticket, version=ticket.version, fields=fields)


def status_of(by: User, ticket: Ticket) -> None:
    lifecycle.assess_severity(actor=by, incident=ticket.incident, severity="high")
    lifecycle.set_status(actor=by, incident=ticket.incident, status="analyzing")


def customer_of(by: User, ticket: Ticket) -> None:
    edit_incident(by, ticket, customer=Customer.objects.create(name="Customer A", slug="a"))


def command(by: User, ticket: Ticket) -> None:
    bob = User.objects.get(username="bob")
    team.assign_role(actor=by, incident=ticket.incident, user=bob, role="incident_commander")


INCIDENT: dict[str, tuple[str, Change]] = {
    "title": ("title == 'Worse'", lambda by, one: edit_incident(by, one, title="Worse")),
    "severity": (
        "severity == 'critical'",
        lambda by, one: lifecycle.assess_severity(actor=by, incident=one.incident, severity="critical"),
    ),
    "type": ("type == 'phishing'", lambda by, one: edit_incident(by, one, type="phishing")),
    "status": ("incident.status == 'analyzing'", status_of),
    "affectedUsers": ("affectedUsers > 50", lambda by, one: edit_incident(by, one, affected_users=51)),
    "dataTypes": ("'Health' in dataTypes", lambda by, one: edit_incident(by, one, data_types=["Health"])),
    "affectedSystems": ("'FS-9' in affectedSystems", lambda by, one: edit_incident(by, one, affected_systems=["FS-9"])),
    "affectedServices": (
        "'ERP' in affectedServices",
        lambda by, one: edit_incident(by, one, affected_services=["ERP"]),
    ),
    "tlp": ("tlp == 'TLP:RED'", lambda by, one: edit_incident(by, one, tlp="TLP:RED")),
    "tags": ("'worse' in tags", lambda by, one: edit_incident(by, one, tags=["worse"])),
    "restricted": (
        "restricted",
        lambda by, one: incidents.restrict_incident(actor=by, incident=one.incident, restricted=True, reason="Leak"),
    ),
    "customer": ("customer == 'Customer A'", customer_of),
    "commander": ("commander == 'Bob Example'", command),
}
TICKET: dict[str, tuple[str, Change]] = {
    "title": ("ticket.title == 'Other'", lambda by, one: edit(by, one, title="Other")),
    "status": (
        "ticket.status == 'waiting'",
        lambda by, one: actions.set_status(actor=by, ticket=one, status="waiting", waiting_for="The bank"),
    ),
    "category": (
        "ticket.category == 'doing'", lambda by, one: actions.set_status(actor=by, ticket=one, status="doing"),
    ),
    "priority": ("ticket.priority == 'high'", lambda by, one: edit(by, one, priority="high")),
    "lead": ("ticket.lead", lambda by, one: leads.mark_lead(actor=by, ticket=one, lead=True)),
    "outcome": ("'FS-2' in ticket.outcome", lambda by, one: edit(by, one, outcome="It is FS-2.")),
    "assignee": (
        "ticket.assignee == 'Alice Example'", lambda by, one: actions.assign_ticket(actor=by, ticket=one, assignee=by),
    ),
    "tags": ("'net' in ticket.tags", lambda by, one: set_tags(actor=by, ticket=one, tags=["net"])),
}  # fmt: skip


@pytest.fixture
def ticket(make_ticket: Callable[..., Ticket]) -> Ticket:
    return make_ticket("Look the address up")


@pytest.fixture
def waiting(ticket: Ticket, bob: User) -> Callable[..., Automation]:
    """An automation of the ticket that waits for a condition."""

    def make(condition: str, on: Ticket = ticket, **fields: Any) -> Automation:
        parameters = {"tasks": "- [ ] By itself"}
        found = give(on, bob, "create_tickets", parameters, trigger="condition", condition=condition, **fields)
        react()
        assert not found.executions.exists()
        return found

    return make


def react() -> None:
    work_off(Reaction)


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.select_related("incident").get(pk=ticket.pk)


# -- Everything that a condition can speak of -------------------------------------------------------------------------
def test_the_tables_have_all_that_a_condition_can_speak_of(ticket: Ticket) -> None:
    assert set(INCIDENT) == set(incident_values(ticket.incident)) - NEVER_CHANGE
    assert set(TICKET) == set(ticket_values(ticket)) - NEVER_CHANGE


@pytest.mark.parametrize("name", INCIDENT)
def test_a_change_of_the_incident_sets_it_off(waiting, ticket: Ticket, alice: User, name: str) -> None:
    condition, change = INCIDENT[name]
    automation = waiting(condition)
    change(alice, fresh(ticket))
    react()
    assert automation.executions.count() == 1


@pytest.mark.parametrize("name", TICKET)
def test_a_change_of_its_ticket_sets_it_off_and_one_of_another_does_not(
    waiting, ticket: Ticket, make_ticket, alice: User, name: str
) -> None:
    condition, change = TICKET[name]
    automation, other = waiting(condition), waiting(condition, on=make_ticket("Beside it"))
    change(alice, fresh(ticket))
    react()
    assert (automation.executions.count(), other.executions.count()) == (1, 0)


# -- The other ways there are to the same -----------------------------------------------------------------------------
def last(verb: str) -> JournalEntry:
    return JournalEntry.objects.filter(verb=verb).latest("pk")


def drop_and_take_back(by: User, ticket: Ticket) -> None:
    actions.drop_branch(actor=by, ticket=ticket, reason="Not needed")
    edit_incident(by, ticket, affected_users=99)  # sets off nothing that is dropped
    react()
    undo.undo_change(actor=by, ticket=fresh(ticket), entry=last("ticket.branch_dropped"))


def drop_all_and_take_back(by: User, ticket: Ticket) -> None:
    actions.drop_open_tickets(actor=by, incident=ticket.incident, reason="Over")
    edit_incident(by, ticket, affected_users=99)
    react()
    undo.undo_drop_all(actor=by, incident=ticket.incident, entry=last("ticket.all_dropped"))


def drop_several_and_take_back(by: User, ticket: Ticket) -> None:
    bulk.drop_tickets(actor=by, incident=ticket.incident, numbers=[ticket.number], reason="Not needed")
    edit_incident(by, ticket, affected_users=99)
    react()
    undo.undo_batch(actor=by, incident=ticket.incident, entry=last("tickets.dropped"))


def hand_over(by: User, ticket: Ticket) -> None:
    actions.assign_ticket(actor=by, ticket=ticket, assignee=by)
    bob = User.objects.get(username="bob")
    offer = handovers.hand_over(
        actor=by, incident=ticket.incident, numbers=[ticket.number], receiver=bob, note="Yours", giver=by
    )
    handovers.accept_handover(actor=bob, handover=offer)


def restate(by: User, ticket: Ticket) -> None:
    new = TicketStatus.objects.create(code="queued", name="Queued", category="todo")
    restate_tickets(actor=by, incident=ticket.incident, old=TicketStatus.objects.get(code="open"), by=new)


def prioritise(by: User, ticket: Ticket) -> None:
    old, new = (TicketPriority.objects.get(code=code) for code in ("normal", "high"))
    prioritise_tickets(actor=by, incident=ticket.incident, old=old, by=new)


def resolve(by: User, ticket: Ticket) -> None:
    leads.mark_lead(actor=by, ticket=ticket, lead=True, disposition="confirmed", disposition_reason="Seen")


def open_to_all(by: User, ticket: Ticket) -> None:
    incidents.restrict_incident(actor=by, incident=ticket.incident, restricted=False, reason="All know")


def absorb(by: User, ticket: Ticket) -> None:
    target = incidents.open_incident(actor=by, title="The other one", type="malware", severity="critical", reporter=by)
    merge_incidents(actor=by, source=ticket.incident, target=target, reason="The same")


def another_step(by: User, ticket: Ticket) -> None:
    beside = actions.add_ticket(actor=by, incident=ticket.incident, title="Beside")
    carried_out(give(beside, by, "create_tickets", {"tasks": "- [ ] One"}, name="first"), by)


OTHER_WAYS: dict[str, tuple[str, str, Change]] = {
    "a dropped branch comes back": ("ticket.branch_restored", "affectedUsers == 99", drop_and_take_back),
    "all that was dropped comes back": ("ticket.all_restored", "affectedUsers == 99", drop_all_and_take_back),
    "several come back": ("tickets.change_undone", "affectedUsers == 99", drop_several_and_take_back),
    "several are changed": (
        "tickets.changed", "ticket.priority == 'high'",
        lambda by, one: bulk.change_tickets(
            actor=by, incident=one.incident, numbers=[one.number], fields={"priority": "high"}
        ),
    ),
    "it is handed over": ("ticket.assigned", "ticket.assignee == 'Bob Example'", hand_over),
    "a status gives way": ("ticket.restated", "ticket.status == 'queued'", restate),
    "a priority gives way": ("ticket.restated", "ticket.priority == 'high'", prioritise),
    "a lead has a result": ("ticket.lead_resolved", "ticket.lead", resolve),
    "it is open to all": ("incident.unrestricted", "not restricted", open_to_all),
    "the incident is merged into another": ("incident.absorbed", "severity == 'critical'", absorb),
    "another step has ended": ("automation.done", "steps.first is defined", another_step),
}  # fmt: skip


@pytest.mark.parametrize("way", OTHER_WAYS)
def test_there_are_other_ways_to_make_it_true(waiting, ticket: Ticket, alice: User, way: str) -> None:
    verb, condition, change = OTHER_WAYS[way]
    if condition == "not restricted":
        incidents.restrict_incident(actor=alice, incident=ticket.incident, restricted=True, reason="Rumour")
    automation = waiting(condition)
    change(alice, fresh(ticket))
    react()
    assert JournalEntry.objects.filter(verb=verb).exists()
    assert automation.executions.count() == 1


@pytest.mark.parametrize("end", ["dried", "declined", "cancelled", "failed"])
def test_what_began_to_hold_while_it_was_asked_for_by_hand_is_not_missed(
    waiting, ticket: Ticket, alice: User, bob: User, end: str
) -> None:
    automation = waiting("affectedUsers > 50", needs_approval=end in ("declined", "cancelled"))
    execution = asked(automation, bob, dry=end == "dried")
    edit_incident(alice, ticket, affected_users=51)
    react()
    assert automation.executions.count() == 1
    if end == "declined":
        executions.decline(actor=alice, execution=execution, reason="Not now")
    elif end == "cancelled":
        executions.cancel(actor=bob, execution=execution)
    else:
        work_off(Execution) if end == "dried" else executions.finish(
            actor=executions.machine(automation), execution=running(execution), error="No", output={}
        )
    react()
    assert JournalEntry.objects.filter(verb=f"automation.{end}").exists()
    assert automation.executions.count() == 2
    assert Automation.objects.get(pk=automation.pk).fired_at is not None


def running(execution: Execution) -> Execution:
    found = Execution.claim(execution.pk)
    assert found is not None
    return found


# -- At the same cost -------------------------------------------------------------------------------------------------
def queries(run: Callable[[], Any]) -> int:
    with CaptureQueriesContext(connection) as asked_for:
        run()
    return len(asked_for)


def test_looking_costs_the_same_however_many_wait(ticket: Ticket, make_ticket, bob: User) -> None:
    def more(count: int) -> None:
        for number in range(count):
            step = "steps.lookup.verdict == 'bad' and ticket.title == 'x' and 'a' in ticket.tags and tags"
            one = make_ticket(f"Step {number}")
            give(one, bob, "create_tickets", {"tasks": "- [ ] x"}, trigger="condition", condition=step)

    more(3)
    few = queries(lambda: ready(fresh(ticket).incident))
    more(27)
    assert queries(lambda: ready(fresh(ticket).incident)) == few <= 8


def test_a_ticket_that_waits_for_nothing_costs_one_look(ticket: Ticket, waiting, make_ticket, alice: User) -> None:
    for number in range(10):
        waiting("ticket.title == 'Nothing'", on=make_ticket(f"Step {number}"))
    incident = fresh(ticket).incident
    assert queries(lambda: ready(incident, ticket=ticket.pk)) == 1


def test_the_newest_output_of_the_same_run_counts(ticket: Ticket, waiting, make_ticket, bob: User) -> None:
    first = give(ticket, bob, "create_tickets", {"tasks": "- [ ] One"}, name="first")
    for output in ({"verdict": "bad"}, {"verdict": "good"}):
        execution = running(asked(first, bob))
        executions.finish(actor=executions.machine(first), execution=execution, output=output)
    react()
    bad = waiting("ticket.number == 0 and steps.first", on=make_ticket("Bad"))
    good = waiting("ticket.number == 0 and steps.first", on=make_ticket("Good"))
    Automation.objects.filter(pk=bad.pk).update(condition="steps.first.verdict == 'bad'")
    Automation.objects.filter(pk=good.pk).update(condition="steps['first'].verdict == 'good'")
    assert ready(fresh(ticket).incident) == [good]
