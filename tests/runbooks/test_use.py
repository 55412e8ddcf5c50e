"""How a runbook served, as its reader may know it: nothing tells of an incident that they may not see."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from core.models import JournalEntry
from runbooks.actions.runs import rate_run, settle_runs
from runbooks.actions.starts import run_runbook
from runbooks.models import Run, RunStep, Suggestion, SuggestionState
from runbooks.queries.use import use_of
from tests.runbooks.test_starts import VALUES
from tickets.actions import leads
from tickets.actions import tickets as actions
from tickets.models import Ticket


@pytest.fixture
def run(incident, reset, bob) -> Any:
    """Run it once, in this incident unless told otherwise."""

    def once(where: Any = None) -> Run:
        return run_runbook(actor=bob, incident=where or incident, document=reset, under=None, values=VALUES)

    return once


def rated(found: Run, who: Any, *, worked: bool, suggestion: str = "") -> None:
    rate_run(actor=who, run=found, version=found.version, rating=4, worked=worked, suggestion=suggestion)


def test_times_used_success_and_what_was_skipped_and_changed(run, reset, bob, alice) -> None:
    for number in range(3):
        found = run()
        first, last = Ticket.objects.filter(steps__run=found)
        if number:
            actions.set_status(actor=alice, ticket=last, status="dropped", reason="No mailbox")
        else:
            actions.edit_ticket(actor=alice, ticket=first, version=first.version, fields={"description": "By phone."})
        rated(found, bob, worked=number != 2)
    use = use_of(reset, bob)
    assert (use.runs, use.incidents, use.rated, use.worked, use.success) == (3, 1, 3, 2, 67)
    assert (use.steps, use.skipped, use.skipped_share) == (6, 2, 33)
    assert use.often_skipped is not None
    assert (use.often_skipped.title, use.often_skipped.count, use.often_skipped.of) == (
        "Look for rules in the mailbox", 2, 3,
    )  # fmt: skip
    assert use.often_changed is not None
    assert use.often_changed.title == "Reset the password of {{ owner }}"
    assert (use.finished, use.rating) == (3, 4.0)


def test_steps_left_out_at_the_start_are_skipped_steps(incident, reset, bob, alice) -> None:
    for skip in ((), {"2"}, {"2"}, {"1"}):
        run_runbook(actor=bob, incident=incident, document=reset, under=None, values=VALUES, skip=skip)
    whole = Run.objects.earliest("pk")
    actions.set_status(
        actor=alice,
        ticket=Ticket.objects.get(steps__run=whole, steps__place="2"),
        status="dropped",
        reason="No mailbox",
    )
    use = use_of(reset, bob)
    assert (use.steps, use.skipped, use.skipped_share, use.changed) == (8, 4, 50, 0)
    often = use.often_skipped
    assert often is not None
    assert (often.title, often.place, often.count, often.of) == ("Look for rules in the mailbox", "2", 3, 4)


def test_a_step_whose_ticket_was_deleted_for_good_was_not_left_out(run, reset, bob) -> None:
    RunStep.objects.filter(run=run(), place="2").update(ticket=None)
    assert (use_of(reset, bob).steps, use_of(reset, bob).skipped) == (1, 0)


def test_what_a_run_in_a_restricted_incident_left_out_tells_mallory_nothing(reset, secret, mallory, alice) -> None:
    run_runbook(actor=alice, incident=secret, document=reset, under=None, values=VALUES, skip={"2"})
    assert use_of(reset, alice).skipped == 1
    assert (use_of(reset, mallory).skipped, use_of(reset, mallory).often_skipped) == (0, None)


def test_a_run_that_left_steps_out_and_was_taken_back_at_once_does_not_count(incident, reset, bob, alice) -> None:
    found = run_runbook(actor=bob, incident=incident, document=reset, under=None, values=VALUES, skip={"2"})
    actions.drop_branch(actor=alice, ticket=Ticket.objects.get(runs=found), reason="Wrong one")
    settle_runs(actor=alice, incident=incident)
    assert (use_of(reset, bob).runs, use_of(reset, bob).skipped) == (0, 0)


def test_a_confirmed_lead_counts_for_its_run(run, reset, bob) -> None:
    found = run()
    run()
    ticket = Ticket.objects.filter(steps__run=found).first()
    assert ticket is not None
    ticket = leads.mark_lead(actor=bob, ticket=ticket, version=ticket.version, lead=True)
    Ticket.objects.filter(pk=ticket.pk).update(disposition="confirmed")
    use = use_of(reset, bob)
    assert (use.confirmed, use.confirmed_share) == (1, 50)


def test_a_run_in_a_restricted_incident_is_nothing_to_who_may_not_see_it(run, reset, secret, mallory, alice) -> None:
    rated(run(secret), alice, worked=True, suggestion="The insider is Bob")
    assert use_of(reset, alice).runs == 1
    theirs = use_of(reset, mallory)
    assert (theirs.runs, theirs.median, list(theirs.last), theirs.suggestions) == (0, "", [], [])
    html = render_to_string("runbooks/_use.html", {"use": theirs})
    assert "insider" not in html
    assert secret.number not in html


def test_a_run_that_was_taken_back_at_once_does_not_count(run, reset, bob, alice) -> None:
    found = run()
    actions.drop_branch(actor=alice, ticket=Ticket.objects.get(runs=found), reason="Wrong one")
    settle_runs(actor=alice, incident=found.incident)
    assert use_of(reset, bob).runs == 0


def test_ideas_are_shown_as_text(run, reset, bob) -> None:
    rated(run(), bob, worked=True, suggestion="<script>x</script>")
    html = render_to_string("runbooks/_use.html", {"use": use_of(reset, bob)})
    assert "&lt;script&gt;x&lt;/script&gt;" in html
    assert "Used" in html


@pytest.mark.parametrize("many", [1, 12])
def test_the_figures_cost_the_same_queries_however_often_it_ran(
    *, run, reset, bob, many, django_assert_max_num_queries
) -> None:
    for _ in range(many):
        rated(run(), bob, worked=True, suggestion="More")
    bob = type(bob).objects.get(pk=bob.pk)
    with django_assert_max_num_queries(5):
        use_of(reset, bob)


# -- What becomes of ideas -------------------------------------------------------------------------------------------
def address(idea: Suggestion) -> str:
    return reverse("runbooks:answer_suggestion", args=[idea.run.incident.number, idea.run_id, idea.pk])


@pytest.fixture
def idea(run, bob) -> Suggestion:
    rated(run(), bob, worked=True, suggestion="Ask the bank first")
    return Suggestion.objects.get()


@pytest.mark.parametrize("answer", ["taken", "declined"])
def test_alice_says_what_becomes_of_an_idea_and_it_is_no_longer_shown(*, idea, reset, alice, client_of, answer) -> None:
    browser = client_of(alice)
    assert address(idea) in browser.get(reset.get_absolute_url()).content.decode()
    answered = browser.post(address(idea), {"state": answer})
    assert (answered.status_code, answered.headers["Location"]) == (302, reset.get_absolute_url())
    assert "Ask the bank first" not in browser.get(reset.get_absolute_url()).content.decode()
    page = browser.get(idea.run.get_absolute_url()).content.decode()
    assert {"taken": "taken into a version", "declined": "declined"}[answer] in page
    entry = JournalEntry.objects.get(verb="run.suggestion_answered")
    assert (entry.stream, entry.actor_id, entry.data["answer"]) == (idea.journal_stream, alice.pk, answer)


def test_an_idea_is_answered_once(idea, reset, alice, bob, client_of) -> None:
    client_of(alice).post(address(idea), {"state": "taken"})
    late = client_of(bob).post(address(idea), {"state": "declined"})
    assert late.status_code == 422
    assert "answered meanwhile: taken into a version" in late.content.decode()
    idea.refresh_from_db()
    assert idea.state == SuggestionState.TAKEN


@pytest.mark.parametrize("state", ["", "open", "merged"])
def test_an_answer_that_is_none_changes_nothing(*, idea, alice, client_of, state) -> None:
    assert client_of(alice).post(address(idea), {"state": state}).status_code == 422
    idea.refresh_from_db()
    assert idea.state == SuggestionState.OPEN


def test_an_idea_of_a_restricted_incident_is_nothing_to_mallory_who_may_write_the_runbook(
    *, run, reset, secret, alice, mallory, client_of
) -> None:
    rated(run(secret), alice, worked=True, suggestion="The insider is Bob")
    idea, browser = Suggestion.objects.get(), client_of(mallory)
    assert browser.post(address(idea), {"state": "declined"}).status_code == 404
    edit = f"{reset.get_absolute_url()}edit/"
    assert "insider" not in browser.get(edit).content.decode()
    assert "The insider is Bob" in client_of(alice).get(edit).content.decode()


def test_who_may_only_read_sees_ideas_and_answers_none(idea, reset, auditor, client_of) -> None:
    browser = client_of(auditor)
    html = browser.get(reset.get_absolute_url()).content.decode()
    assert "Ask the bank first" in html
    assert address(idea) not in html
    assert browser.post(address(idea), {"state": "taken"}).status_code == 403


def test_each_step_says_how_long_it_took(run, reset, bob, client_of) -> None:
    first, _ = Ticket.objects.filter(steps__run=run())
    actions.set_status(actor=bob, ticket=first, status="doing")
    with time_machine.travel(timezone.now() + timedelta(minutes=25, seconds=30), tick=False):
        actions.set_status(actor=bob, ticket=first, status="done")
    html = client_of(bob).get(reset.get_absolute_url()).content.decode()
    assert '<th scope="col" class="text-end">Median</th>' in html
    assert "</span>25 m</td>" in html


def test_the_page_of_a_runbook_shows_them(run, reset, bob, client_of) -> None:
    rated(run(), bob, worked=True, suggestion="Ask the bank first")
    html = client_of(bob).get(reset.get_absolute_url()).content.decode()
    assert "1 time in 1 incident" in html
    assert "of 1 finished run<" in html
    assert "Ask the bank first" in html
