"""A branch is saved as a runbook, a run becomes the next version: what was written comes back, changes are kept."""

import random

import pytest

from incidents.actions.team import assign_role, end_role
from runbooks.actions.starts import run_runbook
from runbooks.branches import fitting, task_of
from runbooks.models import Run, Version
from runbooks.queries.branches import draft_of_branch, draft_of_run, node_of
from runbooks.tasklines import parse
from tests.runbooks.automating import give
from tests.runbooks.conftest import PHISHING, put_in_force
from tests.runbooks.test_starts import VALUES
from tickets.actions import tickets as actions
from tickets.actions.leads import mark_lead
from tickets.actions.quick import Sprout, plant_branch
from tickets.actions.tags import set_tags, tags_of
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
    again, before = parse(draft_of_run(refreshed(run), dropped=True).text), parse(PHISHING)
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
    text = draft_of_run(refreshed(run), dropped=True).text
    assert "- [ ] Block it everywhere @bob !30m #lead #network\n  Ask {{ owner }} first." in text
    assert "- [ ] Ask the @bank about \\#mail" in text
    assert "![[runbook:reset-account]]" in text
    assert "{{ link }}" in text
    assert "evil.example" not in text


def test_a_sub_playbook_that_was_changed_is_written_out(run, alice) -> None:
    one = ticket("Look for rules")
    actions.edit_ticket(actor=alice, ticket=one, version=one.version, fields={"title": "Look for forwards"})
    text = draft_of_run(refreshed(run), dropped=True).text
    assert "![[runbook:reset-account]]" not in text
    assert "Reset the password of {{ owner }} @technical_lead !30m" in text
    assert "Look for forwards" in text


def edited(by, name: str, **fields) -> None:
    one = ticket(name)
    actions.edit_ticket(actor=by, ticket=one, version=one.version, fields=fields)


RESET_AS_WRITTEN = "![[runbook:reset-account]]"
NOTIFY = {"text": "Look", "people": ["alice"]}
CHANGES = {
    "title": lambda by, title: edited(by, title, title=f"{title}, all of it"),
    "text": lambda by, title: edited(by, title, description="In all folders"),
    "time limit": lambda by, title: edited(by, title, time_limit=45),
    "sharing with the customer": lambda by, title: edited(by, title, shared=True),
    "lead mark": lambda by, title: mark_lead(actor=by, ticket=ticket(title), lead=True),
    "person or role": lambda by, title: actions.assign_ticket(actor=by, ticket=ticket(title), assignee=by),
    "tags": lambda by, title: set_tags(actor=by, ticket=ticket(title), tags=["mail"]),
    "automation": lambda by, title: give(ticket(title), by, "notify", NOTIFY),
}


@pytest.mark.parametrize("title", ["Reset an account", "Reset the password", "Look for rules"])
@pytest.mark.parametrize("what", CHANGES)
def test_whatever_a_line_can_say_is_seen_where_a_sub_playbook_stands(run, alice, what, title) -> None:
    number = ticket(title).number
    CHANGES[what](alice, title)
    draft = draft_of_run(refreshed(run), dropped=True)
    assert RESET_AS_WRITTEN not in draft.text
    assert "Look for rules" in draft.text
    why = "“Reset an account” is written out, since it is not as it was inserted"
    how = f"To leave it as it is, write {RESET_AS_WRITTEN} in the place of its steps."
    assert draft.notes == [f"{why}: #{number} has another {what}. {how}"]


def test_steps_that_are_new_gone_or_moved_are_named(run, alice, incident) -> None:
    actions.add_ticket(actor=alice, incident=incident, title="Call ada", parent=ticket("Reset an account").number)
    rules = ticket("Look for rules")
    actions.move_ticket(actor=alice, ticket=rules, parent=ticket("After").number)
    draft = draft_of_run(refreshed(run), dropped=True)
    assert RESET_AS_WRITTEN not in draft.text
    assert f"step 1.2.2 is not there; #{ticket('Call ada').number} is new there." in draft.notes[0]


def test_steps_in_another_order_are_another_runbook(run, alice) -> None:
    first, second = ticket("Reset the password"), ticket("Look for rules")
    actions.move_ticket(actor=alice, ticket=second, parent=ticket("Reset an account").number, before=first.number)
    draft = draft_of_run(refreshed(run), dropped=True)
    assert RESET_AS_WRITTEN not in draft.text
    assert "have another order" in draft.notes[0]


def test_what_was_changed_and_set_back_is_no_change(run, alice) -> None:
    for limit in (45, 30):
        edited(alice, "Reset the", time_limit=limit)
    draft = draft_of_run(refreshed(run), dropped=True)
    assert (parse(draft.text), draft.notes) == (parse(PHISHING), [])


def test_work_on_the_steps_is_no_change_of_the_runbook(run, bob) -> None:
    actions.set_status(actor=bob, ticket=ticket("Reset the password"), status="doing")
    actions.assign_ticket(actor=bob, ticket=ticket("Look for rules"), assignee=bob)
    edited(bob, "Look for rules", outcome="None found", headline="Clean")
    draft = draft_of_run(refreshed(run), dropped=True)
    assert (parse(draft.text), draft.notes) == (parse(PHISHING), [])


def test_a_role_that_passed_to_somebody_else_is_no_change(incident, phishing, alice, bob, carol) -> None:
    held = assign_role(actor=alice, incident=incident, user=bob, role="technical_lead")
    assign_role(actor=alice, incident=incident, user=alice, role="communications_lead")
    run = run_runbook(actor=bob, incident=incident, document=phishing, under=None, values=VALUES)
    assert ticket("Reset the password").assignee == bob
    assert ticket("Tell the customer").assignee == alice  # who also commands
    end_role(actor=alice, assignment=held)
    draft = draft_of_run(refreshed(run), dropped=True)
    assert (parse(draft.text), draft.notes) == (parse(PHISHING), [])


def test_a_sub_playbook_that_has_a_newer_version_by_now_stays_one(run, reset) -> None:
    put_in_force(reset, "- [ ] Only one step\n")
    draft = draft_of_run(refreshed(run), dropped=True)
    assert RESET_AS_WRITTEN in draft.text
    assert draft.notes == []


def test_the_introduction_is_the_text_of_the_top_and_what_it_cannot_say_is_told(run, alice) -> None:
    edited(alice, "Phishing", description="Somebody wrote down a password.", time_limit=60)
    draft = draft_of_run(refreshed(run), dropped=True)
    assert draft.text.startswith("Somebody wrote down a password.\n\n## Containment\n")
    assert draft.notes == ["#101 stands for the runbook itself, which has no time limit: that is left out."]


def test_words_of_a_line_stay_as_they_were_written_where_they_mean_the_same(incident, make_runbook, bob) -> None:
    lines = "- [ ] See @Technical-Lead #Zebra #Ape\n  ```action\n  notify: {text: x, on: click}\n  ```\n"
    document = make_runbook("look", lines)
    assign_role(actor=bob, incident=incident, user=bob, role="technical_lead")
    run = run_runbook(actor=bob, incident=incident, document=document, under=None, values={})
    assert parse(draft_of_run(refreshed(run), dropped=True).text) == parse(lines)
    assert (ticket("See").assignee, tags_of(ticket("See"))) == (bob, ["ape", "zebra"])


def test_a_dropped_step_is_left_out_only_if_asked(run, alice) -> None:
    actions.set_status(actor=alice, ticket=ticket("Tell the customer"), status="dropped", reason="Not theirs")
    assert "Tell the customer" in draft_of_run(refreshed(run), dropped=True).text
    assert "Tell the customer" not in draft_of_run(refreshed(run), dropped=False).text


def test_a_run_that_began_without_its_last_steps_writes_the_part_out(incident, bob, phishing) -> None:
    run = run_runbook(
        actor=bob, incident=incident, document=phishing, under=None, values=VALUES, skip={"1.2.2"}
    )  # fmt: skip
    text = draft_of_run(refreshed(run), dropped=True).text
    assert "![[runbook:reset-account]]" not in text
    assert "Look for rules" not in text


# -- Any branch -------------------------------------------------------------------------------------------------------
def test_a_branch_names_roles_and_no_people(incident, make_ticket, alice, bob) -> None:
    top = make_ticket("Mail", description="What it is about.")
    make_ticket("Lead it", parent=top, assignee=alice)
    make_ticket("Do it", parent=top, assignee=bob)
    assert draft_of_branch(top).text == (
        "What it is about.\n\n- [ ] Lead it @incident_commander\n- [ ] Do it\n"
    )  # fmt: skip


def test_what_is_done_is_to_be_done_again_in_a_runbook(incident, make_ticket, alice, bob, make_runbook) -> None:
    top = make_ticket("Mail")
    actions.set_status(actor=alice, ticket=make_ticket("Do it", parent=top), status="done")
    assert draft_of_branch(top).text == "- [ ] Do it\n"
    book = make_runbook("r", "- [x] One\n")
    run = run_runbook(actor=bob, incident=incident, document=book, under=None, values={})
    assert draft_of_run(refreshed(run), dropped=True).text == "- [ ] One\n"


def test_a_runbook_inserted_in_a_branch_is_a_sub_playbook_again(incident, make_ticket, bob, reset) -> None:
    top = make_ticket("Mail")
    run_runbook(actor=bob, incident=incident, document=reset, under=top.number, values=VALUES)
    assert draft_of_branch(top).text == "![[runbook:reset-account]]\n"


@pytest.mark.parametrize("what", CHANGES)
def test_a_runbook_inserted_in_a_branch_and_changed_is_written_out(
    incident, make_ticket, bob, alice, reset, what
) -> None:
    top = make_ticket("Mail")
    run_runbook(actor=bob, incident=incident, document=reset, under=top.number, values=VALUES)
    CHANGES[what](alice, "Look for rules")
    draft = draft_of_branch(top)
    assert "- [ ] Reset an account\n  - [ ] Reset the password of {{ owner }}" in draft.text
    assert f"has another {what}." in draft.notes[0]


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


def test_the_pages_say_what_was_written_out_and_why(client_of, bob, alice, run) -> None:
    edited(alice, "Reset the", time_limit=45)
    number = ticket("Reset the").number
    told = f"“Reset an account” is written out, since it is not as it was inserted: #{number} has another time limit."
    browser, run_page = client_of(bob), run.get_absolute_url()
    for url in (f"{run_page}update/", f"/incidents/{run.incident.number}/tickets/101/save-as-runbook/"):
        assert told in browser.get(url).content.decode()


def test_the_next_version_is_shown_with_what_differs_and_saved_as_a_draft(client_of, bob, alice, run) -> None:
    one = ticket("Block")
    actions.edit_ticket(actor=alice, ticket=one, version=one.version, fields={"title": "Block it everywhere"})
    browser, url = client_of(bob), f"{run.get_absolute_url()}update/"
    html = browser.get(url).content.decode()
    assert "<ins>" in html
    assert "<del>" in html
    body = draft_of_run(refreshed(run), dropped=True).text
    assert browser.post(url, {"body": body, "change_note": "Everywhere"}).status_code == 302
    draft = Version.objects.get(document__slug="phishing", number=2)
    assert (draft.state, draft.change_note, draft.body) == ("draft", "Everywhere", body)
    late = browser.post(url, {"body": "- [ ] other\n", "version": ""})
    assert late.status_code == 422
    assert "Somebody else wrote on the draft meanwhile" in late.content.decode()
    assert Version.objects.get(pk=draft.pk).body == body


def test_the_order_in_which_markers_were_written_is_no_difference(
    client_of, bob, alice, incident, make_runbook
) -> None:
    body = "Look first.\n\n* [ ] #lead !1h @technical_lead See {{ host }}\n- [ ] ~customer Tell them\n"
    document = make_runbook("see", body)
    run = run_runbook(actor=bob, incident=incident, document=document, under=None, values={"host": "FS-2"})
    browser, url = client_of(bob), f"{run.get_absolute_url()}update/"
    assert "Nothing: the branch is as it was written." in browser.get(url).content.decode()
    edited(alice, "Tell them", time_limit=60)
    html = browser.get(url).content.decode()
    assert (html.count("<ins>"), html.count("<del>")) == (1, 0)
    draft = Version.objects.get(document=document)
    Version.objects.filter(pk=draft.pk).update(body="- [ ] no !2x", state="draft")
    assert browser.get(url).status_code == 200, "a draft that does not read yet is compared as it stands"


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
    again = parse(draft_of_branch(top).text)
    assert again.tasks == wanted
    assert [task.title for task in again.walk()] == [one.title for one in sprouts[1:]]
