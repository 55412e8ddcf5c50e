"""The overview of one incident, and the header that is polled."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from incidents.actions.incidents import edit_incident
from incidents.actions.lifecycle import set_status
from incidents.actions.links import link_incidents
from incidents.actions.team import assign_role
from incidents.models import Incident, Role
from tickets.actions.tickets import add_ticket

MOST_QUERIES = 10
NO_ADDRESS = [
    "IR-1", "IR-2026-1121-001%00", "2147483648", str(2**70), "1e3", "%00", "IR-2026-1121-\u0661\u0661\u0661",
    "..%2f", "ir-2026-1121-001",
]  # fmt: skip


def at(name, incident, **more):
    return reverse(f"incidents:{name}", kwargs={"number": incident.number, **more})


def test_the_overview_says_where_the_incident_stands(alice, incident, client_of):
    edit_incident(
        actor=alice, incident=incident, version=incident.version,
        fields={"situation": "Attacker is **cut off**.", "affected_systems": ["DC01", "FS02"]},
        tags=["golden"],
    )  # fmt: skip
    page = client_of(alice).get(at("overview", incident)).content.decode()
    for text in ["<strong>cut off</strong>", "DC01", "golden", "Set to Analyzing", "Bob Example", "Where do we stand"]:
        assert text in page


def test_what_is_missing_before_the_next_step_is_named_and_its_button_is_off(alice, make_incident, client_of):
    page = client_of(alice).get(at("overview", make_incident(assessed=False))).content.decode()
    assert "The severity has not been assessed by a person." in page
    assert 'disabled aria-describedby="missing"' in page


def test_carol_who_observes_sees_no_button_that_would_refuse_her(carol, incident, client_of):
    page = client_of(carol).get(at("overview", incident)).content.decode()
    for action in [
        "edit/summary",
        "/status/",
        "/severity/",
        "/restrict/",
        "/links/add/",
        "/post-mortem/",
        "members/add/",
    ]:
        assert f"{incident.number}/{action}" not in page


def test_a_restricted_incident_is_as_missing_as_one_that_never_was(mallory, dora, admin_user, eve, secret, client_of):
    for person in (mallory, dora, admin_user, eve):
        client = client_of(person)
        hidden = client.get(at("overview", secret))
        never = client.get("/incidents/IR-2020-0101-001/")
        assert hidden.status_code == never.status_code == 404
        assert hidden.content.replace(hidden["X-Request-ID"].encode(), b"") == never.content.replace(
            never["X-Request-ID"].encode(), b""
        )


def test_an_auditor_sees_a_restricted_incident_and_can_change_nothing(auditor, secret, client_of):
    client = client_of(auditor)
    assert client.get(at("overview", secret)).status_code == 200
    assert client.post(at("status", secret), {"status": "analyzing", "seen": "detected"}).status_code == 403


@pytest.mark.parametrize("number", NO_ADDRESS)
def test_what_is_no_number_is_no_page(alice, incident, client_of, number):
    client = client_of(alice)
    for page in ["", "members/", "head/", "edit/summary/", "links/1/remove/"]:
        assert client.get(f"/incidents/{number}/{page}").status_code == 404


def test_related_incidents_show_only_to_who_may_see_both(alice, bob, carol, incident, secret, make_incident, client_of):
    other = make_incident("Same phishing wave")
    link_incidents(actor=alice, source=incident, target=secret, kind="related_to")
    link_incidents(actor=alice, source=other, target=incident, kind="parent")
    page = client_of(carol).get(at("overview", incident)).content.decode()
    assert other.number in page
    assert "contains" in page
    assert secret.number not in page
    assert secret.title not in page
    assert secret.number in client_of(bob).get(at("overview", incident)).content.decode()


def queries_of(client, url):
    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


def test_the_overview_takes_the_same_few_queries_with_3_and_with_500_tickets(
    alice, bob, incident, make_incident, make_user, client_of, customer_a
):
    client, url = client_of(alice), at("overview", incident)
    few = queries_of(client, url)
    for number in range(500):
        add_ticket(actor=alice, incident=incident, title=f"Ticket {number}", lead=number % 4 == 0)
    for number in range(12):
        person = make_user(f"person{number}", "Responder")
        assign_role(actor=alice, incident=incident, user=person, role=Role.MEMBER)
        link_incidents(actor=alice, source=incident, target=make_incident(f"Other {number}"), kind="related_to")
    now = Incident.objects.get(pk=incident.pk)
    fields = {"situation": "x", "root_cause": "y", "lessons_learned": "z", "customer": customer_a}
    edit_incident(actor=bob, incident=now, version=now.version, fields=fields, tags=["a", "b", "c"])
    many = queries_of(client, url)
    print(f"overview of an incident: {few} queries without tickets, {many} with 500")
    assert few == many
    assert many <= MOST_QUERIES


def test_the_header_is_sent_again_only_when_something_was_done(alice, incident, client_of):
    client, url = client_of(alice), at("head", incident)
    first = client.get(url, {"tab": "tree"})
    assert first.status_code == 200
    tag = first.context["tag"]
    assert f'hx-ptag="{tag}"' in first.content.decode()
    assert "tab=tree" in first.content.decode()
    same = client.get(url, headers={"HX-PTag": tag})
    assert (same.status_code, same.content) == (304, b"")
    set_status(actor=alice, incident=incident, status="analyzing")
    assert client.get(url, headers={"HX-PTag": tag}).status_code == 200
    assert client.get(url, {"tab": '"><b>'}).context["tab"] == "overview"


def test_a_known_tag_opens_nothing_to_who_may_not_see_it(mallory, secret, client_of):
    assert client_of(mallory).get(at("head", secret), headers={"HX-PTag": "2"}).status_code == 404


def test_who_loses_the_only_role_loses_sight_at_once(alice, bob, secret, client_of):
    client = client_of(bob)
    assert client.get(at("overview", secret)).status_code == 200
    role = secret.assignments.get(user=bob)
    assert client_of(alice).post(at("unassign", secret, assignment=role.pk), {"reason": "Done."}).status_code == 302
    assert client.get(at("overview", secret)).status_code == 404
