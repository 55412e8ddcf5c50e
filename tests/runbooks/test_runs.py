"""A run to its end: it follows its tickets, is rated or stopped, and says what was skipped and changed."""

from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from comms.models import Notification
from core.models import JournalEntry, Reaction
from core.tasks import react
from incidents.actions.incidents import open_incident
from incidents.models import Incident
from people.models import User
from runbooks.actions.runs import rate_run, settle_runs, stop_run
from runbooks.actions.starts import run_runbook
from runbooks.models import Document, Run, RunState, Suggestion
from runbooks.queries.use import use_of
from tests.runbooks.test_starts import VALUES
from tickets.actions import tickets as actions
from tickets.actions.undo import uproot
from tickets.models import Ticket

HTMX = {"HX-Request": "true"}


@pytest.fixture
def run(incident: Incident, bob: User, reset: Document) -> Run:
    return run_runbook(actor=bob, incident=incident, document=reset, under=None, values=VALUES)


@pytest.fixture
def url(incident: Incident, run: Run) -> str:
    return f"/incidents/{incident.number}/runs/{run.pk}/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


def work_off() -> None:
    """What a worker would do about all that happened."""
    while due := list(Reaction.objects.filter(state="queued").values_list("pk", flat=True)):
        for pk in due:
            react(pk)


def end(run: Run, who: User, status: str = "done") -> None:
    for ticket in Ticket.objects.filter(steps__run=run):
        actions.set_status(actor=who, ticket=ticket, status=status)


# -- It follows its tickets -------------------------------------------------------------------------------------------
def test_with_its_last_ticket_the_run_is_through_and_bob_is_asked_how_it_went(run, bob, alice) -> None:
    first, last = Ticket.objects.filter(steps__run=run)
    actions.set_status(actor=alice, ticket=first, status="done")
    work_off()
    assert Run.objects.get().state == RunState.RUNNING
    actions.set_status(actor=alice, ticket=last, status="done")
    work_off()
    found = Run.objects.get()
    assert (found.state, found.finished_at is None) == (RunState.DONE, False)
    told = Notification.objects.get(kind="run")
    assert (told.user, told.text) == (bob, "The run of “Reset an account” is through: say how it went")
    assert told.url.endswith("/runs/")


def test_it_goes_on_where_a_ticket_is_open_again(run, alice) -> None:
    end(run, alice)
    work_off()
    actions.set_status(actor=alice, ticket=Ticket.objects.filter(steps__run=run)[0], status="open")
    work_off()
    assert (Run.objects.get().state, Run.objects.get().finished_at) == (RunState.RUNNING, None)


def test_a_rated_run_stays_over(run, alice) -> None:
    rate_run(actor=alice, run=run, version=run.version, rating=4, worked=True)
    settle_runs(actor=alice, incident=run.incident)
    assert Run.objects.get().state == RunState.DONE


def test_a_run_that_bob_takes_back_is_stopped_and_none_is_left_half(run, bob, incident) -> None:
    uproot(actor=bob, incident=incident, entry=JournalEntry.objects.get(verb="tickets.planted"))
    work_off()
    found = Run.objects.get()
    assert found.state == RunState.STOPPED
    stopped = JournalEntry.objects.get(verb="run.stopped")
    assert stopped.data["reason"] == "All its tickets were dropped."
    assert not Notification.objects.filter(kind="run").exists()


def test_a_branch_dropped_and_brought_back_runs_on(run, alice, incident) -> None:
    dropped = actions.drop_branch(actor=alice, ticket=run.ticket, reason="Wrong place")
    work_off()
    assert Run.objects.get().state == RunState.STOPPED
    end(run, alice, "open")
    work_off()
    assert dropped is not None
    assert Run.objects.get().state == RunState.RUNNING


def test_what_alice_stopped_stays_stopped(run, alice) -> None:
    stop_run(actor=alice, run=run, reason="Not needed")
    settle_runs(actor=alice, incident=run.incident)
    assert Run.objects.get().state == RunState.STOPPED
    with pytest.raises(ValidationError, match="over already"):
        stop_run(actor=alice, run=run, reason="Again")


# -- Runbooks that start by themselves --------------------------------------------------------------------------------
def test_a_runbook_starts_by_itself_in_incidents_it_applies_to(make_runbook, alice) -> None:
    body = "- [ ] Call {{ commander }} about {{ asset }}\n"
    make_runbook("all", body, "Always", starts_by_itself=True)
    make_runbook("mail", body, "Mail", starts_by_itself=True, incident_types=["phishing"], severities=["high"])
    make_runbook("never", body, "Never")
    incident = open_incident(
        actor=alice, title="Wave", reporter=alice, commander=alice, type="phishing", severity="low"
    )  # fmt: skip
    work_off()
    assert [one.of.document.title for one in Run.objects.filter(incident=incident)] == ["Always"]
    found = Run.objects.get()
    assert found.started_by is None
    assert Ticket.objects.filter(title="Call Alice Example about {{ asset }}").exists()
    started = JournalEntry.objects.get(verb="run.started")
    assert (started.actor_kind, started.actor_name) == ("automation", "Runbook “Always”")


def test_a_title_that_a_value_would_make_too_long_keeps_no_runbook_from_starting(make_runbook, alice) -> None:
    """Nobody is there to shorten it: it stays as it is written."""
    make_runbook("sum-up", "- [ ] Sum up {{ incident_title }}\n- [ ] Tell {{ severity }}\n", starts_by_itself=True)
    open_incident(
        actor=alice, title="x" * 200, reporter=alice, commander=alice, type="phishing", severity="low"
    )  # fmt: skip
    work_off()
    titles = set(Run.objects.get().steps.values_list("ticket__title", flat=True))
    assert "Sum up {{ incident_title }}" in titles
    assert not any("{{ severity }}" in title for title in titles)


def test_one_that_cannot_run_keeps_no_other_from_starting_and_none_starts_twice(make_runbook, alice) -> None:
    make_runbook("broken", "![[runbook:nowhere]]\n", "A broken one", starts_by_itself=True)
    make_runbook("good", "- [ ] x\n", "Good", starts_by_itself=True)
    open_incident(actor=alice, title="Wave", reporter=alice, commander=alice)
    work_off()
    Reaction.objects.filter(handler__endswith="start_what_starts_by_itself").update(state="queued", attempts=0)
    work_off()
    assert [one.of.document.title for one in Run.objects.all()] == ["Good"]


def test_alice_hears_in_the_incident_that_a_runbook_did_not_start_by_itself(
    make_runbook, client_of, alice, bob
) -> None:
    make_runbook("broken", "![[runbook:nowhere]]\n", "A broken one", starts_by_itself=True)
    make_runbook("good", "- [ ] x\n", "Good", starts_by_itself=True)
    make_runbook("elsewhere", "![[runbook:nowhere]]\n", starts_by_itself=True, incident_types=["malware"])
    incident = open_incident(actor=bob, title="Wave", reporter=bob, commander=alice, type="phishing")
    work_off()
    Reaction.objects.filter(handler__endswith="start_what_starts_by_itself").update(state="queued", attempts=0)
    work_off()
    entry = JournalEntry.objects.get(verb="run.prevented")
    assert (entry.stream, entry.actor_name) == (incident.journal_stream, "Runbook “A broken one”")
    assert "nowhere" in entry.data["reason"]
    told = Notification.objects.get(text__startswith="The runbook “A broken one” did not start by itself: ")
    assert (told.user, told.url) == (alice, f"/incidents/{incident.number}/runbooks/")
    assert "nowhere" in told.text
    html = client_of(alice).get(f"/incidents/{incident.number}/log/").content.decode()
    assert "could not start by itself" in html


def test_without_a_commander_who_leads_hears_that_a_runbook_did_not_start(make_runbook, alice, bob) -> None:
    make_runbook("broken", "![[runbook:nowhere]]\n", "A broken one", starts_by_itself=True)
    incident = open_incident(actor=bob, title="Wave", reporter=bob, commander=alice)
    Incident.objects.filter(pk=incident.pk).update(commander=None)
    work_off()
    assert [one.user for one in Notification.objects.filter(text__startswith="The runbook “A broken")] == [alice]


@pytest.mark.parametrize(
    ("body", "words"),
    [("![[runbook:broken]]\n", "contain itself"), ("- [ ] a\n  {{ incident_title }}" + "y" * 65_500 + "\n", "65,536"),
     ("- [ ] a\n" + "".join(f"- [ ] {{{{ v{n} }}}}\n" for n in range(51)), "At most 50 values")],
)  # fmt: skip
def test_whatever_keeps_it_from_starting_is_said(body: str, words: str, make_runbook, alice) -> None:
    make_runbook("broken", body, "A broken one", starts_by_itself=True)
    open_incident(actor=alice, title="x" * 200, reporter=alice, commander=alice)
    work_off()
    assert words in JournalEntry.objects.get(verb="run.prevented").data["reason"]


def test_an_archived_runbook_is_not_meant_to_start_and_nobody_hears_of_it(make_runbook, alice) -> None:
    make_runbook("old", "- [ ] x\n", starts_by_itself=True, archived_at=timezone.now())
    open_incident(actor=alice, title="Wave", reporter=alice, commander=alice)
    work_off()
    assert not Run.objects.exists()
    assert not JournalEntry.objects.filter(verb="run.prevented").exists()


# -- Rating -----------------------------------------------------------------------------------------------------------
def test_bob_rates_it_and_leaves_an_idea(browser, url, run, bob) -> None:
    assert "2 of its tickets are still open" in browser.get(f"{url}finish/").content.decode()
    sent = {"version": 1, "rating": 4, "worked": "yes", "notes": "Fine", "suggestion": "Ask <b>first</b>"}
    assert browser.post(f"{url}finish/", sent).status_code == 302
    found = Run.objects.get()
    assert (found.rating, found.worked, found.notes, found.rated_by) == (4, True, "Fine", bob)
    assert found.state == RunState.DONE
    assert Suggestion.objects.get().text == "Ask <b>first</b>"
    html = browser.get(url).content.decode()
    assert "Ask &lt;b&gt;first&lt;/b&gt;" in html
    assert "4 of 5" in html


def test_a_run_that_was_stopped_can_be_rated_and_stays_stopped(browser, url, run, alice) -> None:
    """Why it was given up is what the next version learns from."""
    stop_run(actor=alice, run=run, reason="It does not fit")
    sent = {"version": Run.objects.get().version, "rating": 1, "worked": "no", "suggestion": "Ask for the host"}
    assert browser.post(f"{url}finish/", sent).status_code == 302
    found = Run.objects.get()
    assert (found.state, found.rating, found.worked) == (RunState.STOPPED, 1, False)
    assert Suggestion.objects.get().text == "Ask for the host"


def test_a_run_of_dropped_tickets_counts_once_somebody_rated_it(run, alice, bob) -> None:
    actions.drop_branch(actor=alice, ticket=run.ticket, reason="Wrong runbook")
    work_off()
    assert use_of(run.of.document, bob).runs == 0
    rate_run(actor=bob, run=run, version=Run.objects.get().version, rating=1, worked=False)
    assert (Run.objects.get().state, use_of(run.of.document, bob).runs) == (RunState.STOPPED, 1)


def test_two_ratings_at_once_do_not_write_over_each_other(browser, url, run, alice) -> None:
    rate_run(actor=alice, run=run, version=1, rating=1, worked=False)
    answer = browser.post(f"{url}finish/", {"version": 1, "rating": 5, "worked": "yes"})
    assert answer.status_code == 422
    assert "Somebody else changed this run meanwhile" in answer.content.decode()
    assert Run.objects.get().rating == 1


def test_a_value_called_items_is_shown_as_any_other(browser, incident, bob, make_runbook) -> None:
    document = make_runbook("collect", "- [ ] Collect {{ items }} and {{ keys }}\n")
    values = {"items": "three disks", "keys": "two keys"}
    found = run_runbook(actor=bob, incident=incident, document=document, under=None, values=values)
    page = browser.get(found.get_absolute_url()).content.decode()
    assert all(f'>{name}</dt><dd class="text-break">{text}</dd>' in page for name, text in values.items())


@pytest.mark.parametrize("sent", [{}, {"rating": 6}, {"rating": "x"}, {"rating": 3, "worked": "maybe"}])
def test_half_a_rating_is_refused(browser, url, sent) -> None:
    assert browser.post(f"{url}finish/", {"version": 1, **sent}).status_code == 422
    assert Run.objects.get().rating is None


# -- The page ---------------------------------------------------------------------------------------------------------
def test_the_page_says_what_was_skipped_why_and_what_was_changed(browser, url, run, alice) -> None:
    first, last = Ticket.objects.filter(steps__run=run)
    actions.set_status(actor=alice, ticket=first, status="dropped", reason="No <i>mailbox</i>")
    actions.edit_ticket(actor=alice, ticket=last, version=last.version, fields={"title": "Look at rules and forwards"})
    html = browser.get(url).content.decode()
    assert "Skipped</span>" in html
    assert "No &lt;i&gt;mailbox&lt;/i&gt;" in html
    assert "title changed" in html
    assert "Look at rules and forwards" in html
    assert "1 of 2 steps are over, 1 skipped, 1 changed" in html


def test_the_page_says_what_bob_left_out_at_the_start_and_counts_the_rest(browser, incident, phishing, bob) -> None:
    skip = {"1.1", "2"}
    run = run_runbook(actor=bob, incident=incident, document=phishing, under=None, values=VALUES, skip=skip)
    html = browser.get(run.get_absolute_url()).content.decode()
    assert "<dt>Left out at the start</dt><dd>4 steps by Bob Example</dd>" in html
    assert html.count('<td class="text-3">Left out at the start</td>') == 4
    assert "Deleted for good" not in html
    assert "Take a photo" in html
    assert "0 of 4 steps are over" in html
    assert "4 left out" in browser.get(f"/incidents/{incident.number}/runs/").content.decode()
    audit = browser.get(f"/incidents/{incident.number}/log/").content.decode()
    assert "inserted the runbook Phishing, version 1, without 4 of its steps" in audit
    end(run, bob)
    work_off()
    assert Run.objects.get().state == RunState.DONE


def test_a_run_of_all_steps_says_nothing_of_leaving_out(browser, incident, url) -> None:
    assert "Left out" not in browser.get(url).content.decode()
    log = browser.get(f"/incidents/{incident.number}/log/").content.decode()
    assert "version 1" in log
    assert "of its steps" not in log


def test_a_ticket_says_which_step_it_is(browser, incident, run) -> None:
    html = browser.get(f"/incidents/{incident.number}/tickets/102/").content.decode()
    assert "Step 1 of" in html
    assert "Reset an account v1" in html
    assert "Run of Reset an account v1" in browser.get(f"/incidents/{incident.number}/tickets/101/").content.decode()


def test_runs_are_listed_and_carol_may_look_but_not_rate(client_of, carol, incident, run, url) -> None:
    browser = client_of(carol)
    assert "Reset an account" in browser.get(f"/incidents/{incident.number}/runs/").content.decode()
    assert "Finish and rate" not in browser.get(url).content.decode()
    assert browser.post(f"{url}finish/", {"version": 1, "rating": 1, "worked": "no"}).status_code == 403


def test_the_list_of_runs_has_pages_and_says_how_many_there_are(
    *, browser, incident, run, django_assert_max_num_queries
) -> None:
    Run.objects.bulk_create(Run(incident=incident, of=run.of, values={}) for _ in range(60))
    url = f"/incidents/{incident.number}/runs/"
    with django_assert_max_num_queries(12):
        html = browser.get(url).content.decode()
    assert "1–50 of 61 runs" in html
    assert '<span class="count">61</span>' in html
    assert run.get_absolute_url() not in html
    with django_assert_max_num_queries(12):
        last = browser.get(f"{url}?page=2").content.decode()
    assert "51–61 of 61 runs" in last
    assert run.get_absolute_url() in last


def test_a_run_costs_the_same_queries_however_many_steps_it_has(
    *, browser, incident, bob, make_runbook, django_assert_max_num_queries
) -> None:
    for slug, many in (("small", 3), ("big", 200)):
        book = make_runbook(slug, "".join(f"- [ ] Step {n} @bob\n" for n in range(many)))
        run = run_runbook(actor=bob, incident=incident, document=book, under=None, values={})
        with django_assert_max_num_queries(16):
            assert browser.get(run.get_absolute_url()).status_code == 200
