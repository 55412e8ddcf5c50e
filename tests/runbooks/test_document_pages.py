"""Pages of documents: found, read, written with a preview, approved by somebody else; customers find nothing."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from incidents.models import Incident
from people.models import User
from runbooks.actions import documents, versions
from runbooks.forms.documents import SomeOf
from runbooks.models import Approval, Document, Version, VersionState
from tests.runbooks.conftest import MakeRunbook
from tickets.actions.tags import set_tags
from tickets.models import Ticket

HTMX = {"HX-Request": "true"}
STEPS = "- [ ] Isolate {{ host }} @technical_lead !2h #lead\n  Look at [[edr]].\n"
Browser = Callable[[User], Client]
Write = Callable[..., Version]


@pytest.fixture
def in_force(alice: User, dora: User) -> Write:
    """A document of Alice's that Dora has approved."""

    def make(slug: str = "isolate", body: str = STEPS, **fields: Any) -> Version:
        fields = {"kind": "runbook", "title": slug.capitalize(), **fields}
        draft = documents.write_document(actor=alice, slug=slug, body=body, **fields)
        versions.submit(actor=alice, draft=draft)
        return versions.approve(actor=dora, draft=draft, comment="Tried it out.")

    return make


@pytest.fixture
def many(alice: User) -> Callable[[int], None]:
    """As many runbooks."""

    def make(count: int) -> None:
        for number in range(count):
            documents.write_document(
                actor=alice, kind="runbook", slug=f"r-{number}", title=f"Runbook {number}", body=STEPS, tags=["edr"]
            )

    return make


@pytest.mark.parametrize("count", [3, 300])
def test_the_list_costs_the_same_for_3_and_for_300(
    count: int, many: Callable[[int], None], client_of: Browser, bob: User, django_assert_max_num_queries: Any
) -> None:
    many(count)
    browser = client_of(bob)
    browser.get("/runbooks/")
    with django_assert_max_num_queries(8):
        page = browser.get("/runbooks/").content.decode()
    assert page.count("Runbook ") >= min(count, 50)


def test_words_are_found_in_the_text_in_force_and_not_in_drafts(
    in_force: Write, client_of: Browser, bob: User, alice: User
) -> None:
    version = in_force(tags=["Network"], facts={"incident_types": ["malware"]})
    versions.edit_draft(actor=alice, document=version.document, version=None, body="- [ ] Something secret")
    browser = client_of(bob)

    def finds(query: str) -> bool:
        return "/runbooks/isolate/" in browser.get(f"/runbooks/?{query}").content.decode()

    assert finds("q=ISOLATE+host")
    assert finds("q=%23network")
    assert finds("type=malware")
    assert finds("state=draft")
    assert finds("tag=network")
    assert finds(f"owner={alice.pk}")
    assert not finds("q=secret")
    assert not finds("type=phishing")
    assert not finds("state=archived")
    assert not finds("overdue=on")
    assert not finds("severity=nonsense&q=nowhere")


def test_what_applies_to_everything_is_found_under_every_type(in_force: Write, client_of: Browser, bob: User) -> None:
    in_force()
    assert "/runbooks/isolate/" in client_of(bob).get("/documents/?type=phishing").content.decode()


def test_the_page_shows_steps_guide_and_markdown_without_script(in_force: Write, client_of: Browser, bob: User) -> None:
    in_force()
    browser = client_of(bob)
    steps = browser.get("/runbooks/isolate/").content.decode()
    assert "Technical Lead" in steps
    assert "2 h" in steps
    assert "Median" not in steps
    assert "<code>host</code>" in steps
    guide = browser.get("/runbooks/isolate/?view=guide").content.decode()
    assert 'title="Not written yet">edr</em> (<a href="/guidelines/new/?slug=edr">write it</a>)' in guide
    assert "@technical_lead !2h" in browser.get("/runbooks/isolate/?view=markdown").content.decode()


def test_links_lead_to_documents_and_back(in_force: Write, client_of: Browser, bob: User) -> None:
    in_force()
    in_force("edr", "# First\n\nOpen the console.\n\n## Then\n\nSearch.", kind="guideline")
    browser = client_of(bob)
    assert 'href="/documents/edr/">edr</a>' in browser.get("/runbooks/isolate/?view=guide").content.decode()
    response = browser.get("/documents/edr/")
    assert (response.status_code, response.headers["Location"]) == (302, "/guidelines/edr/")
    page = browser.get("/guidelines/edr/").content.decode()
    assert '<a class="d-block py-1 text-break" href="/runbooks/isolate/">Isolate</a>' in page
    assert '<a href="#part-2">Then</a>' in page
    assert '<h4 id="part-2">Then</h4>' in page
    assert browser.get("/documents/never/").status_code == 404


@pytest.mark.parametrize(
    "text",
    [
        "[[x|<img src=x onerror=alert(1)>]]", "[[x\"onclick=\"alert(1)]]", "[[javascript:alert(1)]]", "[[../../admin]]",
        "# <script>alert(1)</script> [[x|</a><script>alert(1)</script>]]", "[[x]](javascript:alert(1))",
        '# "id=part-9 onclick=alert(1)', "[a](/documents/x/\"onclick=\"alert(1))",
    ],
)  # fmt: skip
def test_hostile_links_and_headings_become_text(text: str, in_force: Write, client_of: Browser, bob: User) -> None:
    in_force("hostile", f"Words.\n\n{text}\n\n# End", kind="guideline")
    page = client_of(bob).get("/guidelines/hostile/").content.decode()
    prose = page.split('class="prose">')[1].split("</section>")[0]
    tags = re.findall(r"<[^>]*>", prose)
    assert tags
    for bad in ("<script", "<img", "'onclick", '"onclick', " onclick", "javascript", "/admin", 'id="part-9'):
        assert not [tag for tag in tags if bad in tag]


def test_the_preview_says_line_and_column_and_keeps_what_is_typed(client_of: Browser, alice: User) -> None:
    browser = client_of(alice)
    fields = {"title": "Isolate", "body": "- [ ] Isolate it !2x", "preview": "1"}
    part = browser.post("/runbooks/new/", fields, headers=HTMX).content.decode()
    assert "1:18" in part
    assert "<form" not in part
    page = browser.post("/runbooks/new/", fields).content.decode()
    assert "- [ ] Isolate it !2x</textarea>" in page
    assert not Document.objects.exists()


def test_alice_writes_a_runbook_and_dora_approves_it(client_of: Browser, alice: User, dora: User) -> None:
    hers, doras = client_of(alice), client_of(dora)
    made = hers.post("/runbooks/new/", {"title": "Isolate a host", "body": "- [ ] Isolate it !2x", "tags": "edr"})
    assert made.headers["Location"] == "/runbooks/isolate-a-host/"
    url = "/runbooks/isolate-a-host/"
    refused = hers.post(f"{url}submit/")
    assert refused.status_code == 422
    assert "Line 1, column 18" in refused.content.decode()
    again = hers.post(f"{url}edit/", {"version": "1", "body": "- [ ] Isolate it !2h", "submit": "1"})
    assert again.status_code == 302
    assert hers.get(f"{url}approve/").status_code == 403
    assert "cannot approve it" in hers.get(url).content.decode()
    [seen] = re.findall(r"approve/\?seen=([0-9.]+)", doras.get(url).content.decode())
    sent = {"comment": "As we do it.", "approve": "1", "activate": "on"}
    assert doras.post(f"{url}approve/", {**sent, "seen": seen, "comment": ""}).status_code == 422
    assert doras.post(f"{url}approve/", sent).status_code == 422
    assert doras.post(f"{url}approve/", {**sent, "seen": seen}).status_code == 302
    assert Version.objects.get().stage == VersionState.ACTIVE
    assert "As we do it." in hers.get(url).content.decode()
    assert "Edit as v2" in hers.get(url).content.decode()


def test_dora_approves_nothing_but_what_she_read(client_of: Browser, alice: User, dora: User) -> None:
    """Alice takes it back, writes something else and submits it again, while the page is open before Dora."""
    draft = documents.write_document(actor=alice, kind="policy", slug="p", title="P", body="Lock the door.")
    versions.submit(actor=alice, draft=draft)
    doras = client_of(dora)
    [link] = re.findall(r'href="(/policies/p/approve/\?seen=[0-9.]+)"', doras.get("/policies/p/").content.decode())
    versions.withdraw(actor=alice, draft=draft)
    draft = Version.objects.get(pk=draft.pk)
    versions.edit_draft(actor=alice, document=draft.document, version=draft.version, body="Leave the door open.")
    versions.submit(actor=alice, draft=draft)
    [seen] = re.findall(r'name="seen" value="([0-9.]+)"', doras.get(link).content.decode())
    page = doras.post("/policies/p/approve/", {"comment": "Good.", "approve": "1", "seen": seen})
    assert page.status_code == 422
    assert "read it again" in page.content.decode()
    assert Version.objects.get().stage == VersionState.IN_REVIEW
    assert not Approval.objects.exists()


def test_dora_who_wrote_on_it_is_told_why_she_cannot_approve(client_of: Browser, alice: User, dora: User) -> None:
    draft = documents.write_document(actor=alice, kind="policy", slug="p", title="P", body="Words.")
    versions.edit_draft(actor=dora, document=draft.document, version=1, body="Better words.")
    draft = versions.submit(actor=alice, draft=draft)
    page = client_of(dora).post("/policies/p/approve/", {"comment": "Good.", "approve": "1", "seen": draft.seen})
    assert page.status_code == 422
    assert "somebody else has to decide" in page.content.decode()


def test_what_somebody_else_saved_first_is_shown_and_nothing_is_lost(
    in_force: Write, client_of: Browser, alice: User, bob: User
) -> None:
    document = in_force().document
    versions.edit_draft(actor=bob, document=document, version=None, body="- [ ] By Bob")
    page = client_of(alice).post("/runbooks/isolate/edit/", {"version": "", "body": "- [ ] By Alice"})
    text = page.content.decode()
    assert page.status_code == 409
    assert "- [ ] By Alice</textarea>" in text
    assert "By Bob" in text
    assert 'name="version" value="1"' in text


def test_a_draft_is_kept_and_offered(in_force: Write, client_of: Browser, alice: User) -> None:
    in_force()
    browser = client_of(alice)
    kept = browser.post("/runbooks/isolate/edit/", {"draft": "body", "text": "- [ ] Half a", "version": ""})
    assert kept.status_code == 204
    assert "- [ ] Half a" in browser.get("/runbooks/isolate/edit/").content.decode()
    browser.post("/runbooks/isolate/edit/", {"body": "- [ ] Half a", "preview": "1"}, headers=HTMX)
    assert "- [ ] Half a" in browser.get("/runbooks/isolate/edit/").content.decode()


def test_any_two_versions_are_compared(in_force: Write, client_of: Browser, alice: User, dora: User) -> None:
    document = in_force().document
    for number in (2, 3):
        draft = versions.edit_draft(actor=alice, document=document, version=None, body=f"{STEPS}- [ ] Step {number}")
        versions.submit(actor=alice, draft=draft)
        versions.approve(actor=dora, draft=draft, comment="Fine.")
    browser = client_of(alice)
    assert "[put in: </span>3<" in browser.get("/runbooks/isolate/compare/").content.decode()
    assert "v2 to v3" in browser.get("/runbooks/isolate/").content.decode()
    page = browser.get("/runbooks/isolate/compare/?from=1&to=2").content.decode()
    assert "Step 2" in page
    assert "Step 3" not in page
    assert browser.get("/runbooks/isolate/compare/?from=99&to=x").status_code == 200
    assert "was replaced on" in browser.get("/runbooks/isolate/versions/1/").content.decode()


def test_only_who_governs_says_who_approves(in_force: Write, client_of: Browser, alice: User, dora: User) -> None:
    document = in_force().document
    fields = {"version": document.version, "title": "Cut it off", "approvals_needed": "3", "review_cycle": "monthly"}
    assert client_of(alice).post("/runbooks/isolate/facts/", fields).status_code == 302
    document.refresh_from_db()
    assert (document.title, document.approvals_needed, document.review_cycle) == ("Cut it off", 1, "monthly")
    client_of(dora).post("/runbooks/isolate/facts/", {**fields, "version": document.version})
    document.refresh_from_db()
    assert document.approvals_needed == 3


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("related", "nowhere", "no document"), ("escalations", "only words", "what to do"),
        ("escalations", "(lambda: 1)() → Call", "escalations"), ("review_cycle", "days", "after how many days"),
    ],
)  # fmt: skip
def test_facts_that_make_no_sense_are_refused(
    name: str, value: str, words: str, in_force: Write, client_of: Browser, alice: User
) -> None:
    document = in_force().document
    fields = {"version": document.version, "title": "Isolate", name: value}
    page = client_of(alice).post("/runbooks/isolate/facts/", fields)
    assert page.status_code == 422
    assert words in page.content.decode()


def test_a_message_is_shown_with_an_example(in_force: Write, client_of: Browser, bob: User) -> None:
    fields = {
        "title": "T",
        "subject": "News of {{ incident.number }}",
        "body": "**{{ incident.title }}**",
        "preview": "1",
    }
    part = client_of(bob).post("/templates/new/", fields, headers=HTMX).content.decode()
    assert "News of IR-2026-1120-001" in part
    assert "<strong>Ransomware on the file server</strong>" in part


def test_the_page_of_a_message_says_what_has_to_be_replaced_and_by_whom(
    make_runbook: MakeRunbook, client_of: Browser, bob: User
) -> None:
    make_runbook("news", "We work on {{ incident.title }}. Next: {{next_update}}, {{ nothing }}", kind="template")
    for view in ("guide", "markdown"):
        part = (
            client_of(bob).get(f"/templates/news/?view={view}").content.decode().partition("What stands in braces")[2]
        )
        assert "Title of the incident</dd>" in part
        assert re.search(r"When the reader hears of it again <span.*whoever sends it says so</span></dd>", part)
        assert part.count("whoever sends it says so") == 1
        assert "{{ nothing }}" not in part
    make_runbook("plain", "Without any.", kind="template")
    assert "What stands in braces" not in client_of(bob).get("/templates/plain/").content.decode()


def test_a_copy_begins_with_the_text(in_force: Write, client_of: Browser, bob: User) -> None:
    in_force()
    page = client_of(bob).get("/runbooks/new/?from=isolate").content.decode()
    assert "Copy of Isolate" in page
    assert "@technical_lead !2h #lead" in page


def test_who_archives_what_somebody_else_has_archived_does_not_take_it_back(
    in_force: Write, client_of: Browser, alice: User, bob: User
) -> None:
    in_force()
    hers, his = client_of(alice), client_of(bob)
    url = "/runbooks/isolate/archive/"
    assert hers.post(url, {"reason": "We have no such hosts."}).status_code == 302
    late = his.post(url, {"reason": "Nobody uses it."})
    assert late.status_code == 422
    assert "archived already" in late.content.decode()
    assert Document.objects.get().archived_at is not None
    assert 'name="restore"' in his.get("/runbooks/isolate/").content.decode()
    for _ in range(2):  # the second of two clicks finds it in use
        assert his.post(url, {"restore": "1"}).status_code == 302
    assert Document.objects.get().archived_at is None


def test_customers_find_nothing(in_force: Write, client_of: Browser, eve: User, frank: User) -> None:
    in_force()
    for who in (eve, frank):
        for path in (
            "/runbooks/isolate/",
            "/runbooks/isolate/edit/",
            "/documents/isolate/",
            "/runbooks/isolate/guide/",
        ):
            assert client_of(who).get(path).status_code == 404


def test_guides_that_fit_are_offered_in_a_ticket(
    in_force: Write, make_ticket: Callable[..., Ticket], incident: Incident, client_of: Browser, bob: User
) -> None:
    in_force("controller", "How to analyse it.", kind="guideline", title="Domain controller")
    in_force("tagged", "Words.", kind="procedure", tags=["disk"])
    in_force("typed", "Words.", kind="procedure", facts={"incident_types": ["other"]})
    in_force("strange", "Words.", kind="guideline", tags=["cloud"], facts={"incident_types": ["phishing"]})
    in_force("policy", "Words.", kind="policy", tags=["disk"])
    ticket = set_tags(actor=bob, ticket=make_ticket(description="See [[controller]]."), tags=["disk"])
    browser = client_of(bob)
    url = f"/incidents/{incident.number}/tickets/{ticket.number}/"
    assert f'hx-get="{url}guides/"' in browser.get(url).content.decode()
    part = browser.get(f"{url}guides/", headers=HTMX).content.decode()
    found = [part.find(f"{slug}/guide/") for slug in ("controller", "tagged", "typed")]
    assert found == sorted(found)
    assert -1 not in found
    assert "strange" not in part
    assert "policy" not in part
    assert "How to analyse it." in browser.get("/guidelines/controller/guide/", headers=HTMX).content.decode()


def test_a_runbook_is_inserted_into_an_incident_one_works_in(
    in_force: Write, incident: Incident, client_of: Browser, bob: User, carol: User
) -> None:
    in_force()
    page = client_of(bob).get("/runbooks/isolate/insert/").content.decode()
    assert f"/incidents/{incident.number}/runbooks/isolate/run/" in page
    assert incident.number not in client_of(carol).get("/runbooks/isolate/insert/").content.decode()


@pytest.mark.parametrize("key", [str(2**70), "\x00", "1e3", "-1"])
def test_an_approver_by_a_key_that_nobody_can_have_is_refused(db: None, key: str) -> None:
    field = SomeOf(User.objects.all())
    with pytest.raises(ValidationError, match="from the list"):
        field.clean([key])
