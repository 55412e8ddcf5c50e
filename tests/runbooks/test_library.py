"""The starter library: every text can be read, run and linked, and says nothing that its readers cannot have."""

import re

import pytest

from core import markdown
from incidents.models.team import PERMISSIONS
from runbooks import blocks, expressions
from runbooks.expansion import Book, Step, asked, book, expand
from runbooks.filling import names_in
from runbooks.library import Starter, Unreadable, starters
from runbooks.models import Document, DocumentKind, Version
from runbooks.placeholders import PLACEHOLDERS
from runbooks.problems import problems
from runbooks.tasklines import render

ALL = starters()
RUNBOOKS = [one for one in ALL if one.kind == DocumentKind.RUNBOOK]
PART = "sub-playbook"
WHOLE = [one for one in RUNBOOKS if PART not in one.tags]
SUBJECTS = {
    "phishing", "malware", "ransomware", "data-breach", "ddos", "unauthorized-access", "insider",
    "web-application-compromise", "business-email-compromise", "lost-device", "cloud-key-leak", "system-outage",
}  # fmt: skip
CONTROLLED = {
    "incident-response-plan", "evidence-handling", "communication", "severity-scale", "post-incident-review", "drills",
}  # fmt: skip
MESSAGES = {
    "first-notice-to-customer", "customer-update", "all-clear", "heads-up-to-executives", "request-to-staff",
    "regulator-first-notification", "post-incident-summary", "call-invitation", "notice-to-persons-concerned",
}  # fmt: skip
WORKING = {role for role, may in PERMISSIONS.items() if "work" in may}  # nobody else can be given a ticket
ASKED = {"account", "device", "host", "key_id", "sender", "service", "system"}
INCIDENT = {
    "affectedUsers": None, "affectedSystems": ["WS-0147"], "affectedServices": [], "dataTypes": [], "severity": "high",
}  # fmt: skip
INSIDE = {"ask_human": {"text", "fields"}, "wait_for": {"minutes", "approval"}}  # asks and waits, and no more
ANY = re.compile(r"\{\{(.*?)\}\}")
LINK = re.compile(r"(?<!!)\[\[(.*?)\]\]")
LABEL = re.compile(r"\{\{ incident\.tlp \}\}|TLP:(?:RED|AMBER\+STRICT|AMBER|GREEN|CLEAR)")
TECHNIQUE = re.compile(r"\bT\d+(?:\.\d+)?")


def named(one: Starter) -> str:
    return one.slug


def books() -> dict[str, Book]:
    """The runbooks as they are once loaded, without a database."""
    versions = [
        Version(document=Document(kind=one.kind, slug=one.slug, title=one.title), body=one.body) for one in RUNBOOKS
    ]
    return {one.slug: one for one in map(book, versions)}


def steps_of(one: Starter) -> list[Step]:
    found = books()
    return expand(found[one.slug], found)


def test_the_library_has_what_a_team_needs_to_begin():
    slugs = {kind: {one.slug for one in ALL if one.kind == kind} for kind in DocumentKind}
    assert slugs[DocumentKind.RUNBOOK] >= SUBJECTS
    assert slugs[DocumentKind.POLICY] | slugs[DocumentKind.PROCEDURE] >= CONTROLLED
    assert slugs[DocumentKind.TEMPLATE] >= MESSAGES
    assert len(slugs[DocumentKind.GUIDELINE]) >= 3


def test_no_two_documents_share_a_name_or_a_title():
    assert len({one.slug for one in ALL}) == len({one.title.casefold() for one in ALL}) == len(ALL)


@pytest.mark.parametrize("one", ALL, ids=named)
def test_every_text_could_be_submitted(one):
    assert not problems(one.kind, one.body, one.subject)


@pytest.mark.parametrize("one", RUNBOOKS, ids=named)
def test_every_runbook_reads_as_task_lines_and_back(one):
    text = books()[one.slug].text
    assert text.introduction
    assert render(text)
    assert {task.who for task in text.walk()} <= {"", *WORKING}
    assert not any(task.done for task in text.walk())


@pytest.mark.parametrize("one", WHOLE, ids=named)
def test_every_runbook_is_a_night_of_work_with_questions_to_answer(one):
    steps = steps_of(one)
    assert 15 <= len(steps) - 1 <= 45
    assert 3 <= sum(step.task.lead for step in steps) <= 8
    assert 2 <= max(step.depth for step in steps) <= 4
    assert any("**Do not**" in step.text for step in steps[:1]), "says what must not be done"
    assert len(asked(steps)) <= 3


@pytest.mark.parametrize("one", WHOLE, ids=named)
def test_every_runbook_says_how_it_ends(one):
    assert "close-the-response" in books()[one.slug].parts


@pytest.mark.parametrize("one", RUNBOOKS, ids=named)
def test_leads_ask_and_all_other_steps_say_what_to_do(one):
    work = [task for task in books()[one.slug].text.walk() if task.kind == "task"]
    assert [task.title for task in work if ("?" in task.title) != task.lead] == []


@pytest.mark.parametrize("one", RUNBOOKS, ids=named)
def test_every_step_of_work_says_who_does_it_and_how_long_it_may_take(one):
    work = [task for task in books()[one.slug].text.walk() if task.kind == "task"]
    assert all(task.who and task.minutes for task in work), [task.title for task in work if not task.minutes]
    assert set(asked(steps_of(one))) <= ASKED


def test_every_sub_playbook_is_part_of_a_runbook():
    parts = set().union(*(one.parts for one in books().values()))
    linked = {slug for one in RUNBOOKS for slug in LINK.findall(one.body)}
    assert {one.slug for one in RUNBOOKS if PART in one.tags} <= parts | linked
    assert parts <= {one.slug for one in RUNBOOKS if PART in one.tags}


@pytest.mark.parametrize("one", ALL, ids=named)
def test_every_link_leads_to_a_document(one):
    slugs = {other.slug for other in ALL} - {one.slug}
    assert set(LINK.findall(one.body)) | set(one.related) <= slugs


@pytest.mark.parametrize("one", ALL, ids=named)
def test_every_text_is_formatted_where_it_is_shown(one):
    assert "plain-note" not in markdown.render(one.body)


@pytest.mark.parametrize("one", ALL, ids=named)
def test_no_sentence_is_broken_by_the_end_of_a_line(one):
    """A line end is one on the page, too."""
    prose = re.sub(r"```.*?```|^ {4}.*?$", "", one.body, flags=re.DOTALL | re.MULTILINE)
    assert not re.findall(r"^.*[a-z,]\n *[a-z(].*$", prose, re.MULTILINE)


@pytest.mark.parametrize("one", [one for one in ALL if one.kind != DocumentKind.RUNBOOK], ids=named)
def test_placeholders_stand_only_in_messages_and_are_known(one):
    found = {name.strip() for name in ANY.findall(one.subject + one.body)}
    assert found <= (set(PLACEHOLDERS) if one.kind == DocumentKind.TEMPLATE else set())
    assert one.kind != DocumentKind.TEMPLATE or found >= {"incident.number", "sender.name"}


@pytest.mark.parametrize("one", [one for one in ALL if one.kind == DocumentKind.TEMPLATE], ids=named)
def test_every_message_is_marked_before_its_text_and_says_when_the_reader_hears_more(one):
    """TLP 2.0: the label stands in the subject, and before what it is about. A note for the sender may come first.

    GDPR Art. 34(2) asks for plain language where everybody is written to: no label there.
    """
    marked = LABEL.match(one.subject), any(LABEL.match(part.strip("*")) for part in one.body.split("\n\n")[:2])
    assert [bool(mark) for mark in marked] == [one.slug != "notice-to-persons-concerned"] * 2
    assert "{{ next_update }}" in one.body
    assert "{{ incident.title }}" not in one.subject, "whoever sees a list of mails reads subjects"


@pytest.mark.parametrize("one", RUNBOOKS, ids=named)
def test_what_stands_in_braces_in_a_runbook_is_asked_for(one):
    assert len(ANY.findall(one.body)) == len([name for name in ANY.findall(one.body) if names_in([f"{{{{{name}}}}}"])])


@pytest.mark.parametrize("one", ALL, ids=named)
def test_techniques_are_written_as_attack_writes_them(one):
    found = TECHNIQUE.findall(one.body)
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", technique) for technique in found), found


@pytest.mark.parametrize("one", [one for one in ALL if one.kind in ("policy", "procedure")], ids=named)
def test_a_policy_can_be_read_in_one_sitting(one):
    assert 600 <= len(one.body.split()) <= 1500


@pytest.mark.parametrize("one", ALL, ids=named)
def test_escalations_can_be_worked_out(one):
    for rule in one.escalations:
        expressions.holds(rule["condition"], INCIDENT)  # is refused where it is not allowed
        words = set(re.findall(r"[A-Za-z]\w*", re.sub(r'"[^"]*"', "", rule["condition"])))
        assert words <= {*INCIDENT, "length", "in"}, "a name that nobody knows never holds, and nobody hears of it"
    assert not one.escalations or one.kind == DocumentKind.RUNBOOK


@pytest.mark.parametrize("one", RUNBOOKS, ids=named)
def test_what_a_runbook_does_by_itself_stays_inside_treeline(one):
    for task in books()[one.slug].text.walk():
        if task.action is not None:
            assert blocks.columns(task.action)["action"] in INSIDE
            assert set(task.action.parameters) - set(blocks.KEYS) <= INSIDE[task.action.name]


def test_many_affected_people_call_the_sponsor_in_a_phishing_incident():
    phishing = next(one for one in ALL if one.slug == "phishing")
    rule = phishing.escalations[0]
    assert rule == {"condition": "affectedUsers > 50", "action": "Escalate to the executive sponsor"}
    assert expressions.holds(rule["condition"], {**INCIDENT, "affectedUsers": 51})
    assert not expressions.holds(rule["condition"], {**INCIDENT, "affectedUsers": 50})


GOOD = "title: A\nsummary: B\nreview: yearly\n---\n- [ ] C\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD.replace("---", ""), "a line --- ends the header"),
        (GOOD.replace("title: A", "titel: A"), "line 1: there is no “titel”"),
        (GOOD.replace("title: A", "title: A\ntitle: B"), "line 2: “title” is there twice"),
        (GOOD.replace("title: A", "title:"), "line 1: write name: value"),
        (GOOD.replace("title: A\n", ""), "“title” is missing"),
        (GOOD.replace("title: A", f"title: {'A' * 201}"), "“title” has more than 200 characters"),
        (GOOD.replace("yearly", "often"), "line 3: review is monthly, quarterly or yearly"),
        (GOOD.replace("review", "types: fishing\nreview"), "line 3: “fishing” cannot be one of the types"),
        (GOOD.replace("review", "related: ../x\nreview"), "line 3: “../x” cannot be one of the related"),
        (GOOD.replace("review", "escalate: severity > 3\nreview"), "line 3: write escalate: condition => what to do"),
        (GOOD.replace("review", "subject: S\nreview"), "a subject belongs to message templates"),
        (GOOD.replace("- [ ] C", ""), "the text is missing"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_its_line(tmp_path, text, said):
    folder = tmp_path / "runbooks"
    folder.mkdir()
    (folder / "fine.md").write_text(GOOD)
    (folder / "wrong.md").write_text(text)
    with pytest.raises(Unreadable, match=r"wrong\.md") as refused:
        starters(tmp_path)
    assert said in str(refused.value)


def test_two_files_of_the_same_name_are_refused(tmp_path):
    for kind in ("policies", "procedures"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "same.md").write_text(GOOD)
    with pytest.raises(Unreadable, match="same"):
        starters(tmp_path)
