"""The audit page, its file, and the work log: the journal in words, and no word too many."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core import journal
from core.actions import action
from core.models import JournalEntry
from incidents.actions.incidents import edit_incident, restrict_incident
from incidents.actions.lifecycle import set_status
from incidents.actions.links import link_incidents, unlink_incidents
from incidents.actions.team import assign_role, end_role, join_incident
from incidents.models import Incident, Role
from incidents.queries.exports import cell
from incidents.queries.journal import TIES
from tickets.actions.merging import merge_incidents
from tickets.actions.tickets import add_ticket, assign_ticket
from tickets.actions.tickets import set_status as set_ticket_status

FORMULAS = [
    "=1+1", "+1", "-1", "@SUM(1)",
    "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://canary","x")', "=cmd|'/c calc'!A0", "\uff1d1",
    '"=1', " =1", "\u00a0=1", "'=1",
]  # fmt: skip


def at(name, incident):
    return reverse(f"incidents:{name}", kwargs={"number": incident.number})


def said(client, incident, page="log"):
    return [f"{line.actor} {line.sentence}" for line in client.get(at(page, incident)).context["lines"]]


def test_the_work_log_says_who_did_what_and_what_came_out(alice, bob, mallory, incident, client_of, customer_a):
    ticket = add_ticket(actor=alice, incident=incident, title="Image DC01")
    assign_ticket(actor=alice, ticket=ticket, assignee=bob)
    set_ticket_status(actor=bob, ticket=ticket, status="done", outcome="SHA-256 noted, nothing odd.")
    set_status(actor=alice, incident=incident, status="analyzing")
    role = join_incident(actor=mallory, incident=incident)
    end_role(actor=alice, assignment=role, reason="Wrong incident.")
    now = Incident.objects.get(pk=incident.pk)
    edit_incident(
        actor=bob, incident=now, version=now.version, fields={"customer": customer_a, "title": "New"}, tags=["x"]
    )
    client = client_of(alice)
    assert said(client, incident) == [
        "Bob Example changed title, customer, tags",
        "Alice Example ended the role of Mallory Example as Team Member",
        "Mallory Example joined the team",
        "Alice Example set the incident to Analyzing",
        f"Bob Example set #{ticket.number} Image DC01 to Done",
        f"Alice Example gave #{ticket.number} Image DC01 to Bob Example",
        f"Alice Example added #{ticket.number} Image DC01",
        "Alice Example made Carol Example Observer",
        "Alice Example made Bob Example Team Member",
        "Alice Example declared the incident",
    ]
    page = client.get(at("log", incident)).content.decode()
    assert "SHA-256 noted, nothing odd." in page
    assert "Reason: Wrong incident." in page


def test_a_verb_without_a_sentence_is_shown_as_it_is(alice, incident, client_of):
    @action
    def juggle(*, actor, incident):
        journal.record(
            "incident.juggled", actor=actor, subject=incident, changed=False, balls=[1, 2], note={"a": "<b>"}
        )

    juggle(actor=alice, incident=incident)
    assert said(client_of(alice), incident)[0] == "Alice Example incident.juggled"
    assert client_of(alice).get(at("audit", incident)).status_code == 200


def test_the_audit_page_shows_before_and_after_in_words_and_the_seal(alice, bob, incident, client_of, customer_a):
    fields = {"customer": customer_a, "type": "malware"}
    edit_incident(actor=bob, incident=incident, version=incident.version, fields=fields)
    restrict_incident(actor=alice, incident=incident, restricted=True, reason="An <i>insider</i>.")
    page = client_of(alice).get(at("audit", incident))
    changes = {(c.field, c.old, c.new) for line in page.context["lines"] for c in line.changes}
    assert {("customer", "nothing", "Customer A"), ("type", "Other", "Malware"), ("restricted", "no", "yes")} <= changes
    text = page.content.decode()
    assert "An &lt;i&gt;insider&lt;/i&gt;." in text
    assert JournalEntry.objects.filter(stream=incident.journal_stream).latest("id").hash[:10] in text


def test_entries_do_not_name_an_incident_that_their_reader_may_not_see(alice, bob, carol, incident, secret, client_of):
    link_incidents(actor=alice, source=incident, target=secret, kind="related_to")
    assert said(client_of(bob), incident)[0].endswith(f"is related to {secret.number}")
    for page in ("log", "audit", "audit_csv"):
        person = bob if page == "audit_csv" else carol
        if page == "audit_csv":
            end_role(actor=alice, assignment=secret.assignments.get(user=bob, until=None))
        response = client_of(person).get(at(page, incident))
        text = b"".join(response).decode() if page == "audit_csv" else response.content.decode()
        assert "another incident" not in text
        assert "related to" not in text
        assert "incident.linked" not in text
        assert secret.number not in text
        assert secret.title not in text


def test_a_merge_names_the_other_incident_to_who_may_see_it(alice, carol, mallory, make_incident, client_of):
    source, target = make_incident("One"), make_incident("Two", restricted=True)
    assign_role(actor=alice, incident=source, user=carol, role=Role.OBSERVER)
    merge_incidents(actor=alice, source=source, target=target, reason="The same attacker.")
    assert said(client_of(alice), source)[0] == f"Alice Example merged this incident into {target.number}"
    assert said(client_of(alice), target)[0].startswith(f"Alice Example took the tickets of {source.number}")
    for page in ("log", "audit", "overview"):
        assert target.number not in client_of(carol).get(at(page, source)).content.decode()


def test_ties_to_what_one_may_not_see_are_left_out_of_lines_counts_and_filters(
    alice, bob, carol, incident, secret, make_incident, client_of
):
    seen = make_incident("Same wave")
    for other in (secret, seen):
        unlink_incidents(
            actor=alice, link=link_incidents(actor=alice, source=incident, target=other, kind="related_to")
        )
    own = make_incident("Twin", restricted=True)
    merge_incidents(actor=alice, source=own, target=secret, reason="A twin.")
    merge_incidents(actor=alice, source=make_incident("Doublet"), target=incident, reason="A doublet.")
    verbs = {}
    for person in (alice, carol):
        for page in ("log", "audit"):
            found = client_of(person).get(at(page, incident)).context
            assert found["listing"].total == len(found["lines"])
            verbs[person, page] = sorted(line.entry.verb for line in found["lines"] if line.entry.verb in TIES)
        only = client_of(person).get(at("audit", incident), {"verb": "incident.unlinked"}).context["lines"]
        assert len(only) == (2 if person is alice else 1)
    both = sorted(["incident.linked", "incident.unlinked"] * 2 + ["incident.absorbed"])
    assert verbs[alice, "log"] == verbs[alice, "audit"] == both
    assert verbs[carol, "log"] == verbs[carol, "audit"] == sorted(set(both))


def test_a_verb_that_occurs_only_in_hidden_lines_is_no_choice(alice, carol, incident, secret, client_of):
    link_incidents(actor=alice, source=incident, target=secret, kind="related_to")
    asked = {"verb": "incident.linked"}
    assert client_of(alice).get(at("audit", incident), asked).context["refused"] == []
    assert client_of(carol).get(at("audit", incident), asked).context["refused"] == ["verb"]


def test_head_of_the_file_is_no_export(bob, incident, client_of):
    assert client_of(bob).head(at("audit_csv", incident)).status_code == 200
    assert not JournalEntry.objects.filter(verb="incident.journal_exported").exists()


def test_the_journal_is_filtered_by_verb_and_actor_that_occur_in_it(alice, bob, incident, client_of):
    edit_incident(actor=bob, incident=incident, version=incident.version, fields={"summary": "x"})
    client, url = client_of(alice), at("audit", incident)

    def verbs(**asked):
        return [line.entry.verb for line in client.get(url, asked).context["lines"]]

    assert verbs(verb="incident.edited") == ["incident.edited"]
    assert verbs(actor=f"user:{bob.pk}") == ["incident.edited"]
    assert verbs(verb="incident.opened", actor=f"user:{bob.pk}") == []
    for nonsense in ["\x00", "user:1e3", f"user:{2**70}", "person.login_failed", "'", "user:"]:
        response = client.get(url, {"verb": nonsense, "actor": nonsense, "stream": "people", "page": nonsense})
        assert response.status_code == 200
        assert response.context["refused"] == ["stream", "verb", "actor"]
        assert len(response.context["lines"]) == 4


def test_fifty_entries_stand_on_a_page(alice, incident, client_of):
    for number in range(60):
        add_ticket(actor=alice, incident=incident, title=f"Ticket {number}")
    client = client_of(alice)
    for page in ("log", "audit"):
        assert len(client.get(at(page, incident)).context["lines"]) == 50
        assert len(client.get(at(page, incident), {"page": 2}).context["lines"]) == 13


def test_the_pages_take_the_same_queries_with_4_and_with_60_entries(alice, bob, incident, make_incident, client_of):
    client = client_of(alice)
    link_incidents(actor=alice, source=incident, target=make_incident("A"), kind="related_to")

    def counted(page):
        client.get(at(page, incident))
        with CaptureQueriesContext(connection) as seen:
            client.get(at(page, incident))
        return len(seen)

    few = {page: counted(page) for page in ("log", "audit", "members")}
    for number in range(30):
        ticket = add_ticket(actor=alice, incident=incident, title=f"Ticket {number}")
        assign_ticket(actor=alice, ticket=ticket, assignee=bob)
        link_incidents(actor=alice, source=incident, target=make_incident(f"B{number}"), kind="related_to")
    many = {page: counted(page) for page in ("log", "audit", "members")}
    print(f"queries with 5 and with 95 entries: {few}, {many}")
    assert few == many
    assert max(many.values()) <= 14


# -- The file ---------------------------------------------------------------------------------------------------------
def test_the_file_has_every_entry_and_taking_it_is_one(bob, incident, client_of):
    response = client_of(bob).get(at("audit_csv", incident), {"verb": "role.assigned"})
    rows = list(csv.DictReader(io.StringIO(b"".join(response).decode())))
    assert [row["what"] for row in rows] == ["made Carol Example Observer", "made Bob Example Team Member"]
    assert rows[0]["hash"] == JournalEntry.objects.get(stream=incident.journal_stream, seq=rows[0]["seq"]).hash
    assert response["Content-Disposition"] == f'attachment; filename="{incident.number}-journal.csv"'
    entry = JournalEntry.objects.latest("id")
    assert (entry.verb, entry.data["rows"], entry.actor_id) == ("incident.journal_exported", 2, bob.pk)


def test_the_file_is_whole_beyond_one_chunk(alice, incident, client_of, monkeypatch):
    monkeypatch.setattr("incidents.queries.exports.CHUNK", 2)
    rows = list(csv.DictReader(io.StringIO(b"".join(client_of(alice).get(at("audit_csv", incident))).decode())))
    assert [row["seq"] for row in rows] == ["3", "2", "1"]


def test_only_who_works_the_incident_and_auditors_take_the_file(
    alice, carol, dora, mallory, auditor, eve, incident, secret, client_of
):
    for person, status in [(alice, 200), (auditor, 200), (carol, 403), (dora, 403), (mallory, 403), (eve, 404)]:
        assert client_of(person).get(at("audit_csv", incident)).status_code == status
    assert client_of(mallory).get(at("audit_csv", secret)).status_code == 404


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text):
    assert cell(text) == f"'{text}"
    assert cell("plain = text") == "plain = text"


@pytest.mark.parametrize("text", [text for text in FORMULAS if text.strip() == text])
def test_a_formula_in_a_title_leaves_as_text(alice, make_incident, client_of, text):
    made = make_incident(f"{text} in a title")
    restrict_incident(actor=alice, incident=made, restricted=True, reason=text)
    raw = b"".join(client_of(alice).get(at("audit_csv", made))).decode()
    rows = list(csv.DictReader(io.StringIO(raw)))
    assert rows[0]["reason"] == f"'{text}"
    for row in rows:
        assert not any((value or "").startswith(("=", "+", "-", "@", "\uff1d", '"', "\t")) for value in row.values())
