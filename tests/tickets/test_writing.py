"""Writing in an incident: the preview, names that are completed, comments on the incident, pictures among the files."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tests.uploads import kept
from tickets.actions import attachments, tickets
from tickets.actions import comments as talking
from tickets.models import Attachment, Comment, Ticket

HTMX = {"HX-Request": "true"}
PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 40
PICTURES = {
    "a.png": (PNG, "image/png"), "b.jpg": (b"\xff\xd8\xff\xe0" + b"\x00" * 20, "image/jpeg"),
    "c.gif": (b"GIF89a" + b"\x00" * 20, "image/gif"), "d.webp": (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
}  # fmt: skip
NO_PICTURES = {
    "x.png": b"<html><script>alert(1)</script>", "x.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>',
    "x.gif": b"GIF8", "x.webp": b"RIFF\x24\x00\x00\x00WAVEfmt ", "x.pdf": b"%PDF-1.7", "x.jpg": b"\xff\xd8",
    "x.html": b"<img src=x onerror=alert(1)>", "x.bmp": b"BM\x00\x00", "x": b"x",
}  # fmt: skip


@pytest.fixture
def base(incident: Incident, make_ticket) -> str:
    make_ticket("Beacon")
    return f"/incidents/{incident.number}/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


def entry(verb: str) -> JournalEntry:
    return JournalEntry.objects.filter(verb=verb).latest("seq")


# -- Preview ----------------------------------------------------------------------------------------------------------
def test_the_preview_is_what_the_page_will_show_and_keeps_nothing(client_of, carol, base) -> None:
    before = JournalEntry.objects.count()
    body = "**4** hits <script>alert(1)</script> [x](javascript:alert(1))"
    html = client_of(carol).post(f"{base}preview/", {"body": body}).content.decode()
    assert "<strong>4</strong>" in html
    assert "<script" not in html
    assert "javascript:" not in html.split("<a")[-1].split(">")[0]
    assert "Nothing to show" in client_of(carol).post(f"{base}preview/", {"body": " "}).content.decode()
    assert JournalEntry.objects.count() == before


@pytest.mark.parametrize("body", ["a\x00b", "x" * 100_000])
def test_a_text_that_could_not_be_saved_has_no_preview(browser, base, body) -> None:
    answer = browser.post(f"{base}preview/", {"body": body})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()


def test_who_may_not_see_the_incident_previews_nothing_in_it(client_of, mallory, secret) -> None:
    assert client_of(mallory).post(f"/incidents/{secret.number}/preview/", {"body": "x"}).status_code == 404


# -- Names ------------------------------------------------------------------------------------------------------------
def named(client: Client, base: str, text: str) -> list[str]:
    return [row["text"] for row in client.get(f"{base}people/", {"q": text}).json()["found"]]


def test_people_are_offered_by_the_beginning_of_any_of_their_names_the_team_first(browser, make_user, base) -> None:
    make_user("bo", "Responder")
    assert named(browser, base, "@bo") == ["@bob", "@bo"]
    assert named(browser, base, "@exam")[:3] == ["@alice", "@bob", "@carol"]
    assert named(browser, base, "@ob") == []


def test_only_who_may_see_the_incident_is_offered(client_of, bob, secret, mallory, eve, dora, auditor, alice) -> None:
    base = f"/incidents/{secret.number}/"
    everybody = [name for text in ("@a", "@b", "@c", "@d", "@e", "@m") for name in named(client_of(bob), base, text)]
    assert set(everybody) == {"@alice", "@bob", "@aud"}
    for person in (alice, bob, mallory, eve, dora, auditor):
        assert (f"@{person.username}" in everybody) == ("view" in secret.permissions_for(person))
    assert client_of(mallory).get(f"{base}people/", {"q": "@a"}).status_code == 404


def test_who_is_disabled_is_not_offered(browser, alice, base) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert named(browser, base, "@ali") == []


def test_tickets_are_offered_by_number_and_by_words(browser, bob, base, make_ticket, secret) -> None:
    make_ticket("Image the disk")
    tickets.add_ticket(actor=bob, incident=secret, title="Who copied the disk")
    assert named(browser, base, "#1") == ["#101", "#102"]
    assert named(browser, base, "#102") == ["#102"]
    assert named(browser, base, "#disk") == ["#102"]
    assert named(browser, base, "#100") == []


@pytest.mark.parametrize("text", ["@" + "x" * 61, "@\x00", "#" + "9" * 40, "#٣", "@%", "#'; --", "@\\"])
def test_nonsense_names_nobody(browser, base, text) -> None:
    assert named(browser, base, text) == []


def test_names_cost_the_same_however_many_there_are(browser, make_user, base, django_assert_max_num_queries) -> None:
    browser.get(f"{base}people/", {"q": "@a"})
    with django_assert_max_num_queries(7) as few:
        named(browser, base, "@p")
    for number in range(30):
        make_user(f"p{number}", "Responder")
    with django_assert_max_num_queries(len(few)):
        assert len(named(browser, base, "@p")) == 8


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("@nobody look", "@nobody is nobody in this incident."),
        ("@x1, @X1 and @y2 with @alice", "@x1 and @y2 are nobody in this incident."),
        ("@alice look", ""),
    ],
)
def test_a_name_that_is_nobodys_is_said_so(browser, base, body, words) -> None:
    html = browser.post(f"{base}tickets/101/comments/add/", {"body": body}, headers=HTMX).content.decode()
    assert words in html
    assert ("nobody in this incident" in html) == bool(words)


def test_a_name_from_elsewhere_is_as_unknown_as_any_other(client_of, bob, mallory, secret) -> None:
    made = tickets.add_ticket(actor=bob, incident=secret, title="Who did it")
    url = f"/incidents/{secret.number}/tickets/{made.number}/comments/add/"
    html = client_of(bob).post(url, {"body": "@mallory"}, headers=HTMX).content.decode()
    assert "@mallory is nobody in this incident." in html


# -- Comments on the incident -----------------------------------------------------------------------------------------
def test_bob_comments_on_the_incident_before_it_has_a_ticket(client_of, bob, alice, incident) -> None:
    base, client = f"/incidents/{incident.number}/", client_of(bob)
    sent = {"body": "All hands, @alice", "shared": "on"}
    html = client.post(f"{base}comments/add/", sent, headers={**HTMX, "HX-Target": "section#talk"}).content.decode()
    assert "All hands" in html
    assert "The customer reads this" in html
    assert entry("comment.added").data["mentions"] == [alice.pk]
    assert "commented on the incident" in client.get(f"{base}log/").content.decode()
    assert f'hx-get="{base}comments/"' in client.get(base).content.decode()


def test_comments_on_the_incident_are_edited_chosen_and_polled(client_of, bob, alice, incident) -> None:
    said = talking.comment_on_incident(actor=bob, incident=incident, body="first")
    base, client = f"/incidents/{incident.number}/", client_of(bob)
    place = f"{base}tickets/100/comments/{said.pk}/"
    answer = client.post(f"{place}edit/", {"version": 1, "body": "second"})
    assert (answer.status_code, answer["Location"]) == (302, f"{base}comments/")
    assert client.post(f"{place}report/", {"in_report": "on"}).status_code == 302
    assert client_of(alice).post(f"{place}edit/", {"version": 2, "body": "not mine"}).status_code == 403
    answer = client.get(f"{base}comments/", headers=HTMX)
    assert "second" in answer.content.decode()
    assert client.get(f"{base}comments/", headers={**HTMX, "HX-PTag": answer["HX-PTag"]}).status_code == 304
    assert client.get(f"{base}tickets/100/").status_code == 404


def test_who_only_looks_reads_and_says_nothing(client_of, carol, mallory, incident, secret) -> None:
    base = f"/incidents/{incident.number}/comments/"
    assert "say-0" not in client_of(carol).get(base).content.decode()
    assert client_of(carol).post(f"{base}add/", {"body": "x"}).status_code == 403
    assert client_of(mallory).get(f"/incidents/{secret.number}/comments/").status_code == 404


@pytest.mark.parametrize("body", ["", "   ", "a\x00b", "x" * 100_000])
def test_a_comment_on_the_incident_needs_words(browser, base, body) -> None:
    assert browser.post(f"{base}comments/add/", {"body": body}).status_code == 422
    assert not Comment.objects.exists()


def test_a_closed_incident_takes_no_comments_and_no_files(browser, base) -> None:
    Incident.objects.update(status="closed")
    assert browser.post(f"{base}comments/add/", {"body": "late"}).status_code == 422
    assert browser.post(f"{base}files/add/", {"file": SimpleUploadedFile("a.txt", b"x")}).status_code == 422
    assert "ir:tick" not in browser.get(f"{base}comments/", headers=HTMX).content.decode()
    assert not Attachment.objects.exists()


def test_what_a_comment_said_before_is_read_by_who_sees_it(client_of, bob, carol, base) -> None:
    said = talking.add_comment(actor=bob, ticket=Ticket.objects.get(number=101), body="the <b>first</b> text")
    for version, body in ((1, "the second"), (2, "the third")):
        talking.edit_comment(actor=bob, comment=said, version=version, body=body, shared=False)
    talking.choose_for_report(actor=bob, comment=said, in_report=True)
    html = client_of(carol).get(f"{base}tickets/101/comments/{said.pk}/history/", headers=HTMX).content.decode()
    assert html.index("the third") < html.index("the second") < html.index("the &lt;b&gt;first")
    assert html.count("<pre") == 3
    assert client_of(carol).get(f"{base}tickets/101/comments/999/history/").status_code == 404


def test_each_comment_has_an_address_of_its_own(browser, bob, base) -> None:
    said = talking.add_comment(actor=bob, ticket=Ticket.objects.get(number=101), body="here")
    html = browser.get(f"{base}tickets/101/").content.decode()
    assert f'id="comment-{said.pk}"' in html
    assert f'href="{base}tickets/101/#comment-{said.pk}"' in html


# -- Files ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_shown_as_what_its_bytes_say_and_nothing_of_it_runs(browser, bob, base, name) -> None:
    content, kind = PICTURES[name]
    file = attachments.attach_file(actor=bob, ticket=Ticket.objects.get(number=101), file=kept(name, content))
    url = f"{base}tickets/101/files/{file.pk}/"
    answer = browser.get(f"{url}?inline=1")
    assert b"".join(answer) == content
    assert answer["Content-Type"] == kind
    assert answer["Content-Disposition"].startswith("inline")
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert browser.get(url)["Content-Disposition"].startswith("attachment")
    assert f'src="{url}?inline=1"' in browser.get(f"{base}tickets/101/").content.decode()


@pytest.mark.parametrize("name", NO_PICTURES)
@pytest.mark.parametrize("query", ["?inline=1", "?inline=true", "?inline=1&type=text/html", "?inline="])
def test_what_is_no_picture_is_only_ever_saved(*, browser, bob, base, name, query) -> None:
    file = attachments.attach_file(
        actor=bob, ticket=Ticket.objects.get(number=101), file=kept(name, NO_PICTURES[name], content_type="image/png")
    )
    answer = browser.get(f"{base}tickets/101/files/{file.pk}/{query}")
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")


def test_who_looks_at_a_picture_stands_in_the_journal_once(client_of, bob, carol, base) -> None:
    file = attachments.attach_file(actor=bob, ticket=Ticket.objects.get(number=101), file=kept("a.png", PNG))
    url = f"{base}tickets/101/files/{file.pk}/"
    for _ in range(3):
        client_of(carol).get(f"{url}?inline=1")
    client_of(bob).get(f"{url}?inline=1")
    viewed = JournalEntry.objects.filter(verb="file.viewed")
    assert list(viewed.order_by("actor_id").values_list("actor_id", flat=True)) == sorted([bob.pk, carol.pk])
    client_of(carol).get(url)
    assert entry("file.downloaded").actor_id == carol.pk


def test_a_pasted_picture_is_told_where_it_is_now(browser, base) -> None:
    for place, number in (("tickets/101/files/add/", 101), ("files/add/", 100)):
        answer = browser.post(f"{base}{place}", {"file": SimpleUploadedFile("shot.png", PNG)}, headers=HTMX)
        file = Attachment.objects.get(ticket__number=number)
        assert answer["Content-Location"] == f"{base}tickets/{number}/files/{file.pk}/"
        assert b"".join(browser.get(answer["Content-Location"])) == PNG
    assert "shot.png" in browser.get(f"{base}comments/").content.decode()
