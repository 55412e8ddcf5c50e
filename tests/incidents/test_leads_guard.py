"""Open leads and the life cycle: what may be left behind, and who answers for it."""

import itertools

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from core.actors import SYSTEM, Machine
from core.models import JournalEntry
from core.verify import verify
from incidents.actions import team
from incidents.actions.lifecycle import set_status
from incidents.models import Incident, Role, Status
from incidents.models.guards import missing_for
from incidents.queries.journal import lines
from tickets.actions.tickets import add_ticket
from tickets.actions.tickets import set_status as set_ticket_status

SIGNED = "The attacker is gone; the last lead waits for the customer's tapes."
STEPS = [(before, target) for before, target in itertools.product(Status, Status) if target.position > before.position]
GUARDED = {
    (before, target)
    for before, target in STEPS
    if target is Status.CLOSED or (before.position <= Status.ERADICATED.position < target.position)
}


@pytest.fixture
def tess(make_user, alice, incident):
    """The technical lead: leads as the commander does, but does not command."""
    found = make_user("tess", "Responder")
    team.assign_role(actor=alice, incident=incident, user=found, role=Role.TECHNICAL)
    return found


@pytest.fixture
def at(incident):
    """The incident at a status, with everything written down that no lead has to do with, and so many open leads."""

    def put(status: Status, leads: int = 0) -> Incident:
        stamps = {one.stamp: timezone.now() for one in list(Status)[: status.position]}
        Incident.objects.filter(pk=incident.pk).update(
            status=status, root_cause="A password.", lessons_learned="MFA.", leads_total=leads, tickets_total=leads,
            leads_done=0, tickets_done=0, **stamps,
        )  # fmt: skip
        return Incident.objects.get(pk=incident.pk)

    return put


@pytest.mark.parametrize("step", STEPS, ids=lambda step: f"{step[0]}-{step[1]}")
@pytest.mark.parametrize("who", ["alice", "tess"])
@pytest.mark.parametrize(("leads", "signed"), [(0, False), (0, True), (2, False), (2, True)])
def test_no_step_leaves_open_leads_behind_unless_the_commander_signs(
    *, alice, tess, at, step, who, leads, signed
) -> None:
    before, target = step
    incident, actor = at(before, leads), {"alice": alice, "tess": tess}[who]
    kwargs = {"reason": "Jumped.", "leads_reason": SIGNED if signed else ""}
    matters = bool(leads) and step in GUARDED
    if matters and not (signed and who == "alice"):
        with pytest.raises(ValidationError, match="Only the commander can sign" if signed else "2 leads have no res"):
            set_status(actor=actor, incident=incident, status=target, **kwargs)
        assert Incident.objects.get(pk=incident.pk).status == before
        return
    set_status(actor=actor, incident=incident, status=target, **kwargs)
    data = JournalEntry.objects.latest("id").data
    assert (data.get("leads"), data.get("leads_reason")) == ((2, SIGNED) if matters else (None, None))


@pytest.mark.parametrize("before", list(Status)[1:])
def test_stepping_back_needs_no_signature(tess, at, before) -> None:
    for target in list(Status)[: before.position - 1]:
        incident = at(before, 2)
        assert missing_for(incident, target) == []
        done = set_status(actor=tess, incident=incident, status=target, reason="We were wrong.")
        assert done.status == target


@pytest.mark.parametrize("before", list(Status)[:-1])
def test_a_false_positive_with_open_leads_needs_the_signature_too(alice, tess, at, before) -> None:
    kwargs = {"status": Status.CLOSED, "resolution": "false_positive", "reason": "Our own scanner."}
    for actor, more, words in [
        (alice, {}, "2 leads have no result"), (tess, {"leads_reason": SIGNED}, "Only the commander"),
        (alice, {"leads_reason": "  \n"}, "2 leads have no result"),
    ]:  # fmt: skip
        with pytest.raises(ValidationError, match=words):
            set_status(actor=actor, incident=at(before, 2), **kwargs, **more)
    closed = set_status(actor=alice, incident=at(before, 2), leads_reason=SIGNED, **kwargs)
    assert closed.resolution == "false_positive"


def test_no_machine_signs_not_even_one_with_the_commanders_number(alice, at) -> None:
    incident = at(Status.ERADICATED, 1)
    for machine in (SYSTEM, Machine("token", "A tool of Alice", alice.pk)):
        with pytest.raises(ValidationError, match="Only the commander"):
            set_status(actor=machine, incident=incident, status=Status.RECOVERED, leads_reason=SIGNED)


def test_a_signature_excuses_the_leads_own_tickets_and_no_other(alice, bob, at, incident) -> None:
    lead = add_ticket(actor=bob, incident=incident, title="Golden ticket?", lead=True)
    other = add_ticket(actor=bob, incident=incident, title="Write the report", parent=lead.number)
    Incident.objects.filter(pk=incident.pk).update(
        status=Status.REVIEW, root_cause="A password.", lessons_learned="MFA."
    )
    incident = Incident.objects.get(pk=incident.pk)
    with pytest.raises(ValidationError, match="1 ticket is open"):
        set_status(actor=alice, incident=incident, status=Status.CLOSED, leads_reason=SIGNED)
    set_ticket_status(actor=bob, ticket=other, status="done")
    closed = set_status(actor=alice, incident=incident, status=Status.CLOSED, leads_reason=SIGNED)
    assert (closed.status, closed.leads_open) == ("closed", 1)
    entry = JournalEntry.objects.get(verb="incident.closed")
    assert (entry.data["leads"], entry.data["leads_reason"]) == (1, SIGNED)
    line = lines([entry], alice)[0].sentence
    assert line == f"closed the incident (Resolved) and signed that 1 lead stays open: {SIGNED}"
    verify()


def url(incident):
    return reverse("incidents:status", kwargs={"number": incident.number})


def test_the_dialog_shows_the_commander_what_is_open_and_where_to_sign(client_of, alice, at) -> None:
    incident = at(Status.ERADICATED, 2)
    page = client_of(alice).get(url(incident)).content.decode()
    assert "2 of 2 leads have no result" in page
    assert f"/incidents/{incident.number}/leads/?show=open" in page
    assert 'name="leads_reason"' in page
    data = {"seen": "eradicated", "status": "recovered", "leads_reason": SIGNED}
    assert client_of(alice).post(url(incident), data).status_code == 302
    assert Incident.objects.get(pk=incident.pk).status == "recovered"


def test_the_technical_lead_reads_who_can_sign_and_cannot_do_it_for_them(client_of, tess, at) -> None:
    incident = at(Status.ERADICATED, 2)
    page = client_of(tess).get(url(incident)).content.decode()
    assert "only Alice Example, who commands, can sign" in page
    assert 'name="leads_reason"' not in page
    data = {"seen": "eradicated", "status": "recovered", "leads_reason": SIGNED}
    refused = client_of(tess).post(url(incident), data)
    assert refused.status_code == 422
    assert "2 leads have no result" in refused.content.decode()
    assert Incident.objects.get(pk=incident.pk).status == "eradicated"


@pytest.mark.parametrize("reason", ["a\x00b", "x" * 2001])
def test_a_signature_that_is_no_text_is_refused(*, client_of, alice, at, reason) -> None:
    incident = at(Status.ERADICATED, 1)
    data = {"seen": "eradicated", "status": "recovered", "leads_reason": reason}
    assert client_of(alice).post(url(incident), data).status_code == 422
    assert Incident.objects.get(pk=incident.pk).status == "eradicated"


@pytest.mark.parametrize(("status", "leads"), [(Status.ERADICATED, 0), (Status.CLOSED, 2)])
def test_where_nothing_is_left_behind_nothing_is_to_be_signed(client_of, alice, at, status, leads) -> None:
    page = client_of(alice).get(url(at(status, leads))).content.decode()
    assert 'name="leads_reason"' not in page
    assert 'id="leads-guard"' not in page


def test_a_step_that_was_left_and_jumped_over_is_not_called_skipped(client_of, alice, incident) -> None:
    def step(status: str, reason: str = "As it happened.") -> None:
        set_status(actor=alice, incident=incident, status=status, reason=reason)

    for status in ("analyzing", "contained", "analyzing", "eradicated"):
        step(status)
    page = client_of(alice).get(incident.get_absolute_url()).content.decode()
    assert "then stepped back" in page
    assert "skipped" not in page
    Incident.objects.filter(pk=incident.pk).update(root_cause="A password.")
    step("post_incident_review")
    page = client_of(alice).get(incident.get_absolute_url()).content.decode()
    assert page.count("<span>skipped</span>") == 1  # Recovered was never entered
    assert page.count("then stepped back") == 1
