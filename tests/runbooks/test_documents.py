"""Documents: Alice writes, Dora (a manager) approves; nobody approves what they wrote."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from core.actors import SYSTEM
from core.models import JournalEntry
from core.models.versions import Conflict
from people.models import User
from runbooks.actions import documents, versions
from runbooks.models import Document, DocumentLink, Version, VersionState
from tests.conftest import MakeUser

Write = Callable[..., Version]
STEPS = "- [ ] Isolate the host @bob !2h\n"


@pytest.fixture
def write(alice: User) -> Write:
    """A document of Alice's, as a draft."""

    def make(slug: str = "isolate", body: str = STEPS, **fields: Any) -> Version:
        fields = {"actor": alice, "kind": "runbook", "title": slug.replace("-", " ").capitalize(), **fields}
        return documents.write_document(slug=slug, body=body, **fields)

    return make


@pytest.fixture
def in_force(write: Write, alice: User, dora: User) -> Write:
    """A document of Alice's that Dora has approved."""

    def make(slug: str = "isolate", body: str = STEPS, **fields: Any) -> Version:
        draft = versions.submit(actor=alice, draft=write(slug, body, **fields))
        return versions.approve(actor=dora, draft=draft, comment="Tried it out.")

    return make


def _fresh(version: Version) -> Version:
    return Version.objects.get(pk=version.pk)


def test_a_document_begins_as_the_draft_of_its_version_1(write: Write, alice: User) -> None:
    draft = write(tags=["Network"])
    document = Document.objects.get(slug="isolate")
    assert (draft.number, draft.stage, draft.author) == (1, VersionState.DRAFT, alice)
    assert document.owner == alice
    assert document.active is None
    assert not Document.objects.in_use().exists()
    assert list(document.tags.values_list("name", flat=True)) == ["network"]
    assert JournalEntry.objects.filter(stream="documents").get().verb == "document.written"


@pytest.mark.parametrize("slug", ["", "new", "overdue", "Isolate", "-a", "a b", "ä", "a/b", "a" * 81])
def test_a_slug_that_makes_no_address_is_refused(write: Write, slug: str) -> None:
    with pytest.raises(ValidationError, match="small letters"):
        write(slug)


def test_a_slug_is_given_once_over_all_kinds(write: Write) -> None:
    write("isolate")
    with pytest.raises(ValidationError, match="already"):
        write("isolate", kind="policy")


def test_dora_approves_with_a_comment_and_it_is_in_force(in_force: Write, dora: User) -> None:
    version = _fresh(in_force())
    assert version.stage == VersionState.ACTIVE
    assert version.document.active == version
    assert version.approvals.get().by == dora
    assert Document.objects.in_use().get() == version.document
    assert version.document.review_due is not None
    verbs = JournalEntry.objects.filter(stream="documents").order_by("seq").values_list("verb", flat=True)
    assert list(verbs) == ["document.written", "version.submitted", "version.approved", "version.activated"]


def test_alice_cannot_approve_her_own(write: Write, alice: User, make_user: MakeUser) -> None:
    gina = make_user("gina", "Manager")
    draft = write(actor=gina)
    versions.edit_draft(actor=alice, document=draft.document, version=1, body=f"{STEPS}- [ ] More")
    versions.submit(actor=alice, draft=draft)
    for writer in (alice, gina):
        with pytest.raises(ValidationError, match="You wrote on this"):
            versions.approve(actor=writer, draft=draft, comment="Fine.")
        with pytest.raises(ValidationError, match="You wrote on this"):
            versions.send_back(actor=writer, draft=draft, comment="Not fine.")
    assert _fresh(draft).stage == VersionState.IN_REVIEW


def test_no_machine_approves(write: Write, alice: User) -> None:
    draft = versions.submit(actor=alice, draft=write())
    with pytest.raises(ValidationError, match="A person"):
        versions.approve(actor=SYSTEM, draft=draft, comment="Beep.")


def test_an_approval_needs_a_comment(write: Write, alice: User, dora: User) -> None:
    draft = versions.submit(actor=alice, draft=write())
    with pytest.raises(ValidationError, match="Say what you looked at"):
        versions.approve(actor=dora, draft=draft, comment="  ")


def test_a_draft_is_neither_approved_nor_put_in_force(write: Write, dora: User) -> None:
    draft = write()
    with pytest.raises(ValidationError, match="draft by now"):
        versions.approve(actor=dora, draft=draft, comment="Fine.")
    with pytest.raises(ValidationError, match="draft by now"):
        versions.activate(actor=dora, draft=draft)


def test_two_have_to_agree_where_two_are_asked_for(write: Write, alice: User, dora: User, make_user: MakeUser) -> None:
    gina = make_user("gina", "Manager")
    draft = versions.submit(actor=alice, draft=write(facts={"approvals_needed": 2}))
    versions.approve(actor=dora, draft=draft, comment="Fine.")
    assert _fresh(draft).stage == VersionState.IN_REVIEW
    with pytest.raises(ValidationError, match="said so already"):
        versions.approve(actor=dora, draft=draft, comment="Still fine.")
    versions.approve(actor=gina, draft=draft, comment="Fine as well.")
    assert _fresh(draft).stage == VersionState.ACTIVE


def test_each_named_approver_has_to_agree(write: Write, alice: User, bob: User, dora: User) -> None:
    draft = versions.submit(actor=alice, draft=write(facts={"approvers": [bob]}))
    versions.approve(actor=dora, draft=draft, comment="Fine.")
    assert _fresh(draft).stage == VersionState.IN_REVIEW
    assert "approve" in draft.document.permissions_for(bob)
    versions.approve(actor=bob, draft=draft, comment="As I do it.", activate=False)
    assert _fresh(draft).stage == VersionState.APPROVED
    assert not Document.objects.in_use().exists()
    versions.activate(actor=alice, draft=draft)
    assert _fresh(draft).stage == VersionState.ACTIVE


def test_who_has_to_approve_cannot_have_written(write: Write, alice: User, bob: User) -> None:
    draft = write(facts={"approvers": [alice, bob]})
    with pytest.raises(ValidationError, match="Alice Example has to approve it, and wrote on this version"):
        versions.submit(actor=bob, draft=draft)


def test_who_approves_is_not_changed_while_somebody_is_asked(write: Write, alice: User) -> None:
    draft = versions.submit(actor=alice, draft=write(facts={"approvals_needed": 2}))
    with pytest.raises(ValidationError, match="in review"):
        documents.edit_facts(
            actor=alice, document=draft.document, version=draft.document.version, fields={"approvals_needed": 1}
        )


def test_what_is_sent_back_is_approved_anew(write: Write, alice: User, dora: User, make_user: MakeUser) -> None:
    gina = make_user("gina", "Manager")
    draft = versions.submit(actor=alice, draft=write(facts={"approvals_needed": 2}))
    versions.approve(actor=dora, draft=draft, comment="Fine.")
    versions.send_back(actor=dora, draft=draft, comment="I overlooked something.")
    assert _fresh(draft).stage == VersionState.DRAFT
    versions.submit(actor=alice, draft=draft)
    versions.approve(actor=gina, draft=draft, comment="Fine.")
    assert _fresh(draft).stage == VersionState.IN_REVIEW
    versions.approve(actor=dora, draft=draft, comment="Now it is.")
    assert _fresh(draft).stage == VersionState.ACTIVE


def test_alice_takes_back_what_she_submitted(write: Write, alice: User) -> None:
    draft = versions.submit(actor=alice, draft=write())
    versions.withdraw(actor=alice, draft=draft)
    assert _fresh(draft).stage == VersionState.DRAFT


def test_the_next_version_replaces_the_one_in_force_only_when_approved(
    in_force: Write, alice: User, bob: User, dora: User
) -> None:
    first = in_force()
    second = versions.edit_draft(actor=bob, document=first.document, version=None, body=f"{STEPS}- [ ] Call the bank")
    assert (second.number, second.stage) == (2, VersionState.DRAFT)
    assert Document.objects.get().active == first
    versions.submit(actor=bob, draft=second)
    versions.approve(actor=dora, draft=second, comment="Better.")
    assert Document.objects.get().active == second
    assert _fresh(first).stage == VersionState.ARCHIVED
    assert _fresh(first).body == STEPS


def test_what_is_in_review_is_not_edited(write: Write, alice: User) -> None:
    draft = versions.submit(actor=alice, draft=write())
    with pytest.raises(ValidationError, match="in review"):
        versions.edit_draft(actor=alice, document=draft.document, version=draft.version, body="- [ ] Else")


def test_of_two_who_write_the_second_hears_of_the_first(in_force: Write, alice: User, bob: User) -> None:
    document = in_force().document
    draft = versions.edit_draft(actor=bob, document=document, version=None, body="- [ ] By Bob")
    with pytest.raises(Conflict):
        versions.edit_draft(actor=alice, document=document, version=None, body="- [ ] By Alice")
    versions.edit_draft(actor=bob, document=document, version=draft.version, body="- [ ] By Bob again")
    with pytest.raises(Conflict):
        versions.edit_draft(actor=alice, document=document, version=draft.version, body="- [ ] By Alice")
    assert _fresh(draft).body == "- [ ] By Bob again"


def test_a_draft_may_be_wrong_but_not_be_submitted(write: Write, alice: User) -> None:
    draft = write(body="- [ ] Isolate !2x\n - [ ] Odd")
    with pytest.raises(ValidationError, match="Line 1, column 15"):
        versions.submit(actor=alice, draft=draft)
    assert _fresh(draft).stage == VersionState.DRAFT


@pytest.mark.parametrize(("kind", "body"), [("policy", "  "), ("runbook", "Only words.")])
def test_what_says_nothing_is_not_submitted(write: Write, alice: User, kind: str, body: str) -> None:
    with pytest.raises(ValidationError):
        versions.submit(actor=alice, draft=write(kind=kind, body=body))


def test_a_text_that_is_too_long_is_refused_at_once(write: Write) -> None:
    with pytest.raises(ValidationError, match="65,536 are the most"):
        write(kind="guideline", body="a" * 65_537)
    assert write("long", body=STEPS + "  " + "a" * 70_000).number == 1


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ('set_status: {status: doing, when: "affectedUsers >"}', "does not read well"),
        ('set_status: {status: doing, when: "incident.__class__"}', "No name begins with _"),
        ('set_status: {status: doing, when: "secrets.key == 1"}', "stands alone"),
        ('set_status: {status: "{{ ticket.title() }}"}', "Nothing can be called"),
        ('http_request: {url: "https://x.example", headers: {a: ["{% if 1 %}"]}}', "does not read well"),
        ('set_status: {status: "{{ secrets.key }}"}', "only for actions that reach out"),
        ('set_statoos: {status: doing}', "there is no such action"),
        ("http_request: {method: GET}", "url is missing"),
    ],
)  # fmt: skip
def test_an_automation_that_could_never_work_is_not_submitted(
    block: str, words: str, write: Write, alice: User
) -> None:
    draft = write(body=f"- [ ] Isolate the host\n  ```action\n  {block}\n  ```\n")
    with pytest.raises(ValidationError, match=words) as refused:
        versions.submit(actor=alice, draft=draft)
    assert "Line 2" in str(refused.value)
    assert _fresh(draft).stage == VersionState.DRAFT


def test_a_sub_playbook_has_to_exist(write: Write, alice: User) -> None:
    draft = write("whole", f"{STEPS}![[runbook:part]]\n")
    with pytest.raises(ValidationError, match="Line 2: there is no runbook “part”"):
        versions.submit(actor=alice, draft=draft)
    write("part", kind="policy", body="Not to be run.")
    with pytest.raises(ValidationError, match="no runbook “part”"):
        versions.submit(actor=alice, draft=draft)


def test_a_runbook_that_would_run_in_a_circle_is_refused_by_name(
    in_force: Write, write: Write, alice: User, dora: User
) -> None:
    in_force("c")
    in_force("b", "![[runbook:c]]\n")
    a = in_force("a", "![[runbook:b]]\n")
    c = versions.edit_draft(actor=alice, document=Document.objects.get(slug="c"), version=None, body="![[runbook:a]]\n")
    with pytest.raises(ValidationError, match="c → a → b → c"):
        versions.submit(actor=alice, draft=c)
    itself = versions.edit_draft(actor=alice, document=a.document, version=None, body="![[runbook:a]]\n")
    with pytest.raises(ValidationError, match="a → a"):
        versions.submit(actor=alice, draft=itself)


def test_of_two_that_would_make_a_circle_together_the_second_is_not_put_in_force(
    in_force: Write, write: Write, alice: User, dora: User
) -> None:
    first = versions.edit_draft(actor=alice, document=in_force("a").document, version=None, body="![[runbook:b]]\n")
    in_force("b")
    versions.submit(actor=alice, draft=first)
    b = Document.objects.get(slug="b")
    second = versions.edit_draft(actor=alice, document=b, version=None, body="![[runbook:a]]\n")
    versions.submit(actor=alice, draft=second)
    versions.approve(actor=dora, draft=first, comment="Fine.")
    with pytest.raises(ValidationError, match="b → a → b"):
        versions.approve(actor=dora, draft=second, comment="Fine.")
    assert _fresh(second).stage == VersionState.IN_REVIEW


def test_a_message_names_only_values_that_there_are(write: Write, alice: User) -> None:
    good = write("notice", "We work on {{ incident.title }}.", kind="template", subject="{{ incident.number }}")
    versions.submit(actor=alice, draft=good)
    bad = write("bad", "Dear {{ customer.password }},\n{% load x %}", kind="template", subject="{{ user }}")
    with pytest.raises(ValidationError) as refused:
        versions.submit(actor=alice, draft=bad)
    assert [text.partition(":")[0] for text in refused.value.messages] == [
        "Subject", "Line 1, column 6", "Line 2, column 1", "Line 2, column 11",
    ]  # fmt: skip


def test_the_library_is_in_force_without_a_person(db: None) -> None:
    version = versions.load_approved(
        actor=SYSTEM,
        kind="runbook",
        slug="phishing",
        title="Phishing",
        body=STEPS,
        facts={"incident_types": ["phishing"]},
    )
    assert _fresh(version).stage == VersionState.ACTIVE
    assert not version.approvals.exists()
    with pytest.raises(ValidationError):
        versions.load_approved(actor=SYSTEM, kind="runbook", slug="bad", title="Bad", body="- [ ] a !2x")
    assert not Document.objects.filter(slug="bad").exists()


def test_links_and_search_follow_the_version_in_force(in_force: Write, alice: User) -> None:
    body = "- [ ] Read [[reset|how to reset]]\n  and [[Other]], not `[[code]]` or \\[[escaped]]\n"
    fence = "  ```\n  [[fenced]]\n  ```\n"
    version = in_force(body=body + fence)
    versions.edit_draft(actor=alice, document=version.document, version=None, body="- [ ] See [[later]] ÄRGER")
    assert set(DocumentLink.objects.values_list("slug", flat=True)) == {"reset", "other"}
    folded = Document.objects.get().folded
    assert "how to reset" in folded
    assert "ärger" not in folded


def test_customers_see_no_document(in_force: Write, eve: User, carol: User) -> None:
    document = in_force().document
    assert not Document.objects.visible_to(eve).exists()
    assert not Version.objects.visible_to(eve).exists()
    assert document.permissions_for(eve) == frozenset()
    assert document.permissions_for(carol) == {"view", "write"}


def test_archived_is_out_of_use_and_can_be_read_and_restored(in_force: Write, alice: User) -> None:
    version = in_force()
    with pytest.raises(ValidationError, match="Say why"):
        documents.archive_document(actor=alice, document=version.document, reason=" ")
    documents.archive_document(actor=alice, document=version.document, reason="Nobody has such hosts.")
    assert not Document.objects.in_use().exists()
    assert _fresh(version).body == STEPS
    with pytest.raises(ValidationError, match="archived"):
        versions.edit_draft(actor=alice, document=version.document, version=None, body=STEPS)
    documents.restore_document(actor=alice, document=version.document)
    assert Document.objects.in_use().exists()


def test_facts_changed_by_two_people_are_merged_field_by_field(write: Write, alice: User, bob: User) -> None:
    document = write().document
    documents.edit_facts(actor=alice, document=document, version=1, fields={"title": "Isolate a host"})
    documents.edit_facts(actor=bob, document=document, version=1, fields={"summary": "Off the network."}, tags=["edr"])
    document = Document.objects.get()
    assert (document.title, document.summary) == ("Isolate a host", "Off the network.")
    assert "#edr" in document.folded
    with pytest.raises(Conflict):
        documents.edit_facts(actor=bob, document=document, version=1, fields={"title": "Cut it off"})
