"""Declaring an incident."""

import re

import pytest
from django.urls import reverse

from core.models import JournalEntry
from incidents.models import Incident, Role

NEW = "/incidents/new/"
HOSTILE = '"><script>alert(1)</script>'


def test_a_title_is_enough_and_alice_commands_it_if_she_keeps_herself_in_the_form(alice, client_of):
    client = client_of(alice)
    form = client.get(NEW).context["form"]
    assert form.initial["commander"] == alice.pk
    response = client.post(NEW, {"title": "Odd logins", "commander": alice.pk})
    made = Incident.objects.get()
    assert response.status_code == 302
    assert response["Location"] == made.get_absolute_url()
    assert (made.title, made.severity, made.severity_assessed_at, made.commander) == (
        "Odd logins",
        "medium",
        None,
        alice,
    )
    assert JournalEntry.objects.get(verb="incident.opened").actor_id == alice.pk


def test_everything_that_the_form_asks_is_kept(alice, bob, client_of, customer_a):
    client_of(alice).post(NEW, {
        "title": "Mail account taken over", "type": "phishing", "severity": "high", "customer": customer_a.pk,
        "commander": bob.pk, "tlp": "TLP:RED", "restricted": "on", "exercise": "on",
        "detected_at": "2026-03-04T05:06:07", "detection_source": "A call", "summary": "**Two** invoices",
        "tags": "BEC, mail box",
    })  # fmt: skip
    made = Incident.objects.get()
    assert (made.type, made.severity, made.customer, made.commander) == ("phishing", "high", customer_a, bob)
    assert (made.tlp, made.restricted, made.exercise, made.detection_source) == ("TLP:RED", True, True, "A call")
    assert made.detected_at.isoformat() == "2026-03-04T05:06:07+00:00"
    assert made.severity_assessed_at is not None
    assert "<strong>Two</strong>" in made.summary_html
    assert [tag.name for tag in made.tags.all()] == ["bec", "mail-box"]
    assert {(one.user, one.role) for one in made.assignments.all()} == {(bob, Role.COMMANDER), (alice, Role.MEMBER)}


def test_two_clicks_on_one_form_make_one_incident(alice, bob, client_of):
    client = client_of(alice)
    (key,) = re.findall(r'name="key" value="([0-9a-f]{32})"', client.get(NEW).content.decode())
    first = client.post(NEW, {"title": "Odd logins", "key": key})
    second = client.post(NEW, {"title": "Odd logins", "key": key})
    assert first["Location"] == second["Location"]
    assert Incident.objects.count() == 1
    assert JournalEntry.objects.filter(verb="incident.opened").count() == 1
    client_of(bob).post(NEW, {"title": "Odd logins", "key": key})  # another person's form is another form
    assert list(Incident.objects.order_by("pk").values_list("number", flat=True))[1].endswith("-002")


def test_each_form_has_a_key_of_its_own(alice, client_of):
    client = client_of(alice)
    assert client.get(NEW).context["form"]["key"].value() != client.get(NEW).context["form"]["key"].value()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", "   "), ("title", "\u200b\u200d"), ("title", "a\x00b"), ("title", "x" * 201),
        ("title", "one\ntwo"), ("title", "file\u202egpj.exe"), ("severity", "apocalyptic"), ("type", "\x00"),
        ("commander", "1e3"), ("commander", str(2**70)), ("customer", "\x00"), ("detected_at", "31 Feb"),
        ("detected_at", "9999-12-31T23:59:59-14:00"), ("detected_at", "0001-01-01T00:00:00+14:00"),
        ("detected_at", "2099-01-01T00:00:00"), ("summary", "x" * 70_000), ("tags", "x" * 41), ("tags", "a,b," * 30),
        ("key", "../../etc"), ("tlp", "TLP:PURPLE"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_comes_back_with_the_form(alice, client_of, field, value):
    data = {"title": "Odd logins", "summary": "typed by hand", field: value}
    response = client_of(alice).post(NEW, data)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert b"data-summary" in response.content
    assert not Incident.objects.exists()
    if field != "summary":
        assert b"typed by hand" in response.content


def test_only_responders_declare(client_of, dora, auditor, eve, admin_user):
    for person in (dora, auditor, eve, admin_user):
        client = client_of(person)
        assert client.get(NEW).status_code == client.post(NEW, {"title": "Mine"}).status_code == 403
    assert not Incident.objects.exists()


def test_a_customers_person_cannot_be_made_commander(alice, eve, client_of):
    response = client_of(alice).post(NEW, {"title": "Odd logins", "commander": eve.pk})
    assert response.status_code == 422
    assert not Incident.objects.exists()


def test_a_hostile_title_is_text_on_every_page_of_the_incident(alice, client_of):
    client = client_of(alice)
    client.post(NEW, {"title": HOSTILE, "detection_source": HOSTILE, "tags": HOSTILE[:40], "commander": alice.pk})
    number = Incident.objects.get().number
    pages = ["overview", "members", "log", "audit", "head", "status", "severity", "restrict", "assign", "link"]
    for page in pages:
        text = client.get(reverse(f"incidents:{page}", kwargs={"number": number})).content.decode()
        assert "<script>alert" not in text, page
    text = client.get(reverse("incidents:edit", kwargs={"number": number, "part": "facts"})).content.decode()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
