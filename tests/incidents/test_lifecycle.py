"""Steps of an incident's life: who may not take them, and what they leave behind."""

import pytest
from django.core.exceptions import ValidationError

from core import journal
from core.models import JournalEntry
from core.verify import BrokenJournal, verify
from incidents.actions import incidents as actions
from incidents.actions.lifecycle import approve_post_mortem, assess_severity, set_status
from incidents.models import Incident, Severity, Status
from people.models import User
from tickets.actions.tickets import add_ticket
from tickets.actions.tickets import set_status as set_ticket_status


def step(alice: User, incident: Incident, status: Status, **more: str) -> Incident:
    return set_status(actor=alice, incident=incident, status=status, **more)


def test_the_next_step_is_one_click_and_stamps_its_time(alice: User, incident: Incident) -> None:
    done = step(alice, incident, Status.ANALYZING)
    assert done.status == "analyzing"
    assert done.analyzing_at is not None


def test_jumping_ahead_and_stepping_back_need_a_reason_and_later_stamps_go(alice: User, incident: Incident) -> None:
    with pytest.raises(ValidationError, match="written reason"):
        step(alice, incident, Status.CONTAINED)
    step(alice, incident, Status.CONTAINED, reason="Isolated by the customer before we came.")
    back = step(alice, incident, Status.ANALYZING, reason="We were wrong: it is not contained.")
    assert back.contained_at is None
    entry = JournalEntry.objects.filter(verb="incident.status_changed").latest("id")
    assert entry.data["changes"]["contained_at"][0] is not None
    assert entry.data["reason"] == "We were wrong: it is not contained."


def test_leaving_detected_needs_an_assessed_severity_and_a_commander(alice: User, make_incident) -> None:
    raw = make_incident(commander=None, assessed=False)
    with pytest.raises(ValidationError) as refused:
        step(alice, raw, Status.ANALYZING)
    assert "severity has not been assessed" in str(refused.value)
    assert "no commander" in str(refused.value)


def test_an_incident_with_an_open_lead_cannot_be_closed(alice: User, incident: Incident) -> None:
    lead = add_ticket(actor=alice, incident=incident, title="Golden ticket?", lead=True)
    fields = {"root_cause": "A phished password.", "lessons_learned": "Phishing-resistant MFA."}
    incident = actions.edit_incident(actor=alice, incident=incident, version=incident.version, fields=fields)
    step(alice, incident, Status.REVIEW, reason="Everything was done at once.", leads_reason="It is being looked at.")
    with pytest.raises(ValidationError, match="1 ticket is open"):
        step(alice, incident, Status.CLOSED)
    set_ticket_status(actor=alice, ticket=lead, status="done", disposition="ruled_out")
    assert step(alice, incident, Status.CLOSED).status == "closed"


@pytest.mark.parametrize("field", ["root_cause", "contributing_factors", "lessons_learned"])
def test_closing_a_critical_incident_needs_an_approved_post_mortem_and_edits_take_it_away(
    alice: User, incident: Incident, field: str
) -> None:
    assess_severity(actor=alice, incident=incident, severity=Severity.CRITICAL)
    incident = Incident.objects.get(pk=incident.pk)
    fields = {"root_cause": "A phished password.", "lessons_learned": "MFA."}
    incident = actions.edit_incident(actor=alice, incident=incident, version=incident.version, fields=fields)
    step(alice, incident, Status.REVIEW, reason="Done.")
    with pytest.raises(ValidationError, match="post-mortem"):
        step(alice, incident, Status.CLOSED)
    incident = approve_post_mortem(actor=alice, incident=incident)
    incident = actions.edit_incident(
        actor=alice, incident=incident, version=incident.version, fields={field: "Another."}
    )
    with pytest.raises(ValidationError, match="post-mortem"):
        step(alice, incident, Status.CLOSED)
    approve_post_mortem(actor=alice, incident=incident)
    assert step(alice, incident, Status.CLOSED).resolution == "resolved"


def test_a_false_positive_closes_directly_with_a_reason(alice: User, incident: Incident) -> None:
    closed = step(alice, incident, Status.CLOSED, reason="A penetration test.", resolution="false_positive")
    assert closed.resolution == "false_positive"


def test_closing_twice_is_refused_with_a_reason(alice: User, incident: Incident) -> None:
    step(alice, incident, Status.CLOSED, reason="A penetration test.", resolution="false_positive")
    with pytest.raises(ValidationError, match="Closed already"):
        step(alice, incident, Status.CLOSED, reason="Again.", resolution="false_positive")


def test_nothing_can_be_worked_in_a_closed_incident(alice: User, incident: Incident) -> None:
    step(alice, incident, Status.CLOSED, reason="A penetration test.", resolution="false_positive")
    with pytest.raises(ValidationError, match="is closed"):
        add_ticket(actor=alice, incident=incident, title="Too late")


def test_everything_done_stands_in_a_whole_journal(alice: User, incident: Incident) -> None:
    step(alice, incident, Status.ANALYZING)
    assert [e.verb for e in JournalEntry.objects.filter(stream=incident.journal_stream).order_by("seq")] == [
        "incident.opened", "role.assigned", "role.assigned", "incident.status_changed",
    ]  # fmt: skip
    assert journal.head(incident.journal_stream)[0] == 4
    assert verify().entries >= 4


def test_a_changed_journal_entry_is_found_by_name(alice: User, incident: Incident) -> None:
    JournalEntry.objects.filter(stream=incident.journal_stream, seq=2).update(actor_name="Somebody Else")
    with pytest.raises(BrokenJournal, match=f"{incident.journal_stream} #2 role.assigned"):
        verify()
