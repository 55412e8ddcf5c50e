"""My work: documents to approve, automations that wait for somebody, runs to rate."""

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import SYSTEM
from incidents.actions import team
from incidents.models import Incident, Role, RoleAssignment
from people.models import User
from reporting.queries import my as queries
from runbooks.actions import executions, versions
from runbooks.actions.automations import set_automation
from runbooks.actions.documents import write_document
from runbooks.actions.runs import rate_run, settle_runs
from runbooks.actions.starts import run_runbook
from runbooks.models import Document, Execution, Run, Version
from tests.reporting.test_my import HTMX, Browser, Make, page
from tickets.actions import tickets as actions
from tickets.models import Ticket

pytestmark = pytest.mark.django_db


def submitted(alice: User, slug: str, **fields: object) -> Version:
    draft = write_document(
        actor=alice, kind="runbook", slug=slug, title=slug.capitalize(), body="- [ ] Unplug it\n", facts=fields
    )
    return versions.submit(actor=alice, draft=draft)


def waits(bob: User, ticket: Ticket, action: str = "wait_for", **parameters: object) -> Execution:
    """An execution that waits for somebody: for an approval, or (ask_human) for an answer."""
    fields = {"action": action, "parameters": parameters or {"approval": "CANARY may we?"}, "needs_approval": True}
    automation = set_automation(actor=bob, ticket=ticket, version=None, fields=fields)
    execution = executions.ask(actor=bob, automation=automation, needs_approval=True, shown={})
    if action == "ask_human":
        Execution.objects.filter(pk=execution.pk).update(waiting="answer", question={"text": "CANARY which host?"})
    return execution


def through(bob: User, incident: Incident, title: str = "Isolation") -> Run:
    """A run of Bob's that is through."""
    document, _ = Document.objects.get_or_create(slug=title.lower(), defaults={"kind": "runbook", "title": title})
    if document.active is None:
        document.active = Version.objects.create(document=document, number=1, body="- [ ] Pull it\n", state="active")
        document.save()
    run = run_runbook(actor=bob, incident=incident, document=document, under=None, values={})
    for ticket in Ticket.objects.filter(steps__run=run):
        actions.set_status(actor=bob, ticket=ticket, status="done")
    settle_runs(actor=SYSTEM, incident=incident)
    return run


def test_a_document_waits_for_who_may_approve_it_and_did_not_write_it(alice, bob, carol, dora, client_of) -> None:
    draft = submitted(alice, "isolate", approvers=[carol], approvals_needed=2)
    titles = {who: [one.document.title for one in queries.my(who).documents] for who in (alice, bob, carol, dora)}
    assert titles == {alice: [], bob: [], carol: ["Isolate"], dora: ["Isolate"]}
    html = page(client_of, carol)
    assert ("Waiting for my approval" in html, f'href="{draft.get_absolute_url()}"' in html) == (True, True)
    versions.approve(actor=dora, draft=draft, comment="Read it.")
    assert (queries.my(dora).documents, len(queries.my(carol).documents)) == ([], 1)  # she has said what she thinks
    draft = versions.send_back(actor=carol, draft=draft, comment="Who pulls the plug?")
    assert queries.my(carol).documents == []
    versions.submit(actor=alice, draft=draft)
    assert [len(queries.my(who).documents) for who in (carol, dora)] == [1, 1]  # each round is asked anew
    Document.objects.update(archived_at=timezone.now())
    assert [queries.my(who).documents for who in (carol, dora)] == [[], []]


def test_who_wrote_a_little_of_it_is_not_asked(alice: User, dora: User) -> None:
    draft = submitted(alice, "isolate")
    draft.writers.add(dora)
    assert queries.my(dora).documents == []


def test_an_automation_waits_for_who_leads_and_did_not_ask(
    incident, alice, bob, carol, make_ticket: Make, client_of: Browser
) -> None:
    waits(bob, make_ticket("Cut it off"))
    assert {who: len(queries.my(who).to_agree) for who in (alice, bob, carol)} == {alice: 1, bob: 0, carol: 0}
    html = page(client_of, alice)
    assert ("Cut it off" in html, f"/incidents/{incident.number}/tickets/101/automation/" in html) == (True, True)
    Execution.objects.update(asked_by=alice)
    assert len(queries.my(alice).to_agree) == 1  # nobody else could agree
    team.assign_role(actor=alice, incident=incident, user=carol, role=Role.TECHNICAL)
    assert {who: len(queries.my(who).to_agree) for who in (alice, bob, carol)} == {alice: 0, bob: 0, carol: 1}


def test_what_an_automation_asks_is_asked_of_all_who_work_there(
    incident, alice, bob, carol, mallory, make_ticket: Make, client_of: Browser
) -> None:
    execution = waits(bob, make_ticket("Cut it off"), "ask_human", text="Which host?")
    found = {who: len(queries.my(who).asked) for who in (alice, bob, carol, mallory)}
    assert found == {alice: 1, bob: 1, carol: 0, mallory: 0}
    assert "CANARY which host?" in page(client_of, bob)
    executions.answer(actor=alice, execution=execution, answers={"host": "DC01"})
    assert queries.my(bob).asked == []


def test_what_waits_in_a_closed_incident_waits_for_nobody(incident, bob, alice, make_ticket: Make) -> None:
    waits(bob, make_ticket())
    Incident.objects.filter(pk=incident.pk).update(status="closed", closed_at=timezone.now())
    assert queries.my(alice).to_agree == []


def test_a_run_that_is_through_asks_who_started_it_until_somebody_rates_it(
    incident, alice, bob, client_of: Browser
) -> None:
    run = through(bob, incident)
    assert (len(queries.my(bob).runs), queries.my(alice).runs) == (1, [])
    assert f'href="/incidents/{incident.number}/runs/{run.pk}/finish/"' in page(client_of, bob)
    Incident.objects.filter(pk=incident.pk).update(status="closed", closed_at=timezone.now())
    tag = queries.tag(bob)
    rate_run(actor=alice, run=run, version=Run.objects.get().version, rating=4, worked=True)
    assert queries.my(bob).runs == []
    assert queries.tag(bob) != tag


def test_nothing_of_an_incident_that_bob_may_not_see_waits_for_him(secret, alice, bob, client_of: Browser) -> None:
    hidden = [actions.add_ticket(actor=alice, incident=secret, title=f"Hidden {n}") for n in range(2)]
    team.assign_role(actor=alice, incident=secret, user=bob, role=Role.TECHNICAL)
    waits(alice, hidden[0])
    waits(alice, hidden[1], "ask_human", text="Which host?")
    through(bob, secret)
    mine, html = queries.my(bob), page(client_of, bob)
    assert (len(mine.to_agree), len(mine.asked), len(mine.runs)) == (1, 1, 1)
    assert ("Hidden 0" in html, "Hidden 1" in html, "CANARY" in html) == (True, True, False)  # read there only
    for one in RoleAssignment.objects.filter(incident=secret, user=bob, until=None):
        team.end_role(actor=alice, assignment=one)
    mine, html = queries.my(bob), page(client_of, bob)
    assert (mine.to_agree, mine.asked, mine.runs) == ([], [], [])
    assert ("Hidden" in html, secret.number in html) == (False, False)


def test_a_poll_notices_what_waits(incident, alice, bob, dora, make_ticket: Make, client_of: Browser) -> None:
    def polled(who: User, tag: str) -> int:
        return client_of(who).get("/my/", headers={**HTMX, "HX-PTag": tag}).status_code

    tickets = [make_ticket(f"Ticket {n}") for n in range(2)]
    hers, managers = queries.tag(alice), queries.tag(dora)
    assert (polled(alice, hers), polled(dora, managers)) == (304, 304)
    waits(bob, tickets[0])
    assert (polled(alice, hers), polled(dora, managers)) == (200, 304)
    submitted(alice, "isolate")
    assert polled(dora, managers) == 200
    tag = queries.tag(dora)
    dora.groups.clear()
    dora.groups.add(Group.objects.get(name="Responder"))
    assert polled(dora, tag) == 200  # she may approve nothing any more


def test_what_waits_costs_the_same_for_2_and_for_40(
    alice, bob, dora, incident, make_ticket: Make, client_of: Browser, django_assert_max_num_queries
) -> None:
    team.assign_role(actor=alice, incident=incident, user=dora, role=Role.TECHNICAL)
    make_ticket("Hers", assignee=dora)
    browser, counted = client_of(dora), []
    browser.get("/my/")
    for start, end in ((0, 2), (2, 40)):
        for n in range(start, end):
            submitted(alice, f"book-{n}")
            waits(bob, make_ticket(f"Ticket {n}"), "wait_for" if n % 2 else "ask_human", text="x", approval="y")
            through(dora, incident)
        with CaptureQueriesContext(connection) as done:
            html = browser.get("/my/").content.decode()
        counted.append(len(done))
        assert (html.count("Book-"), html.count(">Rate<")) == (end, end)
    assert counted[0] == counted[1] <= 14


def test_hostile_words_of_runbooks_are_text(incident, alice, bob, dora, make_ticket: Make, client_of: Browser) -> None:
    team.assign_role(actor=alice, incident=incident, user=dora, role=Role.TECHNICAL)
    loud = "<script>alert(1)</script>"
    submitted(alice, "isolate")
    through(dora, incident)
    execution = waits(bob, make_ticket(loud), "ask_human", text=loud)
    Execution.objects.filter(pk=execution.pk).update(question={"text": loud})
    Document.objects.update(title=loud)
    html = page(client_of, dora)
    assert (loud in html, html.count("&lt;script&gt;alert(1)") >= 4) == (False, True)
