"""When an incident gets so bad that somebody else has to know."""

from typing import Any

import pytest

from comms.models import Notification
from core.models import JournalEntry, Reaction
from incidents.actions import team
from incidents.actions.incidents import edit_incident
from incidents.models import Incident, Role
from runbooks.actions.runs import stop_run
from runbooks.actions.starts import run_runbook
from runbooks.models import Document, Escalation, EscalationRule, Run, VersionState
from tests.comms.working import work_off
from tests.runbooks.conftest import MakeRunbook
from tickets.actions.tickets import set_status
from tickets.models import Ticket


@pytest.fixture
def rule(db: None) -> EscalationRule:
    return EscalationRule.objects.create(
        name="Many", condition="affectedUsers > 50", action="Call the sponsor", role="executive_sponsor"
    )


def hit(incident: Incident, by: Any, **fields: Any) -> None:
    now = Incident.objects.get(pk=incident.pk)
    edit_incident(actor=by, incident=now, version=now.version, fields=fields)
    work_off(Reaction)


def fired(incident: Incident) -> list[str]:
    rows = JournalEntry.objects.filter(stream=incident.journal_stream, verb__startswith="escalation.")
    return list(rows.order_by("seq").values_list("verb", flat=True))


def test_it_fires_once_ends_and_fires_again(incident, rule, alice) -> None:
    for users in (50, 51, 80, 10, 60):
        hit(incident, alice, affected_users=users)
    assert fired(incident) == ["escalation.fired", "escalation.ended", "escalation.fired"]
    assert Escalation.objects.filter(ended_at=None).count() == 1


def test_another_commander_is_looked_at_too(incident, rule, alice, bob) -> None:
    EscalationRule.objects.create(name="New", condition="commander == 'Bob Example'", action="Help him")
    team.assign_role(actor=alice, incident=incident, user=bob, role=Role.COMMANDER)
    work_off(Reaction)
    assert fired(incident) == ["escalation.fired"]


def test_the_sponsor_and_the_commander_are_told(incident, rule, alice, dora, mallory) -> None:
    team.assign_role(actor=alice, incident=incident, user=dora, role=Role.SPONSOR)
    hit(incident, alice, affected_users=51)
    told = Notification.objects.filter(kind="escalation")
    assert {one.user for one in told} == {dora, alice}
    assert "Call the sponsor" in told[0].text


def test_however_many_have_escalated_each_of_them_ends(incident, alice) -> None:
    for number in range(60):
        EscalationRule.objects.create(name=f"{number}", condition=f"affectedUsers > {number}", action=f"Tell {number}")
    for users, left in ((100, 60), (55, 55), (0, 0)):
        hit(incident, alice, affected_users=users)
        assert Escalation.objects.filter(ended_at=None).count() == left


def test_a_runbook_brings_its_own_into_the_incidents_it_runs_in(incident, alice) -> None:
    document = Document.objects.create(
        kind="runbook", slug="r", title="R",
        escalations=[{"condition": "affectedUsers > 5", "action": "Call"}, {"condition": "a.b()", "action": "x"}, 3],
    )  # fmt: skip
    version = document.versions.create(number=1, body="- [ ] a", state=VersionState.ACTIVE)
    Document.objects.filter(pk=document.pk).update(active=version)
    hit(incident, alice, affected_users=6)
    assert not Escalation.objects.exists()
    run = run_runbook(actor=alice, incident=incident, document=Document.objects.get(), under=None, values={})
    work_off(Reaction)
    assert [one.action for one in Escalation.objects.all()] == ["Call"]
    stop_run(actor=alice, run=run, reason="Not this")
    work_off(Reaction)
    assert fired(incident) == ["escalation.fired", "escalation.ended"]


@pytest.fixture
def ruled(make_runbook: MakeRunbook) -> Document:
    """A runbook with a rule of its own."""
    return make_runbook("ruled", "- [ ] a\n", escalations=[{"condition": "affectedUsers > 5", "action": "Call"}])


def test_a_rule_counts_after_its_run_is_finished(incident, alice, ruled) -> None:
    run_runbook(actor=alice, incident=incident, document=ruled, under=None, values={})
    for ticket in Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("-lft"):
        set_status(actor=alice, ticket=ticket, status="done")
    work_off(Reaction)
    assert Run.objects.get().state == "done"
    hit(incident, alice, affected_users=6)
    assert [(one.action, one.document) for one in Escalation.objects.all()] == [("Call", ruled)]


def test_a_sub_playbook_brings_no_rule_along(incident, alice, ruled, make_runbook) -> None:
    around = make_runbook("around", "![[runbook:ruled]]\n")
    run_runbook(actor=alice, incident=incident, document=around, under=None, values={})
    hit(incident, alice, affected_users=6)
    assert not Escalation.objects.exists()


def test_nothing_fires_in_a_closed_incident_or_by_a_rule_that_is_off(incident, rule, alice, make_incident) -> None:
    EscalationRule.objects.update(active=False)
    hit(incident, alice, affected_users=99)
    EscalationRule.objects.update(active=True)
    now = Incident.objects.get(pk=incident.pk)
    edit_incident(actor=alice, incident=now, version=now.version, fields={"affected_users": 100})
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    work_off(Reaction)
    assert not Escalation.objects.exists()
