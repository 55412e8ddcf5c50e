"""Two incidents that turn out to be one."""

import re

import pytest

from incidents.actions import team
from incidents.actions.incidents import open_incident
from incidents.models import Incident, Role
from tickets.actions import tickets as actions
from tickets.checks import broken
from tickets.models import Ticket

HTMX = {"HX-Request": "true"}
TOKEN = re.compile(r"\b[A-Za-z0-9]{64}\b")  # of the forms, different each time
NONE = "There is no such incident."


@pytest.fixture
def target(make_incident) -> Incident:
    return Incident.objects.get(pk=make_incident("Domain admin compromise").pk)


def test_alice_reads_what_will_happen_and_then_merges(client_of, alice, incident, target, make_ticket) -> None:
    top = make_ticket("Beacon")
    make_ticket("Memory image", parent=top)
    actions.add_ticket(actor=alice, incident=target, title="First there")
    client, url = client_of(alice), f"/incidents/{incident.number}/merge/"
    form = {"number": target.number.lower(), "reason": "Same beacon."}
    html = client.post(url, form).content.decode()
    for words in (f"Merge {incident.number} into {target.number}", "2 tickets", "cannot be undone", 'name="confirmed"'):
        assert words in html
    assert Ticket.objects.filter(incident=incident, parent__isnull=False).count() == 2
    answer = client.post(url, {**form, "confirmed": "on"})
    assert answer["Location"] == f"/incidents/{target.number}/tree/"
    rows = Ticket.objects.filter(incident=target, parent__isnull=False).order_by("lft")
    assert [(row.title, row.level) for row in rows][-2:] == [("Beacon", 2), ("Memory image", 3)]
    merged = Incident.objects.get(pk=incident.pk)
    assert (merged.status, merged.resolution, merged.merged_into) == ("closed", "merged", target)
    for one in Incident.objects.all():
        assert list(broken(one)) == []


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_a_hidden_incident_and_none_are_told_apart_by_nobody(*, client_of, mallory, secret, headers) -> None:
    own = open_incident(actor=mallory, title="Mine", reporter=mallory, commander=mallory)
    client, url = client_of(mallory), f"/incidents/{own.number}/merge/"
    answers = []
    for number in (secret.number, "IR-2020-0101-999"):
        answer = client.post(url, {"number": number, "reason": "x", "confirmed": "on"}, headers=headers)
        assert answer.status_code == 422
        answers.append(TOKEN.sub("", answer.content.decode().replace(number, "N")))
        assert NONE in answers[-1]
    assert answers[0] == answers[1]


def test_one_leads_both_or_none(client_of, alice, bob, incident, target) -> None:
    team.assign_role(actor=alice, incident=incident, user=bob, role=Role.TECHNICAL)
    answer = client_of(bob).post(f"/incidents/{incident.number}/merge/", {"number": target.number, "reason": "x"})
    assert answer.status_code == 422
    assert f"You need to lead {target.number} as well." in answer.content.decode()


def test_an_incident_does_not_merge_into_itself_or_a_closed_one(client_of, alice, incident, target) -> None:
    client, url = client_of(alice), f"/incidents/{incident.number}/merge/"
    sent = {"number": incident.number, "reason": "x", "confirmed": "on"}
    assert "into itself" in client.post(url, sent).content.decode()
    Incident.objects.filter(pk=target.pk).update(status="closed")
    answer = client.post(url, {**sent, "number": target.number})
    assert answer.status_code == 422
    assert "is closed" in answer.content.decode()


def test_a_restricted_incident_does_not_flow_into_an_open_one(client_of, alice, secret, target) -> None:
    actions.add_ticket(actor=alice, incident=secret, title="Who did it")
    sent = {"number": target.number, "reason": "x", "confirmed": "on"}
    answer = client_of(alice).post(f"/incidents/{secret.number}/merge/", sent)
    assert answer.status_code == 422
    assert not Ticket.objects.filter(incident=target).exists()


@pytest.mark.parametrize("number", ["", "x\x00", "x" * 500, "IR-2026-1120-001' OR 1=1"])
def test_nonsense_for_a_number_is_refused(client_of, alice, incident, number) -> None:
    sent = {"number": number, "reason": "x", "confirmed": "on"}
    assert client_of(alice).post(f"/incidents/{incident.number}/merge/", sent).status_code == 422
