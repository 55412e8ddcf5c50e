"""The automation part of a ticket, as people see and use it, without a script."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from incidents.actions import team
from incidents.models import Incident, Role
from people.models import User
from runbooks import registry
from runbooks.actions import executions
from runbooks.actions.automations import set_automation
from runbooks.models import Automation, Execution
from runbooks.queries.automations import add_last, of_incident
from runbooks.registry import ACTIONS, ActionKind, Done, Parameter
from tests.runbooks.automating import asked, give, switch, worked
from tickets.actions.quick import Sprout, plant_branch
from tickets.actions.tickets import edit_ticket
from tickets.models import Ticket

HTMX = {"HX-Request": "true"}


@pytest.fixture
def ticket(make_ticket: Callable[..., Ticket]) -> Ticket:
    return make_ticket("Look the address up")


@pytest.fixture
def url(ticket: Ticket, incident: Incident) -> str:
    return f"/incidents/{incident.number}/tickets/{ticket.number}/automation/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


FORM = {"action": "set_status", "p-status": "doing", "trigger": "click", "retries": "0"}


def test_bob_gives_a_ticket_an_automation_and_runs_it(browser, url, ticket) -> None:
    assert "carries nothing out" in browser.get(url).content.decode()
    assert "p-status" in browser.get(f"{url}edit/?action=set_status").content.decode()
    assert browser.post(f"{url}edit/", FORM).status_code == 302
    automation = Automation.objects.get()
    assert (automation.action, automation.parameters) == ("set_status", {"status": "doing"})
    assert "It is being carried out" in browser.post(f"{url}run/", headers=HTMX).content.decode()
    done = worked(Execution.objects.get())
    assert done.state == "done"
    page = browser.get(url).content.decode()
    assert "set #101 to In progress" in page
    assert "set #101 to In progress" in browser.get(f"{url}executions/{done.pk}/").content.decode()
    assert "Set a status: set #101" in browser.get(ticket.get_absolute_url()).content.decode()


def test_a_dry_run_changes_nothing_and_says_what_would_be(browser, url, ticket, bob) -> None:
    give(ticket, bob, "set_status", {"status": "done"})
    browser.post(f"{url}dry-run/")
    worked(Execution.objects.get())
    assert "Would set #101 Look the address up from Open to Done." in browser.get(url).content.decode()


def test_another_action_shows_its_own_fields_and_keeps_what_was_typed(browser, url) -> None:
    page = browser.post(f"{url}edit/", {**FORM, "action": "wait_for", "condition": "affectedUsers > 5", "choose": "1"})
    html = page.content.decode()
    assert page.status_code == 200
    assert "p-minutes" in html
    assert "affectedUsers &gt; 5" in html
    assert not Automation.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"p-status": ""}, "required"), ({"condition": "a.b()"}, "called"),
        ({"trigger": "condition"}, "what it waits for"),
        ({"name": "A b"}, "Small letters"), ({"retries": "8"}, "less than or equal"), ({"action": "eaten"}, "is not"),
        ({"p-status": "{{ a.__class__ }}"}, "No name begins with"), ({"p-status": "{{ secrets.x }}"}, "reach out"),
        ({"p-status": "{% for x in y %}{% endfor %}"}, "statements|not"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_words(browser, url, fields, words) -> None:
    answer = browser.post(f"{url}edit/", {**FORM, **fields})
    html = answer.content.decode()
    assert answer.status_code in (200, 422)
    assert any(word in html for word in words.split("|")), html[:200]
    assert not Automation.objects.exists()


# -- Two at once ------------------------------------------------------------------------------------------------------
TELL = {"text": "It is <b>bad</b>.", "people": ["bob"]}


@pytest.fixture
def seen(ticket, bob) -> Automation:
    """As Bob and Alice opened it."""
    return give(ticket, bob, "notify", TELL)


def as_sent(automation: Automation, **fields: str) -> dict[str, str]:
    """The form, untouched but for these fields."""
    given = {"p-text": str(TELL["text"]), "p-people": "bob", "p-roles": ""}
    form = {"action": "notify", "fields_of": "notify", "trigger": "click", "retries": "0", "condition": "", "name": ""}
    return {**form, **given, "version": str(automation.version), **fields}


def overtaken(ticket, alice, seen: Automation, **fields: Any) -> None:
    """Alice saves first."""
    set_automation(actor=alice, ticket=ticket, version=seen.version, fields=fields)


def offered(html: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """What is sent along, and what there is to choose for each field: theirs, then yours."""
    page = html[html.index('id="conflict-title"') :]
    hidden = re.findall(r'type="hidden" name="([\w-]+)" value="([^"]*)"', page)
    choices: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="radio" name="([\w-]+)" value="([^"]*)"', page):
        choices.setdefault(name, []).append(unescape(value))
    return {name: unescape(value) for name, value in hidden}, choices


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
@pytest.mark.parametrize("choice", [0, 1], ids=["hers", "his"])
def test_who_saves_second_sees_both_texts_and_chooses(*, browser, url, ticket, alice, seen, headers, choice) -> None:
    overtaken(ticket, alice, seen, parameters={**TELL, "text": "Alice's text"}, retries=2, condition="tlp == 'x'")
    answer = browser.post(f"{url}edit/", as_sent(seen, **{"p-text": "<i>Bob's</i> text"}), headers=headers)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "<b>Alice Example changed this while you were writing.</b>" in html
    assert "<i>Bob" not in html
    assert Automation.objects.get().parameters["text"] == "Alice's text"
    sent, choices = offered(html)
    assert choices == {"p-text": ["Alice's text", "<i>Bob's</i> text"]}
    chosen = {name: values[choice] for name, values in choices.items()}
    assert browser.post(f"{url}edit/", {**sent, **chosen}).status_code == 302
    after = Automation.objects.get()
    assert after.parameters == {"text": chosen["p-text"], "people": ["bob"]}
    assert (after.retries, after.condition) == (2, "tlp == 'x'"), "what Bob left alone stays as Alice saved it"


def test_a_column_and_a_list_are_chosen_likewise(browser, url, ticket, alice, seen) -> None:
    overtaken(ticket, alice, seen, parameters={**TELL, "people": ["alice", "bob"]}, name="hers")
    answer = browser.post(f"{url}edit/", as_sent(seen, **{"p-people": "carol", "name": "his", "p-text": "Mine alone"}))
    sent, choices = offered(answer.content.decode())
    assert choices == {"p-people": ["alice\nbob", "carol"], "name": ["hers", "his"]}
    assert browser.post(f"{url}edit/", {**sent, "p-people": "alice\nbob", "name": "his"}).status_code == 302
    after = Automation.objects.get()
    assert (after.name, after.parameters) == ("his", {"text": "Mine alone", "people": ["alice", "bob"]})


@pytest.mark.parametrize(
    ("choice", "stands"),
    [("set_status", {"status": "doing"}), ("wait_for", {"minutes": 5})],
    ids=["hers", "his"],
)
def test_two_actions_are_one_choice_with_their_parameters(*, browser, url, ticket, alice, seen, choice, stands) -> None:
    overtaken(ticket, alice, seen, action="set_status", parameters={"status": "doing"})
    other = {"action": "wait_for", "fields_of": "wait_for", "p-minutes": "5", "p-approval": ""}
    html = browser.post(f"{url}edit/", as_sent(seen, **other)).content.decode()
    assert "status: doing" in html
    assert "minutes: 5" in html
    sent, choices = offered(html)
    assert choices == {"action": ["set_status", "wait_for"]}
    assert browser.post(f"{url}edit/", {**sent, "action": choice}).status_code == 302
    after = Automation.objects.get()
    assert (after.action, after.parameters) == (choice, stands)


def test_another_action_stays_where_only_something_else_was_at_odds(browser, url, ticket, alice, seen) -> None:
    overtaken(ticket, alice, seen, action="set_status", parameters={"status": "doing"}, name="hers")
    sent, choices = offered(browser.post(f"{url}edit/", as_sent(seen, name="his")).content.decode())
    assert choices == {"name": ["hers", "his"]}
    assert browser.post(f"{url}edit/", {**sent, "name": "his"}).status_code == 302
    after = Automation.objects.get()
    assert (after.action, after.parameters, after.name) == ("set_status", {"status": "doing"}, "his")


@pytest.mark.parametrize("fields_of", ["", "x" * 61, "eaten", "a\x00", "set_status"])
def test_whose_parameters_are_sent_is_not_believed(browser, url, fields_of) -> None:
    answer = browser.post(f"{url}edit/", {**FORM, "fields_of": fields_of})
    assert answer.status_code in (302, 422)
    assert [one.parameters for one in Automation.objects.all()] in ([], [{"status": "doing"}])


def test_mappings_and_lists_are_lines_of_text(browser, url) -> None:
    form = {
        "action": "http_request", "p-url": "https://x.example/", "p-method": "GET", "trigger": "click",
        "p-headers": "Accept: application/json\nX-Key: {{ secrets.intel }}",
    }  # fmt: skip
    assert browser.post(f"{url}edit/", form).status_code == 302
    found = Automation.objects.get()
    assert found.parameters["headers"] == {"Accept": "application/json", "X-Key": "{{ secrets.intel }}"}
    assert "X-Key: {{ secrets.intel }}" in browser.get(f"{url}edit/").content.decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [('{"a": ' * 700 + "1" + "}" * 700, "nest too deep"), ('{"a": 1' + "0" * 30 + "}", "number is too large"),
     ("[" * 30 + "]" * 30, "name: value"), ('{"a": ' * 100_000, "like JSON")],
)  # fmt: skip
def test_a_mapping_that_no_database_keeps_is_refused(browser, url, text: str, words: str) -> None:
    form = {**FORM, "action": "http_request", "p-url": "https://x.example/", "p-method": "GET", "p-headers": text}
    answer = browser.post(f"{url}edit/", form)
    assert answer.status_code == 422
    assert words in answer.content.decode() or "at most 20000" in answer.content.decode()


def test_numbers_and_signs_that_json_knows_and_databases_do_not_become_text(browser, url) -> None:
    text = '{"a": 1e999, "b": "\\ud800 \\u0000x"}'
    form = {**FORM, "action": "http_request", "p-url": "https://x.example/", "p-method": "GET", "p-headers": text}
    assert browser.post(f"{url}edit/", form).status_code == 302
    assert Automation.objects.get().parameters["headers"] == {"a": "inf", "b": "? x"}
    assert browser.post(f"{url}run/", headers=HTMX).status_code == 200


def test_alice_agrees_to_what_she_is_shown(client_of, browser, url, ticket, alice, bob) -> None:
    execution = asked(give(ticket, bob, "set_status", {"status": "doing"}, needs_approval=True), bob)
    assert "status" in (shown := browser.get(url).content.decode())
    assert "Agree" not in shown
    approve = f"{url}executions/{execution.pk}/approve/"
    assert browser.post(approve).status_code == 403
    assert "Agree" in client_of(alice).get(url).content.decode()
    assert client_of(alice).post(approve).status_code == 422
    seen = {"seen": execution.shown_digest}
    assert client_of(alice).post(approve, seen).status_code == 302
    assert worked(execution).state == "done"
    assert client_of(alice).post(approve, seen, headers=HTMX).status_code == 422


def test_alice_agrees_to_nothing_that_became_something_else_since_she_looked(client_of, url, ticket, alice, bob):
    """Somebody else agreed, the title changed, and it waits again: her page still shows what it was before."""
    tell = {"tasks": "- [ ] Wipe {{ ticket.title }}"}
    execution = asked(give(ticket, bob, "create_tickets", tell, needs_approval=True), bob)
    [seen] = re.findall(r'name="seen" value="([0-9a-f]{64})"', client_of(alice).get(url).content.decode())
    executions.approve(actor=alice, execution=execution)
    edit_ticket(actor=bob, ticket=ticket, version=ticket.version, fields={"title": "the file server"})
    assert worked(execution).waiting == "approval"
    answer = client_of(alice).post(f"{url}executions/{execution.pk}/approve/", {"seen": seen}, headers=HTMX)
    assert answer.status_code == 422
    assert "has changed since you looked" in answer.content.decode()
    assert worked(execution).waiting == "approval"


def test_all_of_what_is_agreed_to_is_shown(client_of, url, ticket, alice, bob) -> None:
    tasks = "- [ ] Look\n" * 60 + "- [ ] Wipe the file server\n"
    asked(give(ticket, bob, "create_tickets", {"tasks": tasks}, needs_approval=True), bob)
    assert "Wipe the file server" in client_of(alice).get(url).content.decode()


def test_who_alone_leads_agrees_to_what_they_asked_only_expressly(client_of, url, ticket, alice) -> None:
    execution = asked(give(ticket, alice, "set_status", {"status": "doing"}, needs_approval=True), alice)
    approve = f"{url}executions/{execution.pk}/approve/"
    seen = {"seen": execution.shown_digest}
    assert client_of(alice).post(approve, seen, headers=HTMX).status_code == 422
    assert client_of(alice).post(approve, {**seen, "alone": "on"}, headers=HTMX).status_code == 200
    assert worked(execution).state == "done"


def test_a_second_leader_who_came_after_the_page_was_shown_has_to_agree(client_of, url, ticket, alice, carol) -> None:
    execution = asked(give(ticket, alice, "set_status", {"status": "doing"}, needs_approval=True), alice)
    assert "nobody else here can agree" in client_of(alice).get(url).content.decode()
    team.assign_role(actor=alice, incident=ticket.incident, user=carol, role=Role.TECHNICAL)
    sent = {"alone": "on", "seen": execution.shown_digest}
    answer = client_of(alice).post(f"{url}executions/{execution.pk}/approve/", sent, headers=HTMX)
    assert answer.status_code == 422
    assert "let somebody else who leads look at it" in answer.content.decode()
    assert "nobody else here can agree" not in answer.content.decode()
    assert worked(execution).waiting == "approval"


def test_what_is_called_items_is_shown_as_any_other(browser, url, ticket, bob) -> None:
    """Templates would take it for what lists the names and values of a mapping."""
    kind = ActionKind(
        "hunt", "Hunt", lambda call: Done({"items": [1, 2, 3], "keys": "found"}), lambda call: "dry",
        parameters=(Parameter("items"),),
    )  # fmt: skip
    registry.register(kind)
    try:
        asked(give(ticket, bob, "hunt", {"items": "looked-for"}, needs_approval=True), bob)
        assert "looked-for" in browser.get(url).content.decode()
        executions.approve(actor=ticket.incident.commander, execution=Execution.objects.get())
        done = worked(Execution.objects.get())
        for page in (url, f"{url}executions/{done.pk}/"):
            shown = browser.get(page).content.decode()
            assert all(words in shown for words in ("looked-for", ">items<", "1", ">keys<", "found"))
    finally:
        del ACTIONS["hunt"]


def test_a_question_is_answered_on_the_ticket(browser, url, ticket, bob) -> None:
    fields = [{"name": "host", "label": "Which host?"}, {"name": "many", "kind": "number", "required": False}]
    execution = worked(asked(give(ticket, bob, "ask_human", {"text": "What is hit?", "fields": fields}), bob))
    page = browser.get(url).content.decode()
    assert "What is hit?" in page
    assert "Which host?" in page
    answer = f"{url}executions/{execution.pk}/answer/"
    assert browser.post(answer, {"a-host": ""}).status_code == 422
    assert browser.post(answer, {"a-host": "FS01", "a-many": "3"}).status_code == 302
    assert worked(execution).output == {"host": "FS01", "many": 3}


def test_what_went_in_and_came_out_is_said_in_words_and_not_twice(browser, url, ticket, bob) -> None:
    execution = worked(asked(give(ticket, bob, "wait_for", {"approval": "Reset it now?"}), bob))
    assert browser.get(url).content.decode().count("Reset it now?") == 1
    browser.post(f"{url}executions/{execution.pk}/cancel/")
    give_again = {"action": "ask_human", "p-text": "What is hit?", "p-fields": "host\nservice", "trigger": "click"}
    automation = Automation.objects.get()
    assert browser.post(f"{url}edit/", {**give_again, "retries": "0", "version": automation.version}).status_code == 302
    execution = worked(asked(Automation.objects.get(), bob))
    browser.post(f"{url}executions/{execution.pk}/answer/", {"a-host": "FS01", "a-service": "Files"})
    worked(execution)
    page = browser.get(f"{url}executions/{execution.pk}/").content.decode()
    assert "Ask somebody of" in page
    assert '<dt>Fields</dt><dd class="text-break pre">host, service</dd>' in page
    assert "FS01" in page
    assert "[&#x27;" not in page


def test_the_work_log_calls_actions_what_people_call_them(client_of, browser, ticket, incident, alice, bob) -> None:
    execution = worked(asked(give(ticket, bob, "wait_for", {"approval": "Reset it now?"}, name="second"), bob))
    url = f"/incidents/{incident.number}/tickets/{ticket.number}/automation/executions/{execution.pk}/approve/"
    client_of(alice).post(url, {"seen": execution.shown_digest})
    worked(execution)
    log = [line.sentence for line in browser.get(f"/incidents/{incident.number}/log/").context["lines"]]
    for told in (
        "gave #101 the automation “Wait”", "asked for “Wait” of #101", "waits for somebody who agrees to “Wait”",
        "agreed to “Wait” of #101", "carried out “Wait” of #101",
    ):  # fmt: skip
        assert told in log
    assert not [line for line in log if "wait_for" in line]


def test_it_can_be_cancelled_and_refused(client_of, browser, url, ticket, alice, bob) -> None:
    automation = give(ticket, bob, "set_status", {"status": "doing"}, needs_approval=True)
    browser.post(f"{url}executions/{asked(automation, bob).pk}/cancel/")
    assert Execution.objects.latest("pk").state == "cancelled"
    execution = asked(automation, bob)
    decline = f"{url}executions/{execution.pk}/decline/"
    assert client_of(alice).post(decline, {"reason": ""}, headers=HTMX).status_code == 422
    client_of(alice).post(decline, {"reason": "Not now"})
    assert "said no: Not now" in browser.get(url).content.decode()


def test_the_list_names_all_of_the_incident_in_few_queries(
    browser, incident, make_ticket, bob, django_assert_max_num_queries
) -> None:
    for number in range(12):
        give(make_ticket(f"T{number}"), bob, "set_status", {"status": "doing"})
    with django_assert_max_num_queries(25):
        html = browser.get(f"/incidents/{incident.number}/automations/").content.decode()
    assert html.count("Set a status") == 12
    assert "Page 1" not in html


def test_the_list_has_pages_and_says_how_many_there_are(
    browser, incident, alice, make_ticket, bob, django_assert_max_num_queries
) -> None:
    plant_branch(actor=alice, incident=incident, parent=None, sprouts=[Sprout(1, f"T{n}") for n in range(120)])
    tickets = Ticket.objects.filter(incident=incident, parent__isnull=False)
    Automation.objects.bulk_create(Automation(ticket=one, action="set_status") for one in tickets)
    url = f"/incidents/{incident.number}/automations/"
    with django_assert_max_num_queries(12):
        html = browser.get(url).content.decode()
    assert (html.count("Set a status"), '<span class="count">120</span>' in html) == (50, True)
    assert "1–50 of 120 automations" in html
    assert 'href="?page=2" rel="next"' in html
    with django_assert_max_num_queries(12):
        last = browser.get(f"{url}?page=3").content.decode()
    assert "101–120 of 120 automations" in last
    assert "T119</a>" in last
    assert "T99</a>" not in last


def executions_of(automation: Automation, many: int) -> None:
    """It was carried out so often, and failed each time: with 1 first, the last with the highest number."""
    rows = [Execution(automation=automation, state="failed", error=f"No {n}.") for n in range(1, many + 1)]
    Execution.objects.bulk_create(rows)


def told(browser: Client, url: str) -> list[int]:
    """The executions on this page, as they stand."""
    return [int(one) for one in re.findall(r"No (\d+)\.</p>", browser.get(url).content.decode())]


def test_bob_pages_through_all_times_it_was_carried_out(browser, url, ticket, bob) -> None:
    executions_of(give(ticket, bob, "set_status", {"status": "doing"}), 12)
    assert told(browser, url) == [12, 11, 10, 9, 8]
    assert told(browser, f"{url}?page=2") == [7, 6, 5, 4, 3]
    assert told(browser, f"{url}?page=3") == [2, 1]
    html = browser.get(f"{url}?page=2").content.decode()
    assert "6–10 of 12 executions" in html
    assert f'href="{url}?page=1" rel="prev"' in html
    assert f'href="{url}?page=3" rel="next"' in html


@pytest.mark.parametrize("page", ["0", "-1", "x", "9999", "1e3", "\u0663", "%00"])
def test_a_page_that_there_is_not_is_the_first_or_the_last(*, browser, url, ticket, bob, page) -> None:
    executions_of(give(ticket, bob, "set_status", {"status": "doing"}), 7)
    assert told(browser, f"{url}?page={page}") in ([7, 6, 5, 4, 3], [2, 1])


def test_the_panel_of_a_ticket_leads_to_the_older_ones_on_the_page_of_the_automation(browser, url, ticket, bob) -> None:
    executions_of(give(ticket, bob, "set_status", {"status": "doing"}), 6)
    panel = browser.get(url, headers=HTMX).content.decode()
    assert "<html" not in panel
    assert f'href="{url}?page=2" rel="next"' in panel
    assert told(browser, f"{url}?page=2") == [1]


def test_who_looks_at_older_ones_keeps_them_while_it_runs(browser, url, ticket, bob) -> None:
    automation = give(ticket, bob, "set_status", {"status": "doing"})
    executions_of(automation, 6)
    asked(automation, bob)
    html = browser.get(f"{url}?page=2").content.decode()
    assert f'hx-get="{url}?page=2"' in html
    assert "6–6 of 6 executions" in html
    assert "Take away" not in html


@pytest.mark.parametrize("many", [6, 60])
def test_the_page_of_an_automation_costs_the_same_queries_however_often_it_was_carried_out(
    *, browser, url, ticket, bob, many, django_assert_max_num_queries
) -> None:
    executions_of(give(ticket, bob, "set_status", {"status": "doing"}), many)
    with django_assert_max_num_queries(11):
        assert len(told(browser, f"{url}?page=1")) == 5


def test_the_list_reads_one_execution_of_each_and_not_what_it_gave(incident, ticket, bob) -> None:
    automation = give(ticket, bob, "set_status", {"status": "doing"})
    many = [Execution(automation=automation, state="failed", error=str(number)) for number in range(50)]
    Execution.objects.bulk_create(many)
    with CaptureQueriesContext(connection) as asked_for:
        rows: list[Any] = list(of_incident(incident))
        add_last(rows)
    found = rows[0]
    assert found.last.error == "49"
    assert len(asked_for) == 2
    assert '"output"' not in asked_for[1]["sql"]
    assert {"output", "log", "input"} <= found.last.get_deferred_fields()


def test_what_is_turned_off_is_said_so(browser, url, ticket, bob) -> None:
    give(ticket, bob, "http_request", {"url": "https://x.example/"})
    assert "an admin can turn it on" in browser.get(url).content.decode()
    switch("http_request")
    assert "an admin can turn it on" not in browser.get(url).content.decode()
