"""Saying how incidents belong together, without giving away those one may not see."""

import pytest
from django.urls import reverse

from core.models import JournalEntry
from incidents.actions.links import link_incidents, unlink_incidents
from incidents.actions.team import assign_role
from incidents.models import Incident, IncidentLink, Role


def at(name, incident, **more):
    return reverse(f"incidents:{name}", kwargs={"number": incident.number, **more})


@pytest.fixture
def lead(alice, make_user, incident):
    """Lena leads the technical side of the incident, and has no part in the secret one."""
    lena = make_user("lena", "Responder")
    assign_role(actor=alice, incident=incident, user=lena, role=Role.TECHNICAL)
    return lena


def test_a_lead_links_two_incidents_and_takes_it_back(lead, incident, make_incident, client_of):
    other = make_incident("Same wave")
    client = client_of(lead)
    assert (
        client.post(at("link", incident), {"kind": "parent", "number": f" {other.number.lower()}"}).status_code == 302
    )
    link = IncidentLink.objects.get()
    assert (link.source, link.target, link.kind) == (incident, other, "parent")
    again = client.post(at("link", incident), {"kind": "parent", "number": other.number})
    assert again.status_code == 422
    assert client.post(at("unlink", incident, link=link.pk)).status_code == 302
    assert not IncidentLink.objects.exists()


def test_a_hidden_incident_and_one_that_never_was_give_the_same_answer(lead, incident, secret, client_of):
    client = client_of(lead)
    hidden = client.post(at("link", incident), {"kind": "related_to", "number": secret.number})
    never = client.post(at("link", incident), {"kind": "related_to", "number": "IR-2020-0101-001"})
    assert hidden.status_code == never.status_code == 422
    assert hidden.context["form"].errors == never.context["form"].errors
    assert hidden.context["form"].errors["number"] == ["There is no such incident."]
    assert secret.title not in hidden.content.decode()


def test_a_link_to_a_hidden_incident_cannot_be_found_by_its_key(alice, lead, incident, secret, client_of):
    link = link_incidents(actor=alice, source=incident, target=secret, kind="related_to")
    client = client_of(lead)
    assert client.post(at("unlink", incident, link=link.pk)).status_code == 404
    assert client.post(at("unlink", incident, link=link.pk + 1)).status_code == 404
    assert client.get(at("unlink", incident, link=link.pk)).status_code == 405
    assert client_of(alice).post(at("unlink", incident, link=link.pk)).status_code == 302


def test_a_link_is_removed_where_it_was_made(alice, incident, make_incident, client_of):
    other = make_incident("Same wave")
    link = link_incidents(actor=alice, source=other, target=incident, kind="related_to")
    assert client_of(alice).post(at("unlink", incident, link=link.pk)).status_code == 404
    assert client_of(alice).post(at("unlink", other, link=link.pk)).status_code == 302


@pytest.mark.parametrize("link", [0, 2**70, "1e3", "-1", "9" * 5000])
def test_a_link_that_is_none_is_not_found(alice, incident, client_of, link):
    assert client_of(alice).post(f"/incidents/{incident.number}/links/{link}/remove/").status_code == 404


@pytest.mark.parametrize(("kind", "number"), [("married_to", ""), ("parent", "\x00"), ("parent", ""), ("", "x" * 30)])
def test_nonsense_is_refused(alice, incident, client_of, kind, number):
    assert client_of(alice).post(at("link", incident), {"kind": kind, "number": number}).status_code == 422


def test_no_incident_belongs_to_itself(alice, incident, client_of):
    response = client_of(alice).post(at("link", incident), {"kind": "parent", "number": incident.number})
    assert response.status_code == 422
    assert "tied to itself" in response.content.decode()


def test_two_clicks_on_unlink_are_one_entry(alice, incident, make_incident):
    link = link_incidents(actor=alice, source=incident, target=make_incident("Same wave"), kind="related_to")
    same = IncidentLink.objects.get(pk=link.pk)  # as two requests load it before either takes the lock
    unlink_incidents(actor=alice, link=link)
    unlink_incidents(actor=alice, link=same)
    assert JournalEntry.objects.filter(verb="incident.unlinked").count() == 1


def test_a_number_is_found_as_people_type_it_by_those_who_see_it(alice, mallory, secret):
    for typed in (secret.number, f"  {secret.number.lower()} "):
        assert Incident.objects.numbered(alice, typed) == secret
        assert Incident.objects.numbered(mallory, typed) is None
    assert Incident.objects.numbered(alice, "\x00") is None
