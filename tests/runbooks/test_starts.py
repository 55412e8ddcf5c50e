"""Running a runbook: its steps become a branch, with sub-playbooks, values, automations and a run that knows them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from core.models import JournalEntry
from core.verify import verify
from incidents.models import Incident
from runbooks.actions.starts import run_runbook, run_runbooks
from runbooks.models import Automation, Document, Run, RunState, RunStep, Trigger
from tests.runbooks.automating import carried_out, give
from tests.runbooks.conftest import MakeRunbook, put_in_force
from tickets.actions.quick import Sprout, plant_branch
from tickets.actions.tags import tags_of
from tickets.checks import broken
from tickets.models import Ticket

VALUES = {"link": "evil.example", "owner": "ada"}


def order(incident: Incident) -> list[tuple[int, str]]:
    rows = Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("lft")
    return list(rows.values_list("level", "title"))


def sound(incident: Incident) -> bool:
    return list(broken(Incident.objects.get(pk=incident.pk))) == []


@pytest.fixture
def run(incident: Incident, bob: Any) -> Callable[..., Run]:
    """Bob inserts it, with values unless a test says otherwise."""

    def insert(document: Document, **fields: Any) -> Run:
        fields = {"actor": bob, "incident": incident, "under": None, "values": VALUES, **fields}
        return run_runbook(document=document, **fields)

    return insert


# -- What becomes of a runbook ----------------------------------------------------------------------------------------
def test_bob_inserts_a_runbook_and_its_sub_playbook_below_a_ticket(run, phishing, incident, make_ticket) -> None:
    make_ticket("Mail wave")
    run(phishing, under=101)
    assert order(incident) == [
        (1, "Mail wave"), (2, "Phishing"), (3, "Containment"), (4, "Block evil.example at the proxy"),
        (5, "Take a photo"), (4, "Reset an account"), (5, "Reset the password of ada"),
        (5, "Look for rules in the mailbox"), (3, "After"), (4, "Tell the customer"),
    ]  # fmt: skip
    assert sound(incident)


def test_people_limits_leads_tags_and_texts_come_along(run, phishing, bob) -> None:
    run(phishing)
    block = Ticket.objects.get(title__startswith="Block")
    assert (block.assignee, block.time_limit, block.lead, tags_of(block)) == (bob, 120, True, ["network"])
    assert block.description == "Ask ada first."
    assert "<strong>evil.example</strong>" in Ticket.objects.get(title="Phishing").description_html
    assert Ticket.objects.get(title="Take a photo").shared


def test_what_somebody_gives_a_step_later_to_do_has_the_values_of_the_run(run, phishing, make_ticket, bob) -> None:
    run(phishing)
    step = Ticket.objects.get(title__startswith="Block")
    tasks = {"tasks": "- [ ] Watch {{ link }}"}
    assert carried_out(give(step, bob, "create_tickets", tasks), bob).state == "done"
    assert Ticket.objects.filter(title="Watch evil.example").exists()
    assert give(make_ticket("No step of any run"), bob, "create_tickets", tasks).run is None


def test_a_step_that_is_written_as_done_is_open_in_each_run(run, make_runbook) -> None:
    found = run(make_runbook("r", "- [x] Take a photo\n  - [x] Of the screen\n"))
    assert list(found.steps.values_list("ticket__status", flat=True)) == ["open", "open"]
    assert [step.ticket.finished_at for step in found.steps.all()] == [None, None]


def test_a_role_that_nobody_holds_leaves_the_ticket_to_nobody_and_the_step_remembers_it(run, phishing) -> None:
    found = run(phishing)
    step = found.steps.get(title="Reset the password of {{ owner }}")
    assert (step.ticket.assignee, step.who, step.place) == (None, "technical_lead", "1.2.1")


def test_the_run_knows_version_values_and_which_step_became_which_ticket(run, phishing, reset, bob) -> None:
    found = run(phishing)
    assert (found.of, found.values, found.started_by, found.state) == (phishing.active, VALUES, bob, RunState.RUNNING)
    assert found.ticket is not None
    assert found.ticket.title == "Phishing"
    steps = list(found.steps.all())
    assert [(one.position, one.place) for one in steps] == [
        (1, "1"), (2, "1.1"), (3, "1.1.1"), (4, "1.2"), (5, "1.2.1"), (6, "1.2.2"), (7, "2"), (8, "2.1"),
    ]  # fmt: skip
    assert steps[1].title == "Block {{ link }} at the proxy"
    assert (steps[3].of, steps[3].part, steps[4].of) == (phishing.active, reset.active, reset.active)


def test_an_action_block_is_an_automation_with_its_parameters_unfilled(run, phishing) -> None:
    found = run(phishing)
    made = Automation.objects.get()
    assert (made.ticket.title, made.action, made.run) == ("Tell the customer", "send_update", found)
    assert made.parameters == {"template": "initial-notice", "about": "{{ link }}"}
    assert (made.trigger, made.name) == (Trigger.START, "notice")
    assert made.history.count() == 1


def test_two_entries_tell_of_it_and_answer_for_all_its_history(run, phishing) -> None:
    before = JournalEntry.objects.count()
    found = run(phishing)
    planted, started = JournalEntry.objects.order_by("pk")[before:]
    assert (planted.verb, started.verb) == ("tickets.planted", "run.started")
    assert started.target_id == str(found.pk)
    assert set(started.history) == {"runbooks.HistoricalRun", "runbooks.HistoricalAutomation"}


def test_steps_that_were_unchecked_are_left_out_with_all_below_them(run, phishing, incident) -> None:
    found = run(phishing, skip={"1.2", "2.1"})
    assert [title for _, title in order(incident)] == [
        "Phishing", "Containment", "Block evil.example at the proxy", "Take a photo", "After",
    ]  # fmt: skip
    assert [(step.position, step.place) for step in found.steps.filter(left_out=False)] == [
        (1, "1"), (2, "1.1"), (3, "1.1.1"), (7, "2"),
    ]  # fmt: skip
    assert all(step.ticket for step in found.steps.filter(left_out=False))


def test_the_run_and_the_journal_know_what_bob_left_out(run, phishing, reset, bob) -> None:
    found = run(phishing, skip={"1.2", "2.1"})
    out = found.steps.filter(left_out=True)
    assert [(step.position, step.place, step.title, step.ticket) for step in out] == [
        (4, "1.2", "Reset an account", None), (5, "1.2.1", "Reset the password of {{ owner }}", None),
        (6, "1.2.2", "Look for rules in the mailbox", None), (8, "2.1", "Tell the customer", None),
    ]  # fmt: skip
    assert [step.of for step in out] == [phishing.active, reset.active, reset.active, phishing.active]
    entry = JournalEntry.objects.get(verb="run.started")
    assert (entry.actor_id, entry.data["left_out"], found.started_by) == (bob.pk, 4, bob)


def test_a_run_of_all_steps_left_nothing_out(run, phishing) -> None:
    assert not run(phishing).steps.filter(left_out=True).exists()
    assert JournalEntry.objects.get(verb="run.started").data["left_out"] == 0


def test_a_place_that_no_step_has_leaves_nothing_out(run, phishing) -> None:
    assert not run(phishing, skip={"9", "1.1.1.1"}).steps.filter(left_out=True).exists()


def test_the_database_keeps_no_ticket_of_a_step_that_was_left_out(run, reset) -> None:
    step = run(reset).steps.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        RunStep.objects.filter(pk=step.pk).update(left_out=True)


def test_two_runbooks_go_in_at_once_and_are_two_runs(incident, bob, phishing, reset) -> None:
    runs = run_runbooks(
        actor=bob, incident=incident, documents=[reset, phishing], under=None, values=VALUES, skip={"phishing": {"1"}}
    )
    assert [one.ticket.title for one in runs if one.ticket] == ["Reset an account", "Phishing"]
    made = [(one.steps.filter(left_out=False).count(), one.values) for one in runs]
    assert made == [(2, {"owner": "ada"}), (2, {"link": "evil.example"})]
    assert [one.steps.filter(left_out=True).count() for one in runs] == [0, 6]
    assert JournalEntry.objects.filter(verb="tickets.planted").count() == 1


def test_the_version_in_force_is_what_runs(run, reset, incident) -> None:
    put_in_force(reset, "- [ ] Only this\n")
    assert run(reset).of.number == 2
    assert order(incident) == [(1, "Reset an account"), (2, "Only this")]


# -- Values are text, whatever they say -------------------------------------------------------------------------------
@pytest.mark.parametrize("text", ["{{ secrets.token }}", "{{ owner }}", "<b>x</b>", "{% now %}", "](javascript:x)"])
def test_a_value_is_never_read_again(run, phishing, text) -> None:
    run(phishing, values={"link": text, "owner": "ada"})
    assert Ticket.objects.get(title__startswith="Block").title == f"Block {text} at the proxy"
    html = Ticket.objects.get(title="Phishing").description_html
    assert "<b>" not in html
    assert 'href="javascript' not in html


def test_a_missing_value_is_named_and_nothing_is_made(run, phishing, incident) -> None:
    with pytest.raises(ValidationError, match="Give a value for owner"):
        run(phishing, values={"link": "x"})
    assert order(incident) == []


def test_a_value_that_only_a_left_out_step_asks_for_is_not_needed(run, phishing) -> None:
    run(phishing, values={"link": "x"}, skip={"1"})
    assert Run.objects.get().values == {"link": "x"}


def test_a_title_that_its_values_make_too_long_is_refused_by_its_place(run, phishing, incident) -> None:
    with pytest.raises(ValidationError, match=r"title of step 1\.1 has"):
        run(phishing, values={"link": "x" * 190, "owner": "ada"})
    assert order(incident) == []


# -- What cannot run --------------------------------------------------------------------------------------------------
def test_a_runbook_that_contains_itself_is_refused_with_the_way_round(run, make_runbook: MakeRunbook) -> None:
    first = make_runbook("a", "![[runbook:b]]\n", "First")
    make_runbook("b", "- [ ] x\n  ![[runbook:c]]\n", "Second")
    make_runbook("c", "![[runbook:a]]\n", "Third")
    with pytest.raises(ValidationError, match="“First” → “Second” → “Third” → “First”"):
        run(first)


def test_a_runbook_that_grows_without_end_is_refused_soon(run, make_runbook: MakeRunbook) -> None:
    for n in range(20):
        make_runbook(f"r{n}", f"![[runbook:r{n + 1}]]\n" * 10)
    top = Document.objects.get(slug="r0")
    make_runbook("r20", "- [ ] x\n")
    with pytest.raises(ValidationError, match="more than 5,000 steps"):
        run(top)


def test_more_than_fifty_levels_are_refused(run, make_runbook: MakeRunbook) -> None:
    for n in range(60):
        make_runbook(f"d{n}", f"![[runbook:d{n + 1}]]\n")
    make_runbook("d60", "- [ ] x\n")
    with pytest.raises(ValidationError, match="more than 50 levels"):
        run(Document.objects.get(slug="d0"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("![[runbook:nowhere]]\n", "“nowhere”, which is not there"),
        ("", "Nothing is left"),
        ("- [ ] x !2x\n", "cannot be read"),
        ("- [ ] x\n  ```action\n  go: {on: later}\n  ```\n", "on is one of start, click and condition"),
    ],
)
def test_what_cannot_run_says_why(run, make_runbook, incident, body, words) -> None:
    with pytest.raises(ValidationError, match=words):
        run(make_runbook("r", body))
    assert order(incident) == []
    assert not Run.objects.exists()


def test_a_policy_and_a_runbook_that_is_not_in_force_do_not_run(run, make_runbook) -> None:
    policy = make_runbook("p", "- [ ] x\n", kind="policy")
    draft = Document.objects.create(kind="runbook", slug="d", title="Draft")
    for document in (policy, draft):
        with pytest.raises(ValidationError, match="no runbook with a version in force"):
            run(document)


def test_nothing_runs_in_a_closed_incident(run, reset, incident) -> None:
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    with pytest.raises(ValidationError):
        run(reset)


# -- Figures ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("many", "out"), [(65, 0), (200, 0), (200, 300)])
def test_three_levels_of_sub_playbooks_in_a_tree_of_1000_cost_25_queries_at_most_however_many_steps(
    *, run, make_runbook, incident, make_ticket, alice, many, out
) -> None:
    make_ticket("Here")
    plant_branch(actor=alice, incident=incident, parent=101, sprouts=[Sprout(1 + n % 3, f"T{n}") for n in range(999)])
    line = "- [ ] Look at {{ link }} again @bob !2h #host #again\n  Ask @ada.\n"
    act = "  ```action\n  go: {about: x}\n  ```\n"
    make_runbook("rooms", (line + act) * 3)
    make_runbook("floors", "![[runbook:rooms]]\n" * 2)
    make_runbook("sites", "## Site\n\n![[runbook:floors]]\n" * 2)
    deep = 2 * (2 + 2 * (1 + 3))
    flat = many - deep - 1
    top = make_runbook("wide", "![[runbook:sites]]\n" + line.replace("@bob", "@alice") * (flat + out))
    with CaptureQueriesContext(connection) as found:
        done = run(top, under=101, skip={str(2 + flat + n) for n in range(out)})
    savepoints = sum("SAVEPOINT" in one["sql"] for one in found)
    print(f"{done.steps.count()} steps inserted: {len(found) - savepoints} queries and {savepoints} savepoints")
    assert (done.steps.exclude(ticket=None).count(), done.steps.filter(left_out=True).count()) == (many, out)
    assert done.steps.count() == many + out
    assert Automation.objects.filter(run=done).count() == 12
    assert len(found) - savepoints <= 25
    assert sound(incident)
    verify()
