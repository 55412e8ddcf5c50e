"""The list of incidents: what is shown to whom, narrowed and sorted, with the same few queries for 3 and for 300."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from incidents.actions.lifecycle import set_status
from incidents.actions.team import assign_role
from incidents.models import Incident, Role

MOST_QUERIES = 8
NONSENSE = ["\x00", "2" * 400, "1e3", str(2**70), "٣", "%", "'", "<script>", "-1", "9999-12-31", "0001-01-01", "[]"]
PARAMETERS = [
    "q", "severity", "type", "status", "customer", "commander", "tag", "exercise", "since", "until", "show", "sort",
    "page", "number__startswith", "folded__contains",
]  # fmt: skip


def numbers(response):
    return [row.number for row in response.context["listing"].rows]


def false_alarm(alice, incident):
    return set_status(
        actor=alice, incident=incident, status="closed", reason="A penetration test.", resolution="false_positive"
    )


def test_alice_sees_open_incidents_worst_first_with_their_figures(alice, make_incident, client_of):
    low = make_incident("Lost phone", severity="low")
    critical = make_incident("Golden ticket", severity="critical")
    done = false_alarm(alice, make_incident("Was a test"))
    response = client_of(alice).get("/")
    assert response.status_code == 200
    assert numbers(response) == [critical.number, low.number]
    assert done.title not in response.content.decode()
    figures = response.context["figures"]
    assert (figures["open"], figures["closed"], figures["critical"], figures["high"]) == (2, 1, 1, 0)
    assert numbers(client_of(alice).get("/?show=closed")) == [done.number]


def test_a_restricted_incident_is_in_no_row_figure_or_card_of_mallory(alice, mallory, make_incident, client_of):
    make_incident("Insider", restricted=True, commander=None, assessed=False)
    response = client_of(mallory).get("/")
    assert numbers(response) == []
    assert "Insider" not in response.content.decode()
    assert set(response.context["figures"].values()) == {0}
    assert response.context["needy"] == []
    assert client_of(alice).get("/").context["figures"]["open"] == 1


def test_customers_people_are_sent_to_their_profile(eve, client_of):
    response = client_of(eve).get("/")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/profile/"


def test_nobody_is_asked_to_log_in(client, db):
    assert client.get("/").status_code == 302


def test_mine_are_those_where_i_have_a_role_and_needs_me_those_i_command_or_nobody_does(
    alice, bob, make_incident, dora, client_of
):
    commanded = make_incident("Mine to lead", commander=bob, reporter=bob)
    member = make_incident("Helping out")
    assign_role(actor=alice, incident=member, user=bob, role=Role.MEMBER)
    nobodys = make_incident("Nobody leads", commander=None)
    assert set(numbers(client_of(bob).get("/?show=mine"))) == {commanded.number, member.number}
    assert set(numbers(client_of(bob).get("/?show=needs_me"))) == {commanded.number, nobodys.number}
    assert numbers(client_of(dora).get("/?show=needs_me")) == []  # a manager cannot take command


def test_all_words_must_occur_in_any_case_and_a_tag_is_a_word(alice, make_incident, client_of, customer_a):
    hit = make_incident("Größenwahn on the FILE server", customer=customer_a, tags=["Golden Ticket"])
    make_incident("Another file")
    client = client_of(alice)
    assert numbers(client.get("/", {"q": "file GRÖSSENWAHN customer"})) == [hit.number]
    assert numbers(client.get("/", {"q": "#golden-ticket"})) == [hit.number]
    assert numbers(client.get("/", {"q": "file mail"})) == []
    assert numbers(client.get("/", {"q": "100%"})) == []


@pytest.mark.parametrize(
    ("query", "hit"),
    [
        ("severity=critical", True), ("severity=low", False),
        ("type=malware", True), ("type=ddos", False),
        ("status=detected", True), ("status=analyzing", False),
        ("tag=usb", True), ("tag=us", False),
        ("exercise=yes", True), ("exercise=no", False),
        ("since=2026-03-04&until=2026-03-04", True), ("since=2026-03-05", False), ("until=2026-03-03", False),
        ("until=2026-03-04&since=2026-03-06", False),
        ("customer=null", False), ("commander=null", False),
    ],
)  # fmt: skip
def test_each_filter_narrows_the_list(alice, make_incident, client_of, customer_a, query, hit):
    make_incident(
        severity="critical", type="malware", tags=["usb"], exercise=True, customer=customer_a,
        detected_at=dt.datetime(2026, 3, 4, 23, 59, 59, 5, tzinfo=dt.UTC),
    )  # fmt: skip
    assert len(numbers(client_of(alice).get(f"/?{query}"))) == hit


def test_filters_by_customer_and_commander_take_the_key_of_the_row(alice, bob, make_incident, client_of, customer_a):
    hit = make_incident(customer=customer_a, commander=bob)
    make_incident()
    assert numbers(client_of(alice).get(f"/?customer={customer_a.pk}&commander={bob.pk}")) == [hit.number]


@pytest.mark.parametrize("value", NONSENSE)
def test_a_parameter_that_makes_no_sense_is_left_out_and_named(alice, make_incident, client_of, value):
    make_incident()
    client = client_of(alice)
    for name in PARAMETERS:
        response = client.get("/", {name: value})
        assert response.status_code == 200, name
        if name in {"severity", "show", "sort", "customer", "folded__contains"}:
            assert name in response.context["refused"]
            assert len(numbers(response)) == 1


@pytest.mark.parametrize("sort", ["severity", "title", "stage", "commander", "tickets", "leads", "detected", "changed"])
def test_every_column_sorts_both_ways(alice, make_incident, client_of, sort):
    day = dt.timedelta(days=1)
    for at, (title, severity) in enumerate([("Alpha", "low"), ("Beta", "high"), ("Gamma", "critical")]):
        made = make_incident(title, severity=severity, detected_at=timezone.now() - 2 * day + at * day)
        Incident.objects.filter(pk=made.pk).update(tickets_total=at, leads_total=at)
    client = client_of(alice)
    up, down = numbers(client.get(f"/?sort={sort}")), numbers(client.get(f"/?sort=-{sort}"))
    assert len(up) == 3
    if sort not in {"stage", "commander"}:  # equal in all three: newest first either way
        assert up == list(reversed(down))


def test_fifty_stand_on_a_page_and_the_filter_goes_along(alice, make_incident, client_of):
    for at in range(51):
        make_incident(f"Phishing {at:02d}")
    client = client_of(alice)
    first, second = client.get("/?q=phishing"), client.get("/?q=phishing&page=2")
    assert (len(numbers(first)), len(numbers(second))) == (50, 1)
    assert "q=phishing" in first.context["listing"].next_url
    assert not set(numbers(first)) & set(numbers(second))


def test_htmx_gets_the_list_alone(alice, make_incident, client_of):
    make_incident()
    response = client_of(alice).get("/", headers={"HX-Request": "true"})
    assert response.content.strip().startswith(b'<div class="content" id="incidents">')
    assert b"<html" not in response.content


def test_hostile_titles_are_shown_as_text(alice, make_incident, client_of):
    make_incident("<img src=x onerror=alert(1)>\"'{{ 7*7 }}")
    page = client_of(alice).get("/").content.decode()
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;{{ 7*7 }}" in page


def queries_of(client):
    client.get("/")  # the first request of a session writes when it was seen
    with CaptureQueriesContext(
        connection,
    ) as seen:
        assert client.get("/").status_code == 200
    return len(seen)


def test_the_list_takes_the_same_few_queries_with_3_and_with_300_incidents(
    alice, bob, make_incident, client_of, customer_a, customer_b
):
    client = client_of(alice)
    for at in range(3):
        make_incident(f"Few {at}", customer=customer_a)
    few = queries_of(client)
    for at in range(297):
        make_incident(
            f"Many {at}", customer=customer_b, commander=bob if at % 2 else None, restricted=at % 3 == 0,
            assessed=at % 5 == 0,
        )  # fmt: skip
    many = queries_of(client)
    print(f"list of incidents: {few} queries with 3, {many} with 300")
    assert few == many
    assert many <= MOST_QUERIES
