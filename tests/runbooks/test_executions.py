"""Automations at work: who may set them off, what is written down, and what happens once whatever dies."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.utils import timezone

from comms.models import Notification
from core import work
from core.models import JournalEntry, Reaction
from incidents.actions import team
from incidents.actions.incidents import edit_incident
from incidents.models import Incident, Role, RoleAssignment
from people.models import User
from runbooks import registry, tasks
from runbooks.actions import executions
from runbooks.actions.automations import remove_automation, set_automation
from runbooks.models import ActionSwitch, Execution, Secret
from runbooks.queries.automations import waiting_for
from runbooks.registry import ACTIONS, Call, Done, Failed
from tests.comms.working import work_off
from tests.runbooks.automating import allow, asked, carried_out, give, hide, switch, worked
from tickets.actions import tickets as ticket_actions
from tickets.models import Ticket


@pytest.fixture
def ticket(make_ticket: Callable[..., Ticket]) -> Ticket:
    return make_ticket("Look the address up")


@pytest.fixture
def server() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """A web server on loopback that writes down what it is asked, and echoes a header."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}})
            status = 503 if "fail" in self.path else 200
            body = json.dumps({"verdict": "bad", "echo": self.headers.get("X-Key", ""), "path": self.path}).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    found = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    yield found.server_address[1], seen
    found.shutdown()
    found.server_close()


def outcome(ticket: Ticket) -> str:
    return Ticket.objects.get(pk=ticket.pk).outcome


def verbs(ticket: Ticket) -> list[str]:
    rows = JournalEntry.objects.filter(stream=ticket.journal_stream, verb__startswith="automation.")
    return list(rows.order_by("seq").values_list("verb", flat=True))


# -- What comes out ---------------------------------------------------------------------------------------------------
def test_bob_lets_an_automation_add_tickets_and_all_of_it_is_written_down(ticket: Ticket, bob: User) -> None:
    automation = give(
        ticket, bob, "create_tickets", {"tasks": "- [ ] Ask {{ incident.number }}\n  - [ ] Below"}, name="add"
    )
    done = carried_out(automation, bob)
    assert (done.state, done.error) == ("done", "")
    assert done.output == {"tickets": [102, 103]}
    assert done.input == {"tasks": f"- [ ] Ask {ticket.incident.number}\n  - [ ] Below"}
    assert done.duration_ms is not None
    assert done.started_at is not None
    assert "added #102, #103" in done.log
    assert Ticket.objects.get(number=102).title == f"Ask {ticket.incident.number}"
    assert outcome(ticket) == "Create tickets (add): added #102, #103"
    assert verbs(ticket) == ["automation.set", "automation.asked", "automation.done"]
    last = JournalEntry.objects.filter(verb="automation.done").get()
    assert (last.actor_kind, last.actor_name) == ("automation", "Automation of #101")
    assert "Ask" not in json.dumps(last.data)


def test_an_automation_adds_tickets_that_are_done_where_its_lines_say_so(ticket: Ticket, bob: User) -> None:
    carried_out(give(ticket, bob, "create_tickets", {"tasks": "- [x] Done\n- [ ] To do"}), bob)
    assert [Ticket.objects.get(number=number).status for number in (102, 103)] == ["done", "open"]


def test_an_answer_of_a_server_is_there_for_the_next_step(ticket, bob, make_ticket, server) -> None:
    port, seen = server
    switch("http_request")
    allow(port)
    automation = give(
        ticket, bob, "http_request", {"url": f"http://127.0.0.1:{port}/a?t={{{{ ticket.number }}}}"}, name="lookup"
    )
    done = carried_out(automation, bob)
    assert (done.state, done.error) == ("done", "")
    assert done.output["body"]["verdict"] == "bad"
    assert seen[0]["headers"]["idempotency-key"] == str(done.key)
    assert outcome(ticket).startswith("HTTP request (lookup): answered 200")
    next_one = make_ticket("Write it down")
    automation = give(next_one, bob, "create_tickets", {"tasks": "- [ ] It is {{ steps.lookup.body.verdict }}"})
    assert carried_out(automation, bob).state == "done"
    assert Ticket.objects.latest("number").title == "It is bad"


def test_a_failure_is_written_down_and_holds_up_nothing_but_its_ticket(ticket, bob, make_ticket) -> None:
    switch("http_request")
    failed = carried_out(give(ticket, bob, "http_request", {"url": "http://127.0.0.1:1/"}), bob)
    assert failed.state == "failed"
    assert "an admin can allow 127.0.0.1:1" in failed.error
    assert outcome(ticket).startswith("HTTP request: failed: Port 1 is not open")
    assert verbs(ticket)[-1] == "automation.failed"
    other = make_ticket("Another")
    assert carried_out(give(other, bob, "set_status", {"status": "doing"}), bob).state == "done"
    assert Ticket.objects.get(pk=other.pk).status == "doing"


@pytest.mark.parametrize(
    ("action_name", "parameters", "words"),
    [
        ("create_tickets", {"tasks": ""}, "Line|do not read|at least one"),
        ("create_tickets", {"tasks": "- [ ] a\n  ```action\n  set_status: {status: done}\n  ```"}, "cannot be in"),
        ("create_tickets", {"tasks": "- [ ] {{ nowhere }}"}, "nowhere"),
        ("set_status", {"status": "eaten"}, "no status"),
        ("set_status", {"status": "done", "ticket": 999}, "no #999"),
        ("set_status", {"status": "dropped"}, "Say why"),
        ("wait_for", {}, "how long"),
        ("wait_for", {"minutes": "soon"}, "number"),
        ("wait_for", {"minutes": 60 * 24 * 365}, "30 days"),
        ("ask_human", {"text": "?", "fields": "x"}, "fields"),
        ("ask_human", {"text": "?", "fields": [{"name": "__class__"}]}, "name"),
        ("run_runbook", {"runbook": "none"}, "no runbook"),
        ("eaten", {}, "plug-in is missing"),
        ("set_status", {"status": "{{ secrets.token }}"}, "only for actions that reach out"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_fails_with_words(action_name, parameters, words, ticket, bob) -> None:
    failed = carried_out(give(ticket, bob, action_name, parameters), bob)
    assert failed.state == "failed"
    assert re.search(words, failed.error), failed.error
    assert Ticket.objects.filter(incident=ticket.incident).without_root().count() == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [("a\nb", "single line"), ("a\u202eb", "direction of writing"), ("x" * 201, "at most 200"), ("\u200b", "visible")],
)
def test_a_value_from_outside_becomes_part_of_a_title_only_as_a_typed_one_would(
    value, words, ticket, bob, make_ticket, make_runbook, action
) -> None:
    make_runbook("isolate", "- [ ] Isolate {{ host }}\n")
    action("look", lambda call: Done({"host": value}))
    assert carried_out(give(make_ticket("Look"), bob, "look", {}, name="look"), bob).state == "done"
    start = {"runbook": "isolate", "values": {"host": "{{ steps.look.host }}"}}
    failed = carried_out(give(ticket, bob, "run_runbook", start), bob)
    assert failed.error.startswith("The value host: ")
    assert words in failed.error
    assert not Ticket.objects.filter(title__startswith="Isolate").exists()


def test_what_an_action_did_before_it_failed_is_taken_back(ticket, bob, action) -> None:
    def half(call: Call) -> Done:
        ticket_actions.add_ticket(actor=call.actor, incident=call.incident, title="Half")
        raise Failed("No further.")

    action("half", half, inside=True)
    assert carried_out(give(ticket, bob, "half", {}), bob).error == "No further."
    assert not Ticket.objects.filter(title="Half").exists()


# -- Secrets ----------------------------------------------------------------------------------------------------------
CANARY = "canary/s3cr3t+value"


def test_a_secret_goes_out_and_is_seen_nowhere(ticket, bob, server, caplog) -> None:
    port, seen = server
    switch("http_request")
    allow(port)
    hide("intel", CANARY, "127.0.0.1")
    url = f"http://127.0.0.1:{port}/q?key={{{{ secrets.intel }}}}"
    automation = give(ticket, bob, "http_request", {"url": url, "headers": {"X-Key": "{{ secrets.intel }}"}}, name="x")
    done = carried_out(automation, bob)
    assert done.state == "done", done.error
    assert seen[0]["headers"]["x-key"] == CANARY
    assert done.output["body"]["echo"] == "••••••"
    rows = [
        *Execution.objects.values(),
        *JournalEntry.objects.values(),
        *Secret.objects.values(),
        *Ticket.objects.values(),
    ]
    history: Any = Secret.history
    stored = json.dumps([*rows, *history.values()], default=str) + caplog.text
    assert CANARY not in stored
    assert "s3cr3t" not in stored


def test_a_secret_goes_only_where_it_may(ticket, bob, server) -> None:
    port, seen = server
    switch("http_request")
    allow(port)
    hide("intel", CANARY, "intel.example")
    failed = carried_out(
        give(
            ticket, bob, "http_request", {"url": f"http://127.0.0.1:{port}/", "headers": {"a": "{{ secrets.intel }}"}}
        ),
        bob,
    )
    assert failed.error == "The secret intel may not be sent to 127.0.0.1."
    assert seen == []


def test_a_secret_that_is_not_there_is_a_failure(ticket, bob) -> None:
    switch("http_request")
    failed = carried_out(give(ticket, bob, "http_request", {"url": "https://x.example/{{ secrets.none }}"}), bob)
    assert "no secret named none" in failed.error


# -- Off, and approvals -----------------------------------------------------------------------------------------------
def test_what_reaches_out_is_off_until_an_admin_turns_it_on(ticket, bob, server) -> None:
    port, seen = server
    allow(port)
    automation = give(ticket, bob, "http_request", {"url": f"http://127.0.0.1:{port}/"})
    execution = asked(automation, bob)
    assert execution.waiting == "approval"
    executions.cancel(actor=bob, execution=execution)
    switch("http_request", approval=False)
    ActionSwitch.objects.update(enabled=False)
    assert "turned off" in carried_out(automation, bob).error
    assert seen == []


def test_who_asked_cannot_agree_but_somebody_else_who_leads_can(ticket, alice, bob, server) -> None:
    port, seen = server
    allow(port)
    switch("http_request", approval=True)
    execution = asked(give(ticket, bob, "http_request", {"url": f"http://127.0.0.1:{port}/"}), bob)
    assert worked(execution).waiting == "approval"
    with pytest.raises(ValidationError, match="Only somebody who leads"):
        executions.approve(actor=bob, execution=execution, alone=True)
    executions.approve(actor=alice, execution=execution)
    assert worked(execution).state == "done"
    assert len(seen) == 1
    assert verbs(ticket)[-2:] == ["automation.approved", "automation.done"]


def test_who_alone_leads_agrees_to_what_they_asked_once_they_confirm_it(ticket, alice) -> None:
    execution = asked(give(ticket, alice, "set_status", {"status": "doing"}, needs_approval=True), alice)
    with pytest.raises(ValidationError, match="confirm that nobody else"):
        executions.approve(actor=alice, execution=execution)
    executions.approve(actor=alice, execution=execution, alone=True)
    assert JournalEntry.objects.get(verb="automation.approved").data["alone"] is True
    assert worked(execution).state == "done"


def test_once_somebody_else_leads_the_one_who_asked_cannot_agree_any_more(ticket, alice, carol) -> None:
    execution = asked(give(ticket, alice, "set_status", {"status": "doing"}, needs_approval=True), alice)
    shown = Execution.objects.get(pk=execution.pk)
    assert shown.may_be_approved_by(alice)
    team.assign_role(actor=alice, incident=ticket.incident, user=carol, role=Role.TECHNICAL)
    with pytest.raises(ValidationError, match="Who asked for it cannot agree"):
        executions.approve(actor=alice, execution=shown, alone=True)
    assert worked(execution).waiting == "approval"
    executions.approve(actor=carol, execution=execution, alone=True)
    assert JournalEntry.objects.get(verb="automation.approved").data["alone"] is False
    assert worked(execution).state == "done"


def test_who_wrote_what_sets_itself_off_cannot_agree_to_it(ticket, alice, bob, carol) -> None:
    """Nobody asked for it: then it is asked for by who wrote it, or the second pair of eyes would be their own."""
    team.assign_role(actor=alice, incident=ticket.incident, user=carol, role=Role.TECHNICAL)
    switch("http_request", approval=True)
    always = {"trigger": "condition", "condition": "affectedUsers is none"}
    give(ticket, alice, "http_request", {"url": "https://x.example/"}, **always)
    work_off(Reaction)
    execution = Execution.objects.get()
    assert (execution.waiting, execution.asked_by) == ("approval", None)
    assert [list(waiting_for(one)) for one in (alice, carol)] == [[], [execution]]
    for alone in (False, True):
        with pytest.raises(ValidationError, match="let somebody else who leads look at it"):
            executions.approve(actor=alice, execution=execution, alone=alone)
    assert executions.approve(actor=carol, execution=execution).approved_by == carol


def test_who_wrote_it_agrees_where_somebody_else_set_it_off(ticket, alice, bob, carol) -> None:
    team.assign_role(actor=alice, incident=ticket.incident, user=carol, role=Role.TECHNICAL)
    automation = give(ticket, alice, "set_status", {"status": "doing"}, needs_approval=True)
    execution = asked(automation, bob)
    assert list(waiting_for(alice)) == [execution]
    assert worked(executions.approve(actor=alice, execution=execution)).state == "done"


def test_who_led_when_it_was_shown_and_leads_no_more_cannot_agree(ticket, alice, bob, carol) -> None:
    role = team.assign_role(actor=alice, incident=ticket.incident, user=carol, role=Role.TECHNICAL)
    execution = asked(give(ticket, bob, "set_status", {"status": "doing"}, needs_approval=True), bob)
    team.end_role(actor=alice, assignment=role)
    with pytest.raises(ValidationError, match="Only somebody who leads"):
        executions.approve(actor=carol, execution=execution)
    assert worked(execution).waiting == "approval"


def test_what_changed_since_somebody_agreed_needs_another_look(ticket, alice, bob) -> None:
    automation = give(
        ticket, bob, "set_status", {"status": "doing", "reason": "{{ ticket.title }}"}, needs_approval=True
    )
    execution = asked(automation, bob)
    executions.approve(actor=alice, execution=execution)
    now = Ticket.objects.get(pk=ticket.pk)
    ticket_actions.edit_ticket(actor=bob, ticket=now, version=now.version, fields={"title": "Something else"})
    again = worked(execution)
    assert (again.state, again.waiting, again.approved_by) == ("queued", "approval", None)
    assert again.input["reason"] == "Something else"
    assert Ticket.objects.get(pk=ticket.pk).status == "open"
    executions.approve(actor=alice, execution=again)
    assert worked(again).state == "done"


def test_alice_says_no_with_a_reason(ticket, alice, bob) -> None:
    execution = asked(give(ticket, bob, "set_status", {"status": "doing"}, needs_approval=True), bob)
    with pytest.raises(ValidationError):
        executions.decline(actor=alice, execution=execution, reason=" ")
    executions.decline(actor=alice, execution=execution, reason="Not now")
    found = worked(execution)
    assert (found.state, found.error) == ("cancelled", "Alice Example said no: Not now")
    with pytest.raises(ValidationError, match="any more"):
        executions.approve(actor=alice, execution=execution)


def test_who_lost_access_since_asking_sets_nothing_off(ticket, alice, bob) -> None:
    execution = asked(give(ticket, bob, "set_status", {"status": "doing"}), bob)
    role = RoleAssignment.objects.get(user=bob, incident=ticket.incident, until=None)
    team.end_role(actor=alice, assignment=role)
    assert "does not work in this incident any more" in worked(execution).error
    assert Ticket.objects.get(pk=ticket.pk).status == "open"


def test_who_agreed_and_leads_no_more_counts_no_more(ticket, alice, bob, carol) -> None:
    lead = team.assign_role(actor=alice, incident=ticket.incident, user=carol, role=Role.TECHNICAL)
    execution = asked(give(ticket, bob, "set_status", {"status": "doing"}, needs_approval=True), bob)
    executions.approve(actor=carol, execution=execution)
    team.end_role(actor=alice, assignment=lead)
    assert "does not lead" in worked(execution).error


# -- Asking and waiting -----------------------------------------------------------------------------------------------
def test_somebody_is_asked_and_the_answer_feeds_the_next_step(ticket, bob, make_ticket) -> None:
    fields = [{"name": "host", "label": "Which host?"}, {"name": "sure", "choices": ["yes", "no"]}]
    automation = give(ticket, bob, "ask_human", {"text": "What is hit?", "fields": fields}, name="who")
    execution = carried_out(automation, bob)
    assert (execution.state, execution.waiting) == ("queued", "answer")
    assert [one["name"] for one in execution.question["fields"]] == ["host", "sure"]
    executions.answer(actor=bob, execution=execution, answers={"host": "FS01", "sure": "yes"})
    done = worked(execution)
    assert done.output == {"host": "FS01", "sure": "yes"}
    assert "Bob Example answered: Which host?: FS01" in outcome(ticket)
    other = give(make_ticket("Next"), bob, "create_tickets", {"tasks": "- [ ] Isolate {{ steps.who.host }}"})
    assert carried_out(other, bob).state == "done"
    assert Ticket.objects.latest("number").title == "Isolate FS01"


def test_a_wait_ends_in_its_time_and_is_not_counted_as_a_try(ticket, bob) -> None:
    execution = carried_out(give(ticket, bob, "wait_for", {"minutes": 30}), bob)
    assert (execution.state, execution.waiting) == ("queued", "time")
    work.sweep()
    tasks.execute(execution.pk)
    assert Execution.objects.get(pk=execution.pk).state == "queued"
    with time_machine.travel(timezone.now() + timedelta(minutes=31), tick=True):
        work.sweep()
        tasks.execute(execution.pk)
    assert Execution.objects.get(pk=execution.pk).state == "done"


def test_waiting_for_an_approval_goes_on_when_somebody_agrees(ticket, alice, bob) -> None:
    execution = carried_out(give(ticket, bob, "wait_for", {"approval": "May we unplug it?"}), bob)
    assert (execution.waiting, execution.question) == ("approval", {"text": "May we unplug it?"})
    executions.approve(actor=alice, execution=execution)
    assert worked(execution).output == {"approved_by": "Alice Example"}


# -- Retries, crashes, cancelling -------------------------------------------------------------------------------------
def test_a_server_in_trouble_is_tried_again_later_each_time_and_then_no_more(ticket, bob, server) -> None:
    port, seen = server
    switch("http_request")
    allow(port)
    execution = carried_out(give(ticket, bob, "http_request", {"url": f"http://127.0.0.1:{port}/fail"}, retries=2), bob)
    delays = []
    now = timezone.now()
    for _ in range(2):
        found = Execution.objects.get(pk=execution.pk)
        assert (found.state, found.waiting) == ("queued", "time")
        delays.append((found.due - now).total_seconds())
        tasks.execute(execution.pk)
        assert Execution.objects.get(pk=execution.pk).attempts == found.attempts  # not before its time
        now = found.due + timedelta(seconds=1)
        with time_machine.travel(now, tick=False):
            tasks.execute(execution.pk)
    found = Execution.objects.get(pk=execution.pk)
    assert (found.state, len(seen)) == ("failed", 3)
    assert delays[1] > delays[0] * 1.2
    assert {one["headers"]["idempotency-key"] for one in seen} == {str(execution.key)}
    assert outcome(ticket).count("failed") == 1


def test_trouble_of_the_house_is_no_failure_of_the_action(ticket, bob, action) -> None:
    tries: list[str] = []

    def add(call: Call) -> Done:
        tries.append(call.key)
        if len(tries) == 1:
            raise OperationalError("database is locked")
        return Done(outcome="added")

    action("add", add, inside=True)
    found = worked(asked(give(ticket, bob, "add", {}), bob))
    assert (found.state, found.error, outcome(ticket)) == ("queued", "Interrupted: OperationalError.", "")
    with time_machine.travel(found.due + timedelta(seconds=1), tick=False):
        tasks.execute(found.pk)
    assert Execution.objects.get(pk=found.pk).state == "done"
    assert outcome(ticket) == "Add: added"


def test_much_that_other_steps_gave_is_in_nobodys_way(ticket, bob, make_ticket, action) -> None:
    action("much", lambda call: Done({"items": list(range(6000)), "count": 6000}))
    for name in ("one", "two"):
        assert carried_out(give(make_ticket(name), bob, "much", {}, name=name), bob).state == "done"
    tasks_text = {"tasks": "- [ ] There are {{ steps.one.count }}, not {{ incident.number }} steps"}
    automation = give(ticket, bob, "create_tickets", tasks_text, condition="ticket.status == 'open'")
    assert carried_out(automation, bob).error == ""
    assert Ticket.objects.filter(title__startswith="There are 6000").exists()
    both = give(
        make_ticket("Both"),
        bob,
        "ask_human",
        {"text": "{{ steps.one.items }}{{ steps['two'].items }}", "fields": ["a"]},
    )
    assert "too many values" in carried_out(both, bob).error


def test_an_effect_and_its_end_are_one(ticket, bob, monkeypatch) -> None:
    execution = asked(give(ticket, bob, "create_tickets", {"tasks": "- [ ] Once"}), bob)
    real = executions.finish

    def dies(**fields: Any) -> None:
        real(**fields)
        raise DatabaseError("The server went away.")

    monkeypatch.setattr(executions, "finish", dies)
    tasks.execute(execution.pk)
    assert not Ticket.objects.filter(title="Once").exists()
    monkeypatch.setattr(executions, "finish", real)
    with time_machine.travel(timezone.now() + timedelta(minutes=5), tick=True):
        work.sweep()
        tasks.execute(execution.pk)
        tasks.execute(execution.pk)
    assert Ticket.objects.filter(title="Once").count() == 1
    assert Execution.objects.get(pk=execution.pk).state == "done"


def test_one_that_kills_its_worker_is_given_up_after_three_times(ticket, bob) -> None:
    execution = asked(give(ticket, bob, "set_status", {"status": "doing"}), bob)
    for _ in range(3):
        assert Execution.claim(execution.pk) is not None
        Execution.objects.update(due=timezone.now() - timedelta(seconds=1))
        work.sweep()
        Execution.objects.filter(state="queued").update(due=timezone.now() - timedelta(seconds=1))
    found = Execution.objects.get(pk=execution.pk)
    assert (found.state, found.error) == ("failed", "Given up: the worker died 3 times.")
    assert verbs(ticket)[-1] == "automation.failed"


def test_what_is_cancelled_while_it_is_done_is_not_kept(ticket, alice, bob, action) -> None:
    def slow(call: Call) -> Done:
        Execution.objects.update(state="cancelled")
        return Done({"a": 1}, "did it")

    action("slow", slow)
    execution = carried_out(give(ticket, bob, "slow", {}), bob)
    assert (execution.state, execution.output) == ("cancelled", {})
    assert outcome(ticket) == ""


def test_a_plug_in_that_breaks_off_is_a_failure_and_its_words_are_not_logged(ticket, bob, action, caplog) -> None:
    def broken(call: Call) -> Done:
        raise KeyError(CANARY)

    action("broken", broken)
    failed = carried_out(give(ticket, bob, "broken", {}), bob)
    assert failed.error == "Broken broke off (KeyError)."
    assert CANARY not in caplog.text


@pytest.mark.parametrize("junk", [{"a": [[]] * 20_000}, {"a": 2**70}])
def test_what_cannot_be_kept_is_a_failure(junk, ticket, bob, action) -> None:
    action("junk", lambda call: Done(junk, "x"))
    assert "cannot be kept" in carried_out(give(ticket, bob, "junk", {}), bob).error


def test_there_is_one_at_a_time(ticket, alice, bob) -> None:
    automation = give(ticket, bob, "set_status", {"status": "doing"}, needs_approval=True)
    execution = asked(automation, bob)
    with pytest.raises(ValidationError, match="already"):
        asked(automation, alice)
    with pytest.raises(IntegrityError), transaction.atomic():
        Execution.objects.create(automation=automation)
    with pytest.raises(ValidationError, match="cancel it first"):
        set_automation(actor=bob, ticket=ticket, version=automation.version, fields={"action": "wait_for"})
    executions.cancel(actor=bob, execution=execution)
    with pytest.raises(ValidationError, match="ended already"):
        executions.cancel(actor=bob, execution=execution)
    assert carried_out(automation, bob, dry=True).state == "done"


def test_dry_says_what_it_would_do_and_does_nothing(ticket, bob, make_ticket) -> None:
    done = carried_out(give(ticket, bob, "set_status", {"status": "done"}, needs_approval=True), bob, dry=True)
    assert done.output["would"] == "Would set #101 Look the address up from Open to Done."
    assert (Ticket.objects.get(pk=ticket.pk).status, outcome(ticket)) == ("open", "")
    assert verbs(ticket)[-1] == "automation.dried"


def test_an_automation_that_has_run_stays_and_another_can_be_taken_away(ticket, bob, make_ticket) -> None:
    automation = give(ticket, bob, "set_status", {"status": "doing"})
    other = give(make_ticket("Other"), bob, "set_status", {"status": "doing"})
    remove_automation(actor=bob, automation=other)
    carried_out(automation, bob)
    with pytest.raises(ValidationError, match="it stays"):
        remove_automation(actor=bob, automation=automation)


# -- By themselves ----------------------------------------------------------------------------------------------------
def run_all() -> None:
    work_off(Reaction, Execution)


def test_it_runs_when_its_ticket_starts_and_once(ticket, bob, make_ticket) -> None:
    automation = give(ticket, bob, "create_tickets", {"tasks": "- [ ] By itself"}, trigger="start")
    run_all()
    assert not automation.executions.exists()
    for status in ("doing", "open", "doing"):
        ticket_actions.set_status(actor=bob, ticket=Ticket.objects.get(pk=ticket.pk), status=status)
        run_all()
    assert Ticket.objects.filter(title="By itself").count() == 1
    assert automation.executions.get().asked_by == bob


def test_it_runs_as_soon_as_its_condition_holds_and_once(ticket, incident, alice, bob) -> None:
    automation = give(
        ticket, bob, "create_tickets", {"tasks": "- [ ] Many"}, trigger="condition", condition="affectedUsers > 50"
    )
    for users in (10, 80, 90):
        now = Incident.objects.get(pk=incident.pk)
        edit_incident(actor=alice, incident=now, version=now.version, fields={"affected_users": users})
        run_all()
        assert automation.executions.count() == (0 if users == 10 else 1)
    assert Ticket.objects.filter(title="Many").count() == 1


@pytest.mark.parametrize("trigger", ["start", "condition"])
def test_what_bob_had_done_by_hand_is_not_done_once_more_by_itself(trigger, ticket, incident, alice, bob) -> None:
    """He asked for it just before the ticket started, or its condition held: what comes then is no news."""
    condition = "affectedUsers > 50" if trigger == "condition" else ""
    tell = {"tasks": "- [ ] Once"}
    automation = give(ticket, bob, "create_tickets", tell, trigger=trigger, condition=condition, needs_approval=True)
    execution = asked(automation, bob)
    ticket_actions.set_status(actor=bob, ticket=ticket, status="doing")
    now = Incident.objects.get(pk=incident.pk)
    edit_incident(actor=alice, incident=now, version=now.version, fields={"affected_users": 80})
    run_all()
    executions.approve(actor=alice, execution=execution)
    for _ in range(3):
        run_all()
    assert Ticket.objects.filter(title="Once").count() == 1
    assert automation.executions.count() == 1


def test_a_click_does_nothing_while_the_condition_does_not_hold(ticket, bob) -> None:
    automation = give(ticket, bob, "set_status", {"status": "doing"}, condition="affectedUsers > 50")
    assert "does not hold" in carried_out(automation, bob).error


def test_a_condition_that_cannot_be_read_sets_nothing_off(ticket, bob) -> None:
    give(ticket, bob, "set_status", {"status": "doing"}, trigger="condition", condition="a.b()")
    run_all()
    assert not Execution.objects.exists()


def test_a_closed_incident_carries_nothing_out(ticket, incident, alice, bob) -> None:
    execution = asked(give(ticket, bob, "create_tickets", {"tasks": "- [ ] Late"}), bob)
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    assert "is closed" in worked(execution).error
    assert not Ticket.objects.filter(title="Late").exists()
    with pytest.raises(ValidationError, match="closed"):
        asked(execution.automation, bob)


def test_a_dropped_ticket_carries_nothing_out(ticket, bob) -> None:
    execution = asked(give(ticket, bob, "create_tickets", {"tasks": "- [ ] Late"}), bob)
    ticket_actions.drop_branch(actor=bob, ticket=ticket, reason="No")
    assert "dropped" in worked(execution).error


# -- Plug-ins ---------------------------------------------------------------------------------------------------------
def test_a_broken_plug_in_is_left_out_with_a_line_in_the_log(monkeypatch, caplog) -> None:
    class Point:
        name = "broken"

        def load(self) -> Any:
            raise ImportError("no module")

    class Other(Point):
        name = "other"

        def load(self) -> Any:
            return "nothing"

    monkeypatch.setattr(registry, "entry_points", lambda group: [Point(), Other()])
    before = dict(ACTIONS)
    registry.load_plugins()
    assert before == ACTIONS
    assert "broken" in caplog.text
    assert "other" in caplog.text


def test_scripts_are_run_from_their_folder(ticket, alice, bob, settings, tmp_path: Path) -> None:
    settings.SCRIPTS_DIR = tmp_path
    script = tmp_path / "enrich"
    script.write_text(
        '#!/bin/sh\ncat > /dev/null\necho looked >&2\necho \'{"verdict": "bad", "outcome": "It is bad."}\'\n'
    )
    script.chmod(0o755)
    switch("script")
    done = carried_out(give(ticket, bob, "script", {"name": "enrich", "input": {"ip": "192.0.2.1"}}, name="e"), bob)
    assert (done.state, done.error) == ("done", "")
    assert done.output["verdict"] == "bad"
    assert "looked" in done.log
    assert outcome(ticket) == "Script or analyzer (e): It is bad."


def test_people_and_roles_are_told_if_they_see_the_incident(secret, alice, bob, mallory) -> None:
    ticket = ticket_actions.add_ticket(actor=alice, incident=secret, title="Quiet")
    parameters = {"text": "Look at {{ ticket.title }}", "people": ["bob"], "roles": ["incident_commander"]}
    done = carried_out(give(ticket, bob, "notify", parameters), bob)
    assert (done.state, done.output) == ("done", {"told": 2})
    assert {one.user for one in Notification.objects.filter(text="Look at Quiet")} == {alice, bob}
    other = ticket_actions.add_ticket(actor=alice, incident=secret, title="Other")
    failed = carried_out(give(other, bob, "notify", {"text": "x", "people": ["mallory"]}), bob)
    assert failed.error == "@mallory is nobody who sees this incident."
    assert not Notification.objects.filter(user=mallory).exists()
