"""Loading the starter library: everything is in force at once, nothing is ever written over."""

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command

from core.actors import SYSTEM
from core.models import JournalEntry
from core.templatetags.rendered import rendered
from core.verify import verify
from incidents.models import Incident
from runbooks.actions import documents, versions
from runbooks.actions.starts import run_runbook
from runbooks.expansion import asked, book, expand
from runbooks.expansion import library as catalogue
from runbooks.library import starters
from runbooks.management.commands import load_library
from runbooks.models import Document, DocumentKind, Run, Version, VersionState
from runbooks.queries.branches import draft_of_run
from runbooks.tasklines import parse
from tickets.actions.tickets import edit_ticket
from tickets.checks import broken
from tickets.models import Ticket

VALUES = {
    "account": "j.marsh", "device": "laptop 4471", "host": "WS-0147", "key_id": "AKIAEXAMPLE", "sender": "a@b.example",
    "service": "the shop", "system": "the archive",
}  # fmt: skip


def load(capsys) -> str:
    """What the command said."""
    call_command("load_library")
    said: str = capsys.readouterr().out.strip()
    return said


@pytest.fixture
def library(db, capsys) -> dict[str, Document]:
    assert load(capsys) == f"Loaded {len(starters())} of {len(starters())} documents of the starter library."
    return {one.slug: one for one in Document.objects.select_related("active")}


def test_every_document_is_in_force_as_the_version_that_nobody_here_wrote(library):
    verify()
    assert set(library) == {one.slug for one in starters()}
    for document in library.values():
        version = document.active
        assert (version.number, version.state) == (1, VersionState.ACTIVE)
        assert version.author is None
        assert document.owner is None
        assert not version.approvals.exists()
        assert version.change_note == "Comes with Treeline: approved with the installation, by no person."
        assert version.body_html
        assert document.review_due
        assert not document.starts_by_itself
    actors = JournalEntry.objects.filter(stream="documents").values_list("actor_kind", flat=True)
    assert set(actors) == {"system"}


def test_facts_tags_and_relations_come_along(library):
    phishing = library["phishing"]
    assert (phishing.incident_types, phishing.review_cycle) == (["phishing"], "yearly")
    assert phishing.escalations[0]["condition"] == "affectedUsers > 50"
    assert {tag.name for tag in phishing.tags.all()} == {"mail", "social-engineering", "identity"}
    for one in starters():
        near = set(library[one.slug].related.values_list("slug", flat=True))
        assert set(one.related) <= near, one.slug


def test_loading_again_changes_nothing_and_names_what_is_there(library, capsys):
    before = JournalEntry.objects.count(), Version.objects.count(), Document.history.count()
    said = load(capsys)
    assert said.startswith(
        f"Loaded 0 of {len(library)} documents of the starter library. Left as they are: all-clear, "
    )
    assert "\n" not in said
    assert (JournalEntry.objects.count(), Version.objects.count(), Document.history.count()) == before


def test_what_a_team_wrote_under_such_a_name_stays_theirs(alice, capsys):
    mine = documents.write_document(actor=alice, kind="runbook", slug="phishing", title="Ours", body="- [ ] Call Ada")
    said = load(capsys)
    assert said.endswith("Left as they are: phishing.")
    found = Document.objects.get(slug="phishing")
    assert (found.title, found.active, found.versions.get().body) == ("Ours", None, mine.body)
    assert Document.objects.filter(slug="malware", active__isnull=False).exists()


def test_what_was_archived_does_not_come_back(library, alice, capsys):
    documents.archive_document(actor=alice, document=library["ddos"], reason="Our provider does it.")
    load(capsys)
    assert Document.objects.get(slug="ddos").archived_at


def test_alice_edits_a_document_of_the_library_like_any_other(library, alice):
    draft = versions.edit_draft(actor=alice, document=library["phishing"], version=None, body="- [ ] Call Ada")
    assert (draft.number, draft.state) == (2, VersionState.DRAFT)
    versions.submit(actor=alice, draft=draft)
    assert library["phishing"].versions.get(state=VersionState.ACTIVE).number == 1


def test_bob_runs_all_of_them_and_gets_sound_branches_without_braces(library, bob, incident):
    books = [document for document in library.values() if document.kind == DocumentKind.RUNBOOK]
    runs = [run_runbook(actor=bob, incident=incident, document=one, under=None, values=VALUES) for one in books]
    rows = Ticket.objects.filter(incident=incident).without_root()
    assert rows.count() == sum(run.steps.count() + 1 for run in runs)
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []
    assert not [row.title for row in rows if "{{" in row.title + row.description]
    assert rows.filter(title="Isolate WS-0147 from the network").exists()


def test_a_library_that_cannot_be_read_loads_nothing(db, tmp_path, monkeypatch):
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "bad.md").write_text("title: Bad\n---\n- [ ] Call Ada\n")
    monkeypatch.setattr(load_library, "starters", lambda: starters(tmp_path))
    with pytest.raises(CommandError, match=r"bad\.md: “summary” is missing"):
        call_command("load_library")
    assert not Document.objects.exists()


def test_a_text_with_errors_is_refused_with_its_name(db):
    with pytest.raises(ValidationError, match="bad: Line 1"):
        versions.load_approved(actor=SYSTEM, kind="runbook", slug="bad", title="Bad", body="- [ ] Call @ada !2x")


def test_what_a_step_names_is_a_link_from_its_ticket_and_stays_one_when_it_is_edited(library, bob, incident):
    run_runbook(actor=bob, incident=incident, document=library["malware"], under=None, values=VALUES)
    ticket = Ticket.objects.get(incident=incident, title="Which other hosts show the same?")
    assert 'href="/documents/hunt-for-indicators/"' in ticket.description_html
    fields = {"description": "Read [[triage-a-windows-host]] first."}
    edit_ticket(actor=bob, ticket=ticket, version=ticket.version, fields=fields)
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert 'href="/documents/triage-a-windows-host/"' in ticket.description_html
    ticket.description_html = ""  # not rendered yet, as after a restart of the renderer
    assert 'href="/documents/triage-a-windows-host/"' in rendered(ticket, "description")


def test_every_runbook_that_nobody_changed_comes_back_as_it_was_written(library, incident, bob):
    runbooks = [one for one in library.values() if one.kind == DocumentKind.RUNBOOK]
    assert len(runbooks) > 5
    for document in runbooks:
        top = book(document.active)
        values = dict.fromkeys(asked(expand(top, catalogue(top))), "x.example")
        run = run_runbook(actor=bob, incident=incident, document=document, under=None, values=values)
        draft = draft_of_run(Run.objects.select_related("of__document", "ticket").get(pk=run.pk), dropped=True)
        assert parse(draft.text) == parse(document.active.body), document.slug
        assert draft.notes == [], document.slug
