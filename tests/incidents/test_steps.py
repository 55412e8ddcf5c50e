"""Setting stage and severity, restricting and approving, on pages and in dialogs."""

import pytest
from django.urls import reverse

from core.models import JournalEntry
from incidents.actions.incidents import edit_incident
from incidents.models import Incident

ONLY_LEADS = ["status", "severity", "restrict", "assign", "link"]


def at(name, incident):
    return reverse(f"incidents:{name}", kwargs={"number": incident.number})


def fresh(incident):
    return Incident.objects.get(pk=incident.pk)


def test_the_next_step_is_one_click(alice, incident, client_of):
    response = client_of(alice).post(at("status", incident), {"seen": "detected", "status": "analyzing"}, follow=True)
    assert response.redirect_chain == [(incident.get_absolute_url(), 302)]
    assert f"{incident.number} is Analyzing." in response.content.decode()
    assert fresh(incident).analyzing_at is not None


def test_a_click_on_what_somebody_else_has_changed_does_nothing(alice, incident, client_of):
    client, url = client_of(alice), at("status", incident)
    client.post(url, {"seen": "detected", "status": "analyzing"})
    again = client.post(url, {"seen": "detected", "status": "analyzing"})
    assert again.status_code == 422
    assert "Somebody else set it to Analyzing meanwhile" in again.content.decode()


def test_a_jump_without_a_reason_is_refused_and_one_with_a_reason_is_journalled(alice, incident, client_of):
    client, url = client_of(alice), at("status", incident)
    data = {"seen": "detected", "status": "contained"}
    refused = client.post(url, data)
    assert refused.status_code == 422
    assert "needs a written reason" in refused.content.decode()
    assert client.post(url, {**data, "reason": "The customer isolated it."}).status_code == 302
    assert JournalEntry.objects.latest("id").data["reason"] == "The customer isolated it."


def test_every_thing_that_is_missing_is_named(alice, make_incident, client_of):
    raw = make_incident(assessed=False)
    page = client_of(alice).post(at("status", raw), {"seen": "detected", "status": "analyzing"})
    assert page.status_code == 422
    assert "severity has not been assessed" in page.content.decode()


def test_a_false_positive_closes_as_such(alice, incident, client_of):
    client, url = client_of(alice), at("status", incident)
    data = {"seen": "detected", "resolution": "false_positive", "reason": "A scanner of ours."}
    assert client.post(url, {**data, "status": "contained"}).status_code == 422
    assert client.post(url, {**data, "status": "closed"}).status_code == 302
    assert fresh(incident).resolution == "false_positive"
    page = client.get(incident.get_absolute_url()).content.decode()
    assert "False positive." in page
    assert "Edit summary" not in page
    reopened = client.post(url, {"seen": "closed", "status": "analyzing", "reason": "It was real."})
    assert reopened.status_code == 302
    assert fresh(incident).closed_at is None


@pytest.mark.parametrize(
    "data",
    [
        {}, {"seen": "detected"}, {"status": "analyzing"}, {"seen": "detected", "status": "merged"},
        {"seen": "detected", "status": "closed", "resolution": "merged", "reason": "x"},
        {"seen": "\x00", "status": "analyzing"}, {"seen": "detected", "status": "contained", "reason": "a\x00b"},
        {"seen": "detected", "status": "contained", "reason": "\u200b"},
        {"seen": "detected", "status": "contained", "reason": "x" * 2001},
    ],
)  # fmt: skip
def test_a_step_that_makes_no_sense_is_refused(alice, incident, client_of, data):
    for client in (client_of(alice), client_of(alice, headers={"HX-Request": "true"})):
        assert client.post(at("status", incident), data).status_code == 422
    assert fresh(incident).version == incident.version


def test_assessing_the_severity_is_by_a_person_and_with_a_reason(alice, make_incident, client_of):
    raw = make_incident(assessed=False)
    client = client_of(alice)
    assert client.post(at("severity", raw), {"severity": "apocalyptic"}).status_code == 422
    assert client.post(at("severity", raw), {"severity": "critical", "reason": "Domain admin."}).status_code == 302
    now = fresh(raw)
    assert now.severity == "critical"
    assert now.severity_assessed_at is not None


def test_restricting_hides_the_incident_from_everybody_without_a_role(alice, bob, mallory, incident, client_of):
    assert client_of(mallory).get(incident.get_absolute_url()).status_code == 200
    client, url = client_of(alice), at("restrict", incident)
    assert client.post(url, {"restricted": "yes"}).status_code == 422  # why?
    assert client.post(url, {"restricted": "yes", "reason": "An insider is suspected."}).status_code == 302
    assert client_of(mallory).get(incident.get_absolute_url()).status_code == 404
    assert client_of(bob).get(incident.get_absolute_url()).status_code == 200
    client.post(url, {"restricted": "yes", "reason": "Clicked twice."})
    assert fresh(incident).restricted
    client.post(url, {"restricted": "no", "reason": "It was not."})
    assert client_of(mallory).get(incident.get_absolute_url()).status_code == 200
    verbs = JournalEntry.objects.filter(verb__contains="restricted").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["incident.restricted", "incident.unrestricted"]


def test_the_post_mortem_is_approved_as_it_was_read(alice, bob, incident, client_of):
    client, url = client_of(alice), at("approve_post_mortem", incident)
    fields = {"root_cause": "A phished password.", "lessons_learned": "MFA."}
    incident = edit_incident(actor=bob, incident=incident, version=incident.version, fields=fields)
    page = client.get(url)
    assert "A phished password." in page.content.decode()
    seen = page.context["form"]["seen"].value()
    edit_incident(actor=bob, incident=incident, version=incident.version, fields={"root_cause": "An open port."})
    refused = client.post(url, {"seen": seen})
    assert refused.status_code == 422
    assert "was changed since you read it" in refused.content.decode()
    assert "An open port." in refused.content.decode()
    assert fresh(incident).post_mortem_approved_at is None
    again = refused.context["form"]["seen"].value()
    assert client.post(url, {"seen": again, "comment": "Agreed."}).status_code == 302
    assert fresh(incident).post_mortem_approved_by == alice


def test_an_empty_post_mortem_cannot_be_approved(alice, incident, client_of):
    response = client_of(alice).post(at("approve_post_mortem", incident), {"seen": incident.post_mortem_digest})
    assert response.status_code == 422
    assert "nothing to approve yet" in response.content.decode()


@pytest.mark.parametrize("page", [*ONLY_LEADS, "approve_post_mortem"])
def test_who_does_not_lead_neither_sees_nor_sends_these_forms(
    bob, carol, mallory, dora, auditor, eve, incident, secret, client_of, page
):
    data = {"seen": "detected", "status": "analyzing", "severity": "low", "restricted": "yes", "reason": "x"}
    for person, status in [(bob, 403), (carol, 403), (mallory, 403), (dora, 403), (auditor, 403), (eve, 404)]:
        client = client_of(person)
        assert client.get(at(page, incident)).status_code == status
        assert client.post(at(page, incident), data).status_code == status
    assert client_of(mallory).post(at(page, secret), data).status_code == 404
    assert fresh(incident).version == incident.version


@pytest.mark.parametrize("page", [*ONLY_LEADS, "approve_post_mortem"])
def test_each_form_is_a_page_of_its_own_and_a_fragment_for_the_dialog(alice, incident, client_of, page):
    whole = client_of(alice).get(at(page, incident)).content.decode()
    part = client_of(alice, headers={"HX-Request": "true"}).get(at(page, incident)).content.decode()
    assert "<html" in whole
    assert "<html" not in part
    assert part.strip().startswith('<section class="dlgform"')
    assert f'action="{at(page, incident)}"' in part
    assert "csrfmiddlewaretoken" in part
