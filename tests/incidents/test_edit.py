"""Editing parts of an incident: what two people do at once is never lost."""

from decimal import Decimal

import pytest
from django.urls import reverse

from core.models import JournalEntry
from incidents.actions.incidents import edit_incident
from incidents.actions.lifecycle import set_status
from incidents.models import Incident

FACTS = {
    "title": "Ransomware on the file server", "type": "other", "tlp": "TLP:AMBER", "customer": "",
    "detection_source": "", "occurred_at": "", "tags": "", "seen_tags": "",
}  # fmt: skip


def at(incident, part):
    return reverse("incidents:edit", kwargs={"number": incident.number, "part": part})


def facts(incident, **more):
    return {**FACTS, "version": incident.version, "detected_at": f"{incident.detected_at:%Y-%m-%dT%H:%M:%S}", **more}


@pytest.mark.parametrize(
    ("part", "field"),
    [("summary", "summary"), ("situation", "situation"), ("review", "root_cause"), ("impact", "business_impact")],
)
def test_bob_who_works_edits_a_text_and_its_html_follows(bob, incident, client_of, part, field):
    response = client_of(bob).post(at(incident, part), {"version": incident.version, field: "It **was** phishing."})
    assert response.status_code == 302
    now = Incident.objects.get(pk=incident.pk)
    assert getattr(now, field) == "It **was** phishing."
    assert "<strong>was</strong>" in getattr(now, f"{field}_html")
    entry = JournalEntry.objects.latest("id")
    assert (entry.verb, entry.actor_id) == ("incident.edited", bob.pk)
    assert entry.data["changes"][field] == ["", "It **was** phishing."]


def test_where_we_stand_says_who_wrote_it_and_when(bob, incident, client_of):
    client_of(bob).post(at(incident, "situation"), {"version": incident.version, "situation": "Contained."})
    now = Incident.objects.get(pk=incident.pk)
    assert now.situation_by == bob
    assert now.situation_at is not None


def test_facts_are_kept_and_an_edit_that_changes_nothing_leaves_no_entry(bob, incident, client_of, customer_a):
    client, before = client_of(bob), JournalEntry.objects.count()
    assert client.post(at(incident, "facts"), facts(incident)).status_code == 302
    assert JournalEntry.objects.count() == before
    data = facts(incident, title="Two file servers", type="malware", customer=customer_a.pk, tags="lockbit, FS 02")
    client.post(at(incident, "facts"), {**data, "occurred_at": "2026-01-02T03:04:05"})
    now = Incident.objects.get(pk=incident.pk)
    assert (now.title, now.type, now.customer) == ("Two file servers", "malware", customer_a)
    assert now.detected_at == incident.detected_at
    assert sorted(tag.name for tag in now.tags.all()) == ["fs-02", "lockbit"]
    assert "two file servers" in now.folded


def test_impact_takes_lists_one_per_line_and_an_amount_with_its_currency(bob, incident, client_of):
    client = client_of(bob)
    data = {"version": incident.version, "affected_systems": "DC01\r\n\r\nFS02\nDC01", "affected_users": "14"}
    assert client.post(at(incident, "impact"), {**data, "financial_amount": "12.5"}).status_code == 422
    client.post(at(incident, "impact"), {**data, "financial_amount": "12.5", "financial_currency": "eur"})
    now = Incident.objects.get(pk=incident.pk)
    assert now.affected_systems == ["DC01", "FS02"]
    assert (now.affected_users, now.financial_amount, now.financial_currency) == (14, Decimal("12.50"), "EUR")


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("summary", "version", ""), ("summary", "version", "1e3"), ("summary", "version", str(2**70)),
        ("summary", "version", "-1"), ("summary", "version", "\u0661"), ("summary", "summary", "a\x00b"),
        ("summary", "summary", "\u200b"), ("summary", "summary", "x" * 70_000),
        ("facts", "title", "a\nb"), ("facts", "title", "\x00"), ("facts", "customer", "999999"),
        ("facts", "tlp", "none"),
        ("facts", "detected_at", ""), ("facts", "detected_at", "2999-01-01T00:00"), ("facts", "tags", "x" * 50),
        ("impact", "affected_systems", "x\n" * 3 + "\n".join(map(str, range(201)))),
        ("impact", "affected_systems", "\x00"),
        ("impact", "data_types", "x" * 201), ("impact", "affected_users", "-1"),
        ("impact", "affected_users", str(2**31)),
        ("impact", "affected_users", "\uff11\uff12"), ("impact", "financial_amount", "Infinity"),
        ("impact", "financial_amount", "NaN"), ("impact", "financial_amount", "-1"),
        ("impact", "financial_amount", "1" * 20), ("impact", "financial_currency", "€"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_comes_back_with_what_was_typed(bob, incident, client_of, part, field, value):
    data = {**facts(incident, situation="x", summary="x"), field: value}
    response = client_of(bob).post(at(incident, part), data)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert Incident.objects.get(pk=incident.pk).version == incident.version


def test_htmx_gets_the_form_alone_and_is_sent_on_after_saving(bob, incident, client_of):
    client, url = client_of(bob, headers={"HX-Request": "true"}), at(incident, "summary")
    for response, status in [(client.get(url), 200), (client.post(url, {"summary": "x"}), 422)]:
        assert response.status_code == status
        assert response.content.strip().startswith(b'<section class="dlgform"')
    saved = client.post(url, {"version": incident.version, "summary": "x"})
    assert (saved.status_code, saved["HX-Redirect"]) == (204, incident.get_absolute_url())


def test_two_people_who_change_different_fields_both_stand(alice, bob, incident, client_of):
    stale = incident.version
    client_of(alice).post(at(incident, "summary"), {"version": stale, "summary": "Alice wrote this."})
    response = client_of(bob).post(
        at(incident, "situation"), {"version": stale, "situation": "Bob wrote that."}, follow=True
    )
    now = Incident.objects.get(pk=incident.pk)
    assert (now.summary, now.situation) == ("Alice wrote this.", "Bob wrote that.")
    assert "together with what others changed meanwhile" in response.content.decode()


@pytest.mark.parametrize("htmx", [False, True])
def test_two_people_who_change_the_same_field_choose_and_nothing_typed_is_lost(alice, bob, incident, client_of, htmx):
    stale = incident.version
    client_of(alice).post(at(incident, "review"), {"version": stale, "root_cause": "A phished password."})
    client = client_of(bob, headers={"HX-Request": "true"} if htmx else {})
    mine = {"version": stale, "root_cause": "An open port.", "lessons_learned": "Close <b>ports</b>."}
    refused = client.post(at(incident, "review"), mine)
    page = refused.content.decode()
    assert refused.status_code == 409
    assert ("<html" in page) != htmx
    for text in [
        "A phished password.",
        "An open port.",
        "Close &lt;b&gt;ports&lt;/b&gt;.",
        "Alice Example changed this",
    ]:
        assert text in page
    assert Incident.objects.get(pk=incident.pk).root_cause == "A phished password."
    fresh = refused.context["conflict"].theirs.version
    assert f'name="version" value="{fresh}"' in page
    client.post(at(incident, "review"), {**mine, "version": fresh})
    now = Incident.objects.get(pk=incident.pk)
    assert (now.root_cause, now.lessons_learned) == ("An open port.", "Close <b>ports</b>.")


def test_a_version_that_never_was_is_a_conflict_and_overwrites_nothing(bob, incident, client_of):
    response = client_of(bob).post(at(incident, "summary"), {"version": 99, "summary": "From the future"})
    assert response.status_code == 409
    assert Incident.objects.get(pk=incident.pk).summary == ""


def test_lists_customers_and_times_can_be_in_conflict_as_well(alice, bob, incident, client_of, customer_a, customer_b):
    stale = incident.version
    edit_incident(
        actor=alice, incident=incident, version=stale,
        fields={"affected_systems": ["DC01"], "customer": customer_a, "occurred_at": incident.detected_at},
    )  # fmt: skip
    client = client_of(bob)
    lists = client.post(at(incident, "impact"), {"version": stale, "affected_systems": "FS02\nFS03"})
    assert lists.status_code == 409
    assert "FS02\nFS03" in lists.content.decode()
    both = client.post(
        at(incident, "facts"),
        facts(incident, version=stale, customer=customer_b.pk, occurred_at="2026-01-02T03:04:05"),
    )
    assert both.status_code == 409
    assert {"customer", "occurred_at"} <= set(both.context["conflict"].fields)
    assert f'value="{customer_b.pk}"' in both.content.decode()


def test_tags_that_two_people_add_at_once_both_stay(alice, bob, incident, client_of):
    edit_incident(actor=alice, incident=incident, version=incident.version, fields={}, tags=["old"])
    seen = Incident.objects.get(pk=incident.pk)
    client_of(alice).post(at(seen, "facts"), facts(seen, tags="old, hers", seen_tags="old"))
    client_of(bob).post(at(seen, "facts"), facts(seen, tags="his", seen_tags="old"))
    assert sorted(tag.name for tag in seen.tags.all()) == ["hers", "his"]


def test_who_may_only_look_edits_nothing(carol, dora, mallory, auditor, eve, incident, client_of):
    for person, status in [(carol, 403), (dora, 403), (mallory, 403), (auditor, 403), (eve, 404)]:
        client = client_of(person)
        for part in ["summary", "situation", "facts", "impact", "review"]:
            assert client.get(at(incident, part)).status_code == status
            response = client.post(at(incident, part), {"version": incident.version, "summary": "Mine now"})
            assert response.status_code == status
    assert Incident.objects.get(pk=incident.pk).version == incident.version


def test_there_is_no_other_part(alice, incident, client_of):
    client = client_of(alice)
    for part in ["status", "restricted", "number", "__class__", "summary-"]:
        url = f"/incidents/{incident.number}/edit/{part}/"
        assert client.get(url).status_code == client.post(url, {"version": 1}).status_code == 404


def test_a_closed_incident_is_not_edited(alice, bob, incident, client_of):
    set_status(actor=alice, incident=incident, status="closed", reason="A test.", resolution="false_positive")
    response = client_of(bob).post(at(incident, "summary"), {"version": incident.version, "summary": "Too late"})
    assert response.status_code == 422
    assert "is closed. Reopen it" in response.content.decode()
