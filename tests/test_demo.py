"""The demo: what a visitor finds in it, and that its days of work leave journal and trees whole."""

from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from core.verify import verify
from incidents.models import Incident, Status
from people.models import User
from reporting.queries.my import my
from runbooks.models import Execution, Run, Suggestion
from runbooks.queries.runs import counted
from tickets import checks
from tickets.models import Blocker, Handover, ShiftHandover, Ticket, TimeEntry, Watch
from tickets.queries.leads import leads


@pytest.fixture
def shown(settings, db, capsys) -> Incident:
    """The incident of the screenshots, just loaded."""
    settings.DEMO = True
    call_command("demo", password="demo-demo-demo")
    capsys.readouterr()
    return Incident.objects.get(title__startswith="Domain admin")


def test_the_demo_shows_everything_that_a_tree_can_say(shown) -> None:
    verify()
    assert not [problem for incident in Incident.objects.all() for problem in checks.broken(incident)]
    rows = Ticket.objects.filter(incident=shown).without_root()
    assert 42 <= rows.count() <= 52
    assert rows.exclude(headline="").count() >= 6
    assert rows.filter(tags__isnull=False).exists()
    assert Watch.objects.filter(ticket__incident=shown).exists()
    assert Blocker.objects.filter(ticket__incident=shown, by__lead=True).exists()
    assert TimeEntry.objects.filter(ticket__incident=shown).count() >= 5
    late = rows.unfinished().filter(clock_at__lt=timezone.now()).count()
    assert 1 <= late <= 4  # some, but not all of a story of days
    assert ShiftHandover.objects.filter(incident=shown, author__username="bob").exists()
    waiting = Handover.objects.get(incident=shown, state="offered")
    assert (waiting.giver.username, waiting.receiver.username) == ("bob", "alice")


def test_its_leads_have_hypotheses_lineage_and_every_result(shown) -> None:
    found = leads(shown, user_id=User.objects.get(username="bob").pk)
    assert all(one.ticket.hypothesis for one in (*found.open, *found.disposed))
    assert any(one.depth for one in found.open)
    assert len([day for day in found.days if day.opened or day.disposed]) >= 2
    results = Ticket.objects.filter(lead=True).exclude(disposition="").values_list("disposition", flat=True)
    assert set(results) == {"confirmed", "ruled_out", "dead_end", "parked"}
    assert Incident.objects.exclude(status=Status.CLOSED).count() == 6


def test_a_runbook_is_half_through_and_its_tickets_do_things_by_themselves(shown) -> None:
    run: Any = counted(Run.objects.filter(incident=shown)).get()
    assert (run.of.document.slug, run.state, run.values) == ("isolate-a-host", "running", {"host": "WS-0161"})
    assert (run.total, run.ended, run.busy, run.skipped) == (6, 3, 2, 1)
    assert run.steps.filter(ticket__category="dropped").exclude(ticket__dropped_reason="").count() == 1
    executions = Execution.objects.filter(automation__ticket__incident=shown)
    fates = {(one.automation.name, one.state, one.waiting): one for one in executions}
    assert set(fates) == {
        ("owner", "done", ""), ("edr", "failed", ""), ("proof", "queued", "answer"),
        ("first_reset", "queued", "approval"),
    }  # fmt: skip
    assert "turned off" in fates["edr", "failed", ""].error
    assert fates["owner", "done", ""].output["agreed_by"].startswith("K. Osei")


def test_alice_finds_a_document_to_approve_automations_that_ask_and_a_run_to_rate_in_my_work(shown) -> None:
    page = my(User.objects.get(username="alice"))
    assert [(one.document.slug, one.number) for one in page.documents] == [("isolate-a-host", 2)]
    assert [one.automation.name for one in page.to_agree] == ["first_reset"]
    assert [one.automation.name for one in page.asked] == ["proof"]
    assert [one.of.document.slug for one in page.runs] == ["reset-a-compromised-account"]
    assert Run.objects.get(of__document__slug="hunt-for-indicators").rating == 4
    assert Suggestion.objects.filter(run__of__document__slug="hunt-for-indicators").count() == 1
