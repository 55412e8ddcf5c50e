"""What people say on tickets, what they attach, and who may."""

import hashlib
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tests.uploads import kept
from tickets.actions import attachments as attaching
from tickets.actions import comments as talking
from tickets.actions import tickets as actions
from tickets.models import Attachment, Comment, Ticket

HTMX = {"HX-Request": "true"}
PANEL = {**HTMX, "HX-Target": "section#ticket"}


@pytest.fixture
def base(incident: Incident, make_ticket) -> str:
    make_ticket("Beacon")
    return f"/incidents/{incident.number}/tickets/101/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


def entry(verb: str) -> JournalEntry:
    return JournalEntry.objects.filter(verb=verb).latest("seq")


# -- Comments ---------------------------------------------------------------------------------------------------------
def test_bob_comments_and_alice_hears_of_it_by_her_name(browser, alice, base) -> None:
    html = browser.post(f"{base}comments/add/", {"body": "@alice look: **4** hits"}, headers=PANEL).content.decode()
    assert "<strong>4</strong>" in html
    assert entry("comment.added").data["mentions"] == [alice.pk]
    assert Ticket.objects.get(number=101).comments_total == 1


@pytest.mark.parametrize("called", ["@greta", "@Greta", "@GRETA"])
def test_a_capital_letter_in_a_name_does_not_matter_to_a_mention(alice, make_user, base, called) -> None:
    greta = make_user("Greta", "Responder")
    talking.add_comment(actor=alice, ticket=Ticket.objects.get(number=101), body=f"{called} look")
    assert entry("comment.added").data["mentions"] == [greta.pk]


def test_who_may_not_see_the_incident_is_no_mention(alice, mallory, eve, bob, secret) -> None:
    ticket = actions.add_ticket(actor=alice, incident=secret, title="Who did it")
    talking.add_comment(actor=alice, ticket=ticket, body="@mallory @eve @bob @nobody @mallory")
    assert entry("comment.added").data["mentions"] == [bob.pk]


@pytest.mark.parametrize("body", ["", "   ", "\u200b", "a\x00b", "x" * 70_000])
def test_a_comment_without_words_or_too_long_is_refused(browser, base, body) -> None:
    assert browser.post(f"{base}comments/add/", {"body": body}).status_code == 422
    assert not Comment.objects.exists()


def test_one_edits_ones_own_comment_and_the_old_words_are_kept(browser, client_of, alice, bob, base) -> None:
    comment = talking.add_comment(actor=bob, ticket=Ticket.objects.get(number=101), body="first")
    url = f"{base}comments/{comment.pk}/edit/"
    assert browser.post(url, {"version": 1, "body": "second", "shared": "on"}).status_code == 302
    comment.refresh_from_db()
    assert (comment.body, comment.shared, comment.version) == ("second", True, 2)
    assert ">edited</a>" in browser.get(base).content.decode()
    assert list(Comment.history.values_list("body", flat=True).order_by("history_id")) == ["first", "second"]
    assert client_of(alice).get(url).status_code == 403
    assert client_of(alice).post(url, {"version": 2, "body": "not mine"}).status_code == 403


def test_a_comment_edited_in_two_windows_loses_no_words(browser, bob, base) -> None:
    comment = talking.add_comment(actor=bob, ticket=Ticket.objects.get(number=101), body="first")
    url = f"{base}comments/{comment.pk}/edit/"
    browser.post(url, {"version": 1, "body": "from the left window"})
    answer = browser.post(url, {"version": 1, "body": "from the right window"}, headers=HTMX)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "from the left window" in html
    assert "from the right window" in html


def test_a_comment_is_chosen_for_the_report_and_taken_out_again(browser, bob, base) -> None:
    comment = talking.add_comment(actor=bob, ticket=Ticket.objects.get(number=101), body="said")
    url = f"{base}comments/{comment.pk}/report/"
    for sent, chosen in (({"in_report": "on"}, True), ({}, False)):
        assert browser.post(url, sent, headers=PANEL).status_code == 200
        comment.refresh_from_db()
        assert comment.in_report is chosen
    assert ">edited</a>" not in browser.get(base).content.decode()
    assert browser.get(url).status_code == 405


def test_comments_and_files_of_another_ticket_or_incident_do_not_exist(browser, bob, base, secret, make_ticket) -> None:
    make_ticket("Other")
    here = Ticket.objects.get(incident__restricted=False, number=101)
    there = actions.add_ticket(actor=bob, incident=secret, title="Who did it")
    for ticket, place in ((here, base.replace("/101/", "/102/")), (there, base)):
        comment = talking.add_comment(actor=bob, ticket=ticket, body="said")
        file = attaching.attach_file(actor=bob, ticket=ticket, file=kept("a.txt", b"x"))
        assert browser.get(f"{place}comments/{comment.pk}/edit/").status_code == 404
        assert browser.post(f"{place}comments/{comment.pk}/report/").status_code == 404
        assert browser.get(f"{place}files/{file.pk}/").status_code == 404


@pytest.mark.parametrize("part", ["comments/add/", "files/add/"])
def test_carol_reads_and_says_nothing(client_of, carol, dora, base, part) -> None:
    for person in (carol, dora):
        assert client_of(person).post(f"{base}{part}", {"body": "x"}).status_code == 403


# -- Files ------------------------------------------------------------------------------------------------------------
def test_a_file_comes_back_as_it_went_in_and_both_are_in_the_journal(browser, client_of, carol, base) -> None:
    content = bytes(range(256)) * 1000
    sent = {"file": SimpleUploadedFile("disk.img", content, content_type="text/html")}
    assert browser.post(f"{base}files/add/", sent).status_code == 302
    file = Attachment.objects.get()
    assert (file.name, file.size, file.sha256) == ("disk.img", len(content), hashlib.sha256(content).hexdigest())
    assert client_of(carol).head(f"{base}files/{file.pk}/").status_code == 200
    assert not JournalEntry.objects.filter(verb="file.downloaded").exists()  # HEAD takes nothing
    answer = client_of(carol).get(f"{base}files/{file.pk}/")
    assert b"".join(answer.streaming_content) == content
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="disk.img"'
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert entry("file.attached").data["sha256"] == entry("file.downloaded").data["sha256"] == file.sha256
    assert entry("file.downloaded").actor_id == carol.pk
    html = browser.get(base).content.decode()
    assert file.sha256 in html
    assert "disk.img" in html


def test_a_file_that_is_too_large_empty_or_missing_is_refused_with_the_reason(browser, base, settings) -> None:
    settings.ATTACHMENT_MAX_BYTES = 2**20
    large = SimpleUploadedFile("large.bin", b"x" * (2**20 + 1))
    for file, words in ((large, "at most 1 MB"), (SimpleUploadedFile("empty", b""), "is empty"), (None, "required")):
        answer = browser.post(f"{base}files/add/", {"file": file} if file else {}, headers=HTMX)
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert not Attachment.objects.exists()


def test_a_ticket_and_an_incident_hold_only_so_many_files(browser, base, monkeypatch) -> None:
    monkeypatch.setattr(attaching, "MOST_FILES", 2)
    for number in range(3):
        answer = browser.post(f"{base}files/add/", {"file": SimpleUploadedFile("a.txt", b"x")}, headers=HTMX)
        assert answer.status_code == (422 if number == 2 else 200)
    monkeypatch.setattr(attaching, "MOST_FILES", 200)
    monkeypatch.setattr(attaching, "MOST_BYTES", 3)
    big = {"file": SimpleUploadedFile("b.txt", b"xx")}
    assert browser.post(f"{base}files/add/", big, headers=HTMX).status_code == 422
    assert Attachment.objects.count() == 2


def test_two_files_of_one_name_are_both_kept(browser, base) -> None:
    for name, content in (("A.txt", b"1"), ("a.txt", b"2"), ("A.txt", b"3")):
        browser.post(f"{base}files/add/", {"file": SimpleUploadedFile(name, content)})
    assert len(set(Attachment.objects.values_list("sha256", flat=True))) == 3


@pytest.mark.parametrize(
    "key", ["0", "x", "{12345678-1234-1234-1234-123456789abc}", "12345678-1234-1234-1234-123456789ABC"]
)
def test_a_file_that_never_was_is_not_found(browser, base, key) -> None:
    assert browser.get(f"{base}files/{key}/").status_code == 404


def test_a_file_that_the_store_lost_is_not_found_and_not_said_to_be_taken(browser, bob, base) -> None:
    file = attaching.attach_file(actor=bob, ticket=Ticket.objects.get(number=101), file=kept("a", b"x"))
    Attachment.objects.filter(pk=file.pk).update(key="attachments/gone")
    assert browser.get(f"{base}files/{file.pk}/").status_code == 404
    assert not JournalEntry.objects.filter(verb="file.downloaded").exists()


def test_files_are_not_added_to_a_closed_incident(browser, base) -> None:
    Incident.objects.update(status="closed")
    assert browser.post(f"{base}files/add/", {"file": SimpleUploadedFile("a.txt", b"x")}).status_code == 422
    assert not Attachment.objects.exists()
