"""A branch is saved as a runbook, a run becomes the next version: what was written comes back, changes are kept."""

import random

import pytest

from runbooks.actions.starts import run_runbook
from runbooks.branches import fitting, task_of
from runbooks.models import Run, Version
from runbooks.queries.branches import node_of, text_of_branch, text_of_run
from runbooks.tasklines import parse
from tests.runbooks.conftest import PHISHING
from tests.runbooks.test_starts import VALUES
from tickets.actions import tickets as actions
from tickets.actions.quick import Sprout, plant_branch
from tickets.models import Ticket


@pytest.fixture
def run(incident, phishing, bob) -> Run:
    return run_runbook(actor=bob, incident=incident, document=phishing, under=None, values=VALUES)


def ticket(title: str) -> Ticket:
    return Ticket.objects.get(title__startswith=title)


def refreshed(run: Run) -> Run:
    return Run.objects.select_related("of__document", "ticket").get(pk=run.pk)


# -- A run back to its text -------------------------------------------------------------------------------------------
def test_a_run_that_nobody_changed_gives_its_own_text_back(run) -> None:
    again, before = parse(text_of_run(refreshed(run), dropped=True)), parse(PHISHING)
    assert [task.title for task in again.walk()] == [task.title for task in before.walk()]
    assert [task.kind for task in again.walk()] == [task.kind for task in before.walk()]
    assert again == before


def test_what_was_changed_in_the_tree_stands_in_the_next_version(run, alice, incident) -> None:
    one = ticket("Block")
    actions.edit_ticket(
        actor=alice, ticket=one, version=one.version, fields={"title": "Block it everywhere", "time_limit": 30}
    )
    actions.add_ticket(
        actor=alice, incident=incident, title="Ask the @bank about #mail", parent=ticket("Containment").number
    )
    text = text_of_run(refreshed(run), dropped=True)
    assert "- [ ] Block it everywhere @bob !30m #lead #network\n  Ask {{ owner }} first." in text
    assert "- [ ] Ask the @bank about \\#mail" in text
    assert "![[runbook:reset-account]]" in text
    assert "{{ link }}" in text
    assert "evil.example" not in text


def test_a_sub_playbook_that_was_changed_is_written_out(run, alice) -> None:
    one = ticket("Look for rules")
    actions.edit_ticket(actor=alice, ticket=one, version=one.version, fields={"title": "Look for forwards"})
    text = text_of_run(refreshed(run), dropped=True)
    assert "![[runbook:reset-account]]" not in text
    assert "Reset the password of {{ owner }} @technical_lead !30m" in text
    assert "Look for forwards" in text


def test_a_dropped_step_is_left_out_only_if_asked(run, alice) -> None:
    actions.set_status(actor=alice, ticket=ticket("Tell the customer"), status="dropped", reason="Not theirs")
    assert "Tell the customer" in text_of_run(refreshed(run), dropped=True)
    assert "Tell the customer" not in text_of_run(refreshed(run), dropped=False)


def test_a_run_that_began_without_its_last_steps_writes_the_part_out(incident, bob, phishing) -> None:
    run = run_runbook(
        actor=bob, incident=incident, document=phishing, under=None, values=VALUES, skip={"1.2.2"}
    )  # fmt: skip
    text = text_of_run(refreshed(run), dropped=True)
    assert "![[runbook:reset-account]]" not in text
    assert "Look for rules" not in text


# -- Any branch -------------------------------------------------------------------------------------------------------
def test_a_branch_names_roles_and_no_people(incident, make_ticket, alice, bob) -> None:
    top = make_ticket("Mail", description="What it is about.")
    make_ticket("Lead it", parent=top, assignee=alice)
    make_ticket("Do it", parent=top, assignee=bob)
    assert text_of_branch(top) == (
        "What it is about.\n\n- [ ] Lead it @incident_commander\n- [ ] Do it\n"
    )  # fmt: skip


def test_a_runbook_inserted_in_a_branch_is_a_sub_playbook_again(incident, make_ticket, bob, reset) -> None:
    top = make_ticket("Mail")
    run_runbook(actor=bob, incident=incident, document=reset, under=top.number, values=VALUES)
    assert text_of_branch(top) == "![[runbook:reset-account]]\n"


# -- The pages --------------------------------------------------------------------------------------------------------
def test_bob_saves_a_branch_as_a_draft_that_he_looked_over(client_of, bob, incident, make_ticket) -> None:
    top = make_ticket("Mail wave")
    make_ticket("Ask <b>them</b>", parent=top)
    browser, url = client_of(bob), f"/incidents/{incident.number}/tickets/101/save-as-runbook/"
    html = browser.get(url).content.decode()
    assert "- [ ] Ask &lt;b&gt;them&lt;/b&gt;" in html
    assert 'value="mail-wave"' in html
    sent = {"title": "Mail wave", "slug": "mail-wave", "body": "- [ ] Ask them\r\n"}
    assert browser.post(url, sent).status_code == 302
    version = Version.objects.get(document__slug="mail-wave")
    assert (version.state, version.body, version.author) == ("draft", "- [ ] Ask them\n", bob)
    assert browser.post(url, sent).status_code == 422


@pytest.mark.parametrize("body", ["", "no task", "- [ ] x !2x", "- [ ] a\x00"])
def test_a_text_that_is_no_runbook_is_not_saved(client_of, bob, incident, make_ticket, body) -> None:
    make_ticket("Mail wave")
    url = f"/incidents/{incident.number}/tickets/101/save-as-runbook/"
    assert client_of(bob).post(url, {"title": "T", "slug": "t", "body": body}).status_code == 422
    assert not Version.objects.exists()


def test_the_next_version_is_shown_with_what_differs_and_saved_as_a_draft(client_of, bob, alice, run) -> None:
    one = ticket("Block")
    actions.edit_ticket(actor=alice, ticket=one, version=one.version, fields={"title": "Block it everywhere"})
    browser, url = client_of(bob), f"{run.get_absolute_url()}update/"
    html = browser.get(url).content.decode()
    assert "<ins>" in html
    assert "<del>" in html
    body = text_of_run(refreshed(run), dropped=True)
    assert browser.post(url, {"body": body, "change_note": "Everywhere"}).status_code == 302
    draft = Version.objects.get(document__slug="phishing", number=2)
    assert (draft.state, draft.change_note, draft.body) == ("draft", "Everywhere", body)
    late = browser.post(url, {"body": "- [ ] other\n", "version": ""})
    assert late.status_code == 422
    assert "Somebody else wrote on the draft meanwhile" in late.content.decode()
    assert Version.objects.get(pk=draft.pk).body == body


TITLES = [
    "Isolate the host", "- [ ] a box", "## a heading", "@bob look", "look #lead", "!2h", "~customer", "C# service",
    "![[runbook:x]]", "{{ secrets.x }}", "<b>x</b>", "a  b", "\\#x", "\\\\server\\share", "```", "#109", "* x",
    "x" * 200,
]  # fmt: skip
TEXTS = [
    "",
    "One line",
    "# head\n- [ ] box\n\n![[runbook:x]]\n```action\nx\n```",
    "  indented\n\ttab",
    "```\n- [ ] in code",
    "\\- [ ] x",
]


@pytest.mark.parametrize("seed", range(12))
def test_reading_the_text_of_a_branch_gives_the_same_branch(incident, bob, alice, seed) -> None:
    chance = random.Random(seed)
    sprouts, depth = [Sprout(depth=1, title="Top")], 1
    for _ in range(30):
        depth = chance.randint(2, min(depth + 1, 8))
        sprouts.append(
            Sprout(
                depth=depth,
                title=chance.choice(TITLES),
                description=chance.choice(TEXTS),
                shared=chance.random() < 0.3,
                minutes=chance.choice([None, 1, 90, 3000]),
                lead=chance.random() < 0.2,
                assignee=chance.choice([None, alice]),
                tags=tuple(chance.sample(["net", "phase-2", "ärger", "two words", "Lead", "x_y"], 2)),
            )
        )
    top = plant_branch(actor=bob, incident=incident, parent=None, sprouts=sprouts)[0]
    wanted = fitting([task_of(child) for child in node_of(top).children])
    again = parse(text_of_branch(top))
    assert again.tasks == wanted
    assert [task.title for task in again.walk()] == [one.title for one in sprouts[1:]]
