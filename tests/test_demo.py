"""The demo: what a visitor finds in it, and that its days of work leave journal and trees whole."""

import pytest
from django.core.management import call_command
from django.utils import timezone

from core.verify import verify
from incidents.models import Incident, Status
from people.models import User
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
    assert 35 <= rows.count() <= 45
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
