"""Quick add: pasted text becomes a branch, in one transaction with one entry, or is refused with line and column."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from core import markdown
from core.models import JournalEntry
from incidents.actions import team
from incidents.models import Incident, Role, Tag
from people.models import User
from runbooks.models import Automation, Run
from tickets import tree
from tickets.actions import tickets as actions
from tickets.actions.batches import ready
from tickets.actions.quick import Sprout, plant_branch
from tickets.actions.tags import set_tags, tags_of
from tickets.checks import broken
from tickets.models import Ticket

HTMX = {"HX-Request": "true"}
TEXT = """\
Find out what happened
  - [ ] Isolate the host @bob !2h #lead #phase-1
    Pull the plug, **then** write it down.
    - [x] Take a photo ~customer
  - [ ] Ask the bank @incident_commander
Write it down
"""


@pytest.fixture
def url(incident: Incident) -> str:
    return f"/incidents/{incident.number}/tickets/quick/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


def order(incident: Incident) -> list[tuple[int, int, str]]:
    rows = Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("lft")
    return list(rows.values_list("parent__number", "number", "title"))


def sound(incident: Incident) -> bool:
    return list(broken(Incident.objects.get(pk=incident.pk))) == []


def last() -> JournalEntry:
    return JournalEntry.objects.filter(stream__startswith="incident:").latest("seq")


# -- What becomes of text ---------------------------------------------------------------------------------------------
def test_bob_pastes_a_list_and_it_is_a_branch(browser, url, incident, make_ticket, alice, bob) -> None:
    make_ticket("Beacon")
    make_ticket("After")
    html = browser.post(url, {"text": TEXT, "parent": "#101 Beacon"}, headers=HTMX).content.decode()
    assert "5 tickets added." in html
    assert order(incident) == [
        (100, 101, "Beacon"), (101, 103, "Find out what happened"), (103, 104, "Isolate the host"),
        (104, 105, "Take a photo"), (103, 106, "Ask the bank"), (101, 107, "Write it down"), (100, 102, "After"),
    ]  # fmt: skip
    host, photo, bank = (Ticket.objects.get(number=n) for n in (104, 105, 106))
    assert (host.assignee, host.time_limit, host.lead, tags_of(host)) == (bob, 120, True, ["phase-1"])
    assert host.lead_at is not None
    assert host.description == "Pull the plug, **then** write it down."
    assert "<strong>then</strong>" in host.description_html
    assert (photo.status, photo.category, photo.shared, photo.finished_at is None) == ("done", "done", True, False)
    assert (bank.assignee, bank.created_by) == (alice, bob)
    assert sound(incident)


def test_one_entry_names_them_all_and_answers_for_their_history(browser, url, incident) -> None:
    before = JournalEntry.objects.count()
    browser.post(url, {"text": TEXT}, headers=HTMX)
    assert JournalEntry.objects.count() == before + 1
    entry = last()
    assert (entry.verb, entry.data["tickets"]) == ("tickets.planted", [101, 102, 103, 104, 105])
    history: Any = Ticket.history
    rows = set(history.exclude(number=100).values_list("history_id", flat=True))
    assert rows <= {int(pk) for pk in entry.history[history.model._meta.label]}
    assert set(history.exclude(number=100).values_list("history_type", "history_user_id")) == {("+", entry.actor_id)}
    assert Incident.objects.get(pk=incident.pk).tickets_total == 5


def test_further_tickets_and_moves_find_the_tree_sound(browser, url, incident, make_ticket, bob) -> None:
    browser.post(url, {"text": TEXT}, headers=HTMX)
    make_ticket("More", parent=Ticket.objects.get(number=103))
    actions.move_ticket(actor=bob, ticket=Ticket.objects.get(number=102), parent=105)
    browser.post(url, {"text": "- a\n  - b\n    - c\n- d", "parent": "102"}, headers=HTMX)
    assert sound(incident)
    assert len(order(incident)) == 10


def test_bob_takes_the_branch_back_and_it_stays_as_dropped(browser, url, incident) -> None:
    html = browser.post(url, {"text": TEXT}, headers=HTMX).content.decode()
    address = html.rpartition('<form method="post" action="')[2].partition('"')[0]
    assert "5 tickets are dropped: they were added by mistake." in browser.post(address, headers=HTMX).content.decode()
    assert set(Ticket.objects.exclude(number=100).values_list("status", flat=True)) == {"dropped"}
    assert browser.post(address, headers=HTMX).status_code == 422


def test_a_branch_that_somebody_works_with_is_not_taken_back(browser, url, incident, alice) -> None:
    html = browser.post(url, {"text": TEXT}, headers=HTMX).content.decode()
    address = html.rpartition('<form method="post" action="')[2].partition('"')[0]
    actions.add_ticket(actor=alice, incident=incident, title="Below", parent=103)
    assert browser.post(address, headers=HTMX).status_code == 422
    assert Ticket.objects.filter(status="dropped").count() == 0


@pytest.mark.parametrize("many", [20, 200])
def test_planting_costs_the_same_few_queries_however_many_tickets(
    *, incident, bob, make_ticket, django_assert_max_num_queries, many
) -> None:
    make_ticket("What there was")
    sprouts = [
        Sprout(depth=1 + n % 3, title=f"T{n}", tags=("x", f"y{n}"), assignee=bob, minutes=n + 1) for n in range(many)
    ]
    with django_assert_max_num_queries(24) as found:
        plant_branch(actor=bob, incident=incident, parent=None, sprouts=sprouts)
    print(f"{many} tickets planted at three levels: {len(found)} queries")
    assert sound(incident)


# -- The preview ------------------------------------------------------------------------------------------------------
def test_the_preview_shows_the_branch_and_makes_nothing(browser, url, incident) -> None:
    html = browser.post(f"{url}?preview=1", {"text": TEXT}, headers=HTMX).content.decode()
    assert html.lstrip().startswith('<div id="quick-preview"')
    assert "5 tickets will be added" in html
    assert "Take a photo" in html
    page = browser.post(url, {"text": TEXT, "preview": "1"}).content.decode()
    assert "5 tickets will be added" in page
    assert "Not saved" not in page
    assert order(incident) == []


def test_the_row_one_stands_on_is_the_parent_that_is_offered(browser, url, make_ticket) -> None:
    make_ticket("Beacon")
    assert 'value="#101 Beacon"' in browser.get(f"{url}?parent=101").content.decode()
    assert browser.get(f"{url}?parent=%00").status_code == browser.get(f"{url}?parent=999").status_code == 200


def test_what_is_asked_for_is_filled_in_before_it_is_saved(browser, url, incident) -> None:
    text = "Isolate {{ host }}\n  Log in to {{host}} as {{ user }}"
    answer = browser.post(url, {"text": text, "value-host": "DC01"}, headers=HTMX)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert 'name="value-host" value="DC01"' in html
    assert 'name="value-user" value=""' in html
    sent = {"text": text, "value-host": "DC01", "value-user": "@bob #lead"}
    assert browser.post(url, sent, headers=HTMX).status_code == 200
    ticket = Ticket.objects.get(number=101)
    assert (ticket.title, ticket.lead, ticket.assignee) == ("Isolate DC01", False, None)
    assert ticket.description == "Log in to DC01 as @bob #lead"


@pytest.mark.parametrize("value", ["x" * 201, "a\x00b", "a\nb", "\u202egpj.exe", " "])
def test_a_value_is_one_line_of_visible_text(browser, url, incident, value) -> None:
    sent = {"text": "Isolate {{ host }}", "value-host": value}
    assert browser.post(url, sent, headers=HTMX).status_code == 422
    assert order(incident) == []


# -- What is refused --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "one\n  - two @nina",
            "Line 2, column 9:</span> @nina is nobody who works on this incident. Possible: @alice, @bob",
        ),
        ("one @mallory", "@mallory is nobody who works on this incident"),
        ("one @carol", "@carol is nobody who works on this incident"),
        ("one @legal_lead", "Line 1, column 5:</span> Nobody who works tickets here is Legal Lead"),
        ("one\n![[runbook:nowhere]]", "Line 2, column 1:</span> There is no runbook named “nowhere”"),
        ("- [ ] one\n  ```action\n  send: {on: later}\n  ```", "on is one of start, click and condition"),
        ("- [ ] one {{ a }}\n  ```action\n  send: {to: '{{ a }}'}\n  ```", "Write the value itself"),
        ("one\n- [x] two #lead", "Line 2, column 1:</span> A lead is done with a result"),
        ("one\n" + "x" * 201, "Line 2"),
        ("a\x00b", "Line 1, column 2:</span> Null characters are not allowed"),
        ("one \u202e", "Line 1"),
        ("x" * (2**20 + 1), "larger than 1 MB"),
        ("\n".join(" " * n + "- t" for n in range(0, 120, 2)), "Tickets go at most 50 deep"),
        ("t\n" * 5001, "at most 5,000 tickets"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_line_and_column_and_nothing_is_made(*, browser, url, incident, text, words) -> None:
    answer = browser.post(url, {"text": text}, headers=HTMX)
    assert answer.status_code == 422
    html = answer.content.decode()
    assert words in html
    assert words in browser.post(f"{url}?preview=1", {"text": text}, headers=HTMX).content.decode()
    assert order(incident) == []


@pytest.mark.parametrize("text", ["", "   \n\t\n", "----\n===="])
def test_a_text_without_tasks_says_so(browser, url, incident, text) -> None:
    assert browser.post(url, {"text": text}, headers=HTMX).status_code == 422
    assert order(incident) == []


def test_a_branch_too_deep_for_where_it_goes_is_refused_whole(browser, url, incident, make_ticket) -> None:
    browser.post(url, {"text": "\n".join(" " * n + "- t" for n in range(0, 90, 2))}, headers=HTMX)
    deepest = Ticket.objects.order_by("-level")[0]
    answer = browser.post(url, {"text": "\n".join(" " * n + "- t" for n in range(0, 20, 2)), "parent": deepest.number})
    assert answer.status_code == 422
    assert "at most 50 levels" in answer.content.decode()
    assert len(order(incident)) == 45


@pytest.mark.parametrize("parent", ["999", "#101#102", "x", "-1", "\x00"])
def test_a_parent_that_is_none_is_refused(browser, url, incident, make_incident, parent) -> None:
    other = make_incident("Another")
    actions.add_ticket(actor=other.commander, incident=other, title="Foreign")
    assert browser.post(url, {"text": "one", "parent": parent}).status_code == 422
    assert order(incident) == []


def test_a_ticket_of_another_incident_is_no_parent(browser, url, incident, make_incident, make_ticket) -> None:
    other = make_incident("Another")
    for title in ("A", "B", "C"):
        actions.add_ticket(actor=other.commander, incident=other, title=title)
    assert browser.post(url, {"text": "one", "parent": "103"}).status_code == 422
    assert len(order(other)) == 3


def test_hostile_words_are_text(browser, url) -> None:
    html = browser.post(f"{url}?preview=1", {"text": "<script>alert(1)</script>"}, headers=HTMX).content.decode()
    assert "<script>" not in html
    html = browser.post(f"{url}?preview=1", {"text": "a {{ x }}", "value-x": '"><b>'}, headers=HTMX).content.decode()
    assert '"><b>' not in html


def test_nothing_is_planted_in_a_closed_incident(browser, url, incident) -> None:
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    answer = browser.post(url, {"text": "one"}, headers=HTMX)
    assert answer.status_code == 422
    assert "closed" in answer.content.decode()


def test_carol_observes_and_mallory_has_no_role(client_of, carol, mallory, url, incident) -> None:
    for person in (carol, mallory):
        assert client_of(person).get(url).status_code == 403
        assert client_of(person).post(url, {"text": "one"}).status_code == 403
        assert client_of(person).post(f"{url}?preview=1", {"text": "one"}).status_code == 403
    assert order(incident) == []


def test_of_two_technical_leads_the_first_is_meant(browser, url, incident, alice, bob, make_user) -> None:
    for name in ("tina", "theo"):
        person = make_user(name, "Responder")
        team.assign_role(actor=alice, incident=incident, user=person, role=Role.TECHNICAL)
    browser.post(url, {"text": "one @Technical-Lead\ntwo @TINA@demo.example"}, headers=HTMX)
    assert {str(one.assignee) for one in Ticket.objects.filter(parent__isnull=False)} == {"Tina Example"}


def test_values_do_not_make_a_description_longer_than_it_may_be(browser, url, incident) -> None:
    text = "one\n  two\n    " + "{{a}}" * 400
    answer = browser.post(url, {"text": text, "value-a": "x" * 200}, headers=HTMX)
    assert (answer.status_code, order(incident)) == (422, [])
    assert "Line 1, column 1:</span> With its values this description has" in answer.content.decode()
    assert browser.post(url, {"text": text, "value-a": "x" * 100}, headers=HTMX).status_code == 200
    assert len(Ticket.objects.get(number=101).description) > 40_000


def test_values_do_not_make_many_tickets_larger_than_a_text_may_be(browser, url, incident) -> None:
    text = "\n".join("- [ ] one\n  " + "{{a}}" * 300 for _ in range(20))
    answer = browser.post(url, {"text": text, "value-a": "x" * 200}, headers=HTMX)
    assert (answer.status_code, order(incident)) == (422, [])
    assert "With its values this text is larger than 1 MB" in answer.content.decode()


# -- The action -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "sprout",
    [Sprout(1, ""), Sprout(1, "x" * 201), Sprout(1, "x", lead=True, done=True),
     Sprout(1, "x", tags=tuple(f"t{n}" for n in range(21))), Sprout(1, "x", description="x" * (64 * 1024 + 1))],
)  # fmt: skip
def test_the_action_itself_refuses_what_is_no_ticket(incident, bob, sprout) -> None:
    with pytest.raises(ValidationError):
        plant_branch(actor=bob, incident=incident, parent=None, sprouts=[Sprout(1, "good"), sprout])
    with pytest.raises(ValidationError):
        plant_branch(actor=bob, incident=incident, parent=None, sprouts=[])
    assert order(incident) == []


def test_texts_are_rendered_before_anybody_has_to_wait(incident, bob, monkeypatch: pytest.MonkeyPatch) -> None:
    happened: list[str] = []
    stored, lock = markdown.stored, tree.lock

    def rendered(text: str, **options: str) -> str:
        happened.append("rendered")
        return stored(text, **options)

    def locked(pk: int) -> Incident:
        happened.append("locked")
        return lock(pk)

    monkeypatch.setattr(markdown, "stored", rendered)
    monkeypatch.setattr(tree, "lock", locked)
    sprouts = [Sprout(1, "one", description="*a*"), Sprout(2, "two"), Sprout(1, "three", description="**b**")]
    made = plant_branch(actor=bob, incident=incident, parent=None, sprouts=sprouts)
    assert happened == ["rendered"] * 3 + ["locked"]
    html = [Ticket.objects.get(pk=one.pk).description_html for one in made]
    assert ("<em>a</em>" in html[0], html[1], "<strong>b</strong>" in html[2]) == (True, "", True)


def test_new_tags_are_added_in_one_order_whatever_the_order_of_the_tickets(
    incident, bob, make_ticket, django_assert_num_queries
) -> None:
    """Whoever adds the same ones to another incident meanwhile waits for us, and never we for them."""
    sprouts = [Sprout(1, "one", tags=("zulu", "mike")), Sprout(1, "two", tags=("alpha",))]
    plant_branch(actor=bob, incident=incident, parent=None, sprouts=sprouts)
    assert list(Tag.objects.order_by("pk").values_list("name", flat=True)) == ["alpha", "mike", "zulu"]
    set_tags(actor=bob, ticket=make_ticket(), tags=["zulu", "Yankee", "#bravo"])
    assert list(Tag.objects.order_by("pk").values_list("name", flat=True))[3:] == ["bravo", "yankee"]
    with django_assert_num_queries(1):
        ready(["zulu", "alpha"])


def test_work_is_given_only_to_who_works_here(incident, bob, carol) -> None:
    with pytest.raises(ValidationError, match="has no role"):
        plant_branch(actor=bob, incident=incident, parent=None, sprouts=[Sprout(1, "x", assignee=carol)])


def test_trees_of_other_incidents_are_not_touched(incident, bob, make_incident, alice) -> None:
    other = make_incident("Another")
    actions.add_ticket(actor=alice, incident=other, title="Foreign")
    before = list(Ticket.objects.filter(incident=other).values())
    plant_branch(actor=bob, incident=incident, parent=None, sprouts=[Sprout(1, "a"), Sprout(2, "b")])
    assert list(Ticket.objects.filter(incident=other).values()) == before
    assert tree.root(incident).rght == 6


# -- Runbooks and automations in pasted text --------------------------------------------------------------------------
def test_a_line_that_names_a_runbook_inserts_it_as_a_run_of_its_own(browser, url, incident, phishing, bob) -> None:
    text = "Find out\n  - [ ] First {{ link }}\n  ![[runbook:phishing]]\nLast"
    refused = browser.post(url, {"text": text}, headers=HTMX)
    assert refused.status_code == 422
    assert 'name="value-owner"' in refused.content.decode()
    browser.post(url, {"text": text, "value-link": "evil.example", "value-owner": "ada"}, headers=HTMX)
    run = Run.objects.get()
    assert run.ticket is not None
    assert (run.of, run.ticket.parent.title, run.started_by) == (phishing.active, "Find out", bob)
    assert run.values == {"link": "evil.example", "owner": "ada"}
    assert run.steps.count() == 8
    assert Ticket.objects.filter(title="First evil.example").exists()
    assert Automation.objects.get().run == run
    assert order(incident)[-1][2] == "Last"
    assert sound(incident)


def test_what_is_written_as_done_is_done_but_in_a_runbook_that_the_text_names(
    browser, url, incident, make_runbook
) -> None:
    make_runbook("r", "- [x] In the runbook\n", "R")
    browser.post(url, {"text": "- [x] In the text\n![[runbook:r]]"}, headers=HTMX)
    rows = Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("lft")
    assert list(rows.values_list("title", "status")) == [
        ("In the text", "done"), ("R", "open"), ("In the runbook", "open"),
    ]  # fmt: skip


def test_the_preview_shows_what_the_runbook_brings(browser, url, reset) -> None:
    html = browser.post(f"{url}?preview=1", {"text": "![[runbook:reset-account]]", "value-owner": "ada"}, headers=HTMX)
    assert "3 tickets will be added" in html.content.decode()
    assert "Reset the password of ada" in html.content.decode()
    assert not Ticket.objects.exists()


def test_a_runbook_that_contains_itself_is_refused_at_its_line(browser, url, make_runbook) -> None:
    make_runbook("round", "![[runbook:round]]\n", "Round")
    answer = browser.post(url, {"text": "One\n![[runbook:round]]"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Line 2, column 1:</span> A runbook cannot contain itself: “Round” → “Round”." in answer.content.decode()


def test_more_tries_than_are_made_are_refused_where_the_block_stands(browser, url) -> None:
    text = "- [ ] One\n- [ ] Look it up\n  ```action\n  lookup: {retries: 8}\n  ```"
    answer = browser.post(url, {"text": text}, headers=HTMX)
    assert answer.status_code == 422
    assert "Line 3, column 3:</span> In the automation lookup: retries is a number from 0 to 7." in (
        answer.content.decode()
    )
    browser.post(url, {"text": text.replace("8", "7")}, headers=HTMX)
    assert Automation.objects.get().retries == 7


def test_an_action_block_becomes_an_automation_with_an_entry_of_its_own(browser, url, incident) -> None:
    text = (
        "- [ ] Look it up\n  ```action\n  lookup: {url: 'https://x.example/{{ incident.number }}', retries: 2}\n  ```"
    )
    browser.post(url, {"text": text}, headers=HTMX)
    made = Automation.objects.get()
    assert (made.action, made.retries, made.run) == ("lookup", 2, None)
    assert made.parameters == {"url": "https://x.example/{{ incident.number }}"}
    assert (last().verb, last().data["tickets"]) == ("automations.planted", [101])
