"""What people are still writing is kept for them, offered again, and nobody else's."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from core.models import JournalEntry
from incidents.actions import team
from incidents.models import Incident, RoleAssignment
from people.actions import drafts
from people.models import Draft, User
from people.tasks import sweep_drafts
from tests.routes import routes
from tickets.actions import comments, purging, tickets
from tickets.models import Comment, Ticket

Browser = Callable[..., Client]
HTMX = {"HX-Request": "true"}
NOTE = "A draft of yours"


@pytest.fixture
def base(incident: Incident, make_ticket) -> str:
    """The incident's address; ticket #101 is in it."""
    make_ticket("Beacon", description="as it was")
    return f"/incidents/{incident.number}/"


@pytest.fixture
def bobs(client_of: Browser, bob: User) -> Client:
    return client_of(bob)


def keep(client: Client, url: str, field: str, text: str, **more: str) -> int:
    return client.post(url, {"draft": field, "text": text, **more}, headers=HTMX).status_code


def page(client: Client, url: str) -> str:
    return client.get(url).content.decode()


# -- Kept, offered, used, forgotten -----------------------------------------------------------------------------------
FORMS = [  # form, field, page that offers it, what saves it
    ("edit/summary/", "summary", "edit/summary/", {"version": "1", "summary": "done"}),
    ("edit/review/", "lessons_learned", "edit/review/", {"version": "1", "lessons_learned": "done"}),
    ("comments/add/", "body", "comments/", {"body": "done"}),
    ("tickets/add/", "description", "tickets/add/", {"title": "done", "description": "done"}),
    ("tickets/101/edit/", "description", "tickets/101/edit/",
     {"version": "1", "title": "Beacon", "priority": "normal", "description": "done"}),
    ("tickets/101/comments/add/", "body", "tickets/101/", {"body": "done"}),
    ("shifts/new/", "watch", "shifts/new/", {"since": "8", "watch": "done"}),
]  # fmt: skip


@pytest.mark.parametrize(("form", "field", "shown", "saved"), FORMS)
def test_what_bob_left_is_offered_until_he_saves(bobs, base, form, field, shown, saved) -> None:
    before = JournalEntry.objects.count()
    assert NOTE not in page(bobs, base + shown)
    assert keep(bobs, base + form, field, "half a <b>sentence</b>") == 204
    assert keep(bobs, base + form, field, "a whole <b>sentence</b>") == 204
    html = page(bobs, base + shown)
    assert html.count(NOTE) == 1
    assert "a whole &lt;b&gt;sentence&lt;/b&gt;" in html
    assert f'data-draft="{field}"' in html
    assert JournalEntry.objects.count() == before
    answer = bobs.post(base + form, {name: value for name, value in saved.items() if name != field})
    assert Draft.objects.count() == 1, answer.content  # what was not sent was not saved
    version = Incident.objects.get().version if "edit/" in form and "tickets" not in form else None
    saved = {**saved, **({"version": str(version)} if version else {})}
    if "101/edit" in form:
        saved["version"] = str(Ticket.objects.get(number=101).version)
    assert bobs.post(base + form, saved).status_code == 302
    assert not Draft.objects.exists()


def test_without_script_a_link_takes_the_draft_into_the_field(bobs, base) -> None:
    keep(bobs, f"{base}edit/summary/", "summary", "by hand")
    assert 'href="?draft=summary"' in page(bobs, f"{base}edit/summary/")
    html = page(bobs, f"{base}edit/summary/?draft=summary")
    assert "by hand</textarea>" in html
    assert NOTE not in html
    keep(bobs, f"{base}comments/add/", "body", "said by hand")
    assert ">said by hand</textarea>" in page(bobs, f"{base}comments/?draft=body")


def test_a_draft_thrown_away_or_equal_to_what_is_saved_is_not_offered(bobs, base) -> None:
    keep(bobs, f"{base}tickets/101/edit/", "description", "as it was")
    assert NOTE not in page(bobs, f"{base}tickets/101/edit/")
    keep(bobs, f"{base}tickets/101/edit/", "description", "otherwise")
    assert NOTE in page(bobs, f"{base}tickets/101/edit/")
    assert keep(bobs, f"{base}tickets/101/edit/", "description", "") == 204
    assert not Draft.objects.exists()


def test_what_is_refused_stays_a_draft(bobs, base) -> None:
    keep(bobs, f"{base}tickets/add/", "description", "half")
    assert bobs.post(f"{base}tickets/add/", {"title": "", "description": "half"}).status_code == 422
    assert bobs.post(f"{base}shifts/new/", {"draft": "watch", "text": "half"}).status_code == 204
    assert bobs.post(f"{base}shifts/new/", {"since": "8", "watch": "half", "preview": "1"}).status_code == 200
    assert Draft.objects.count() == 2


def test_a_draft_older_than_what_alice_saved_is_compared_not_saved_over_it(bobs, base, alice) -> None:
    ticket = Ticket.objects.get(number=101)
    keep(bobs, f"{base}tickets/101/edit/", "description", "Bob's", version=str(ticket.version))
    tickets.edit_ticket(actor=alice, ticket=ticket, version=ticket.version, fields={"description": "Alice's"})
    html = page(bobs, f"{base}tickets/101/edit/?draft=description")
    assert f'name="version" value="{ticket.version}"' in html
    assert f'data-version="{ticket.version}"' in page(bobs, f"{base}tickets/101/edit/")
    sent = {"version": ticket.version, "title": "Beacon", "priority": "normal", "description": "Bob's"}
    answer = bobs.post(f"{base}tickets/101/edit/", sent)
    assert answer.status_code == 409
    assert Ticket.objects.get(number=101).description == "Alice's"
    assert Draft.objects.count() == 1


def test_offering_drafts_costs_one_question(bobs, base, django_assert_max_num_queries) -> None:
    bobs.get(f"{base}edit/review/", headers=HTMX)
    with django_assert_max_num_queries(20) as none:
        bobs.get(f"{base}edit/review/", headers=HTMX)
        most = len(none)
    for field in ("root_cause", "contributing_factors", "lessons_learned"):
        keep(bobs, f"{base}edit/review/", field, "half")
    with django_assert_max_num_queries(most):
        assert bobs.get(f"{base}edit/review/", headers=HTMX).content.decode().count(NOTE) == 3


# -- Whose they are ---------------------------------------------------------------------------------------------------
@pytest.mark.security
def test_nobody_else_sees_or_loses_bobs_draft(client_of, bobs, base, alice, auditor, dora) -> None:
    keep(bobs, f"{base}tickets/101/edit/", "description", "Bob's half sentence")
    keep(bobs, f"{base}tickets/101/comments/add/", "body", "Bob's half sentence")
    for person in (alice, auditor, dora):
        for place in ("tickets/101/", "tickets/101/edit/", "comments/", "log/", "audit/"):
            assert "half sentence" not in page(client_of(person), base + place)
    assert keep(client_of(alice), f"{base}tickets/101/edit/", "description", "Alice's") == 204
    keep(client_of(alice), f"{base}tickets/101/edit/", "description", "")
    assert client_of(alice).post(f"{base}tickets/101/comments/add/", {"body": "x"}).status_code == 302
    assert Draft.objects.filter(user__username="bob").count() == 2


@pytest.mark.security
def test_who_may_not_write_keeps_no_draft(client_of, base, carol, mallory, eve, secret) -> None:
    url = f"{base}tickets/101/edit/"
    assert keep(client_of(carol), url, "description", "x") == 403
    assert keep(client_of(eve), url, "description", "x") == 404
    assert keep(client_of(mallory), f"/incidents/{secret.number}/edit/summary/", "summary", "x") == 404
    assert keep(Client(), url, "description", "x") in (302, 401)
    assert keep(Client(enforce_csrf_checks=True), url, "description", "x") in (302, 401, 403)
    assert not Draft.objects.exists()


@pytest.mark.security
def test_a_draft_does_not_outlive_the_right_to_write(client_of, alice, bob, secret) -> None:
    url, client = f"/incidents/{secret.number}/edit/summary/", client_of(bob)
    keep(client, url, "summary", "the insider's name")
    assert "the insider" in page(client, url)
    role = RoleAssignment.objects.get(incident=secret, user=bob, until=None)
    team.end_role(actor=alice, assignment=role)
    assert client.get(url).status_code == 404
    assert keep(client, url, "summary", "more") == 404
    for place in ("/", "/my/", "/accounts/profile/"):
        assert "the insider" not in page(client, place)


@pytest.mark.security
def test_what_is_deleted_for_good_takes_its_drafts_along(client_of, bobs, base, admin_user, make_ticket, bob) -> None:
    make_ticket("Stays")
    for path in ("tickets/101/edit/", "tickets/102/edit/"):
        keep(bobs, base + path, "description", "half")
    drafts.keep(user=bob, path=f"{base}tickets/1010/edit/", field="description", text="another number")
    purging.delete_branch(actor=admin_user, ticket=Ticket.objects.get(number=101), reason="By order of the court")
    assert sorted(path.split("/")[4] for path in Draft.objects.values_list("path", flat=True)) == ["1010", "102"]


@pytest.mark.security
def test_every_form_that_keeps_drafts_is_guarded_and_takes_post() -> None:
    kept = [route for route in routes() if getattr(route.view, "drafts", ())]
    assert len(kept) >= 8
    for route in kept:
        assert len(route.access) == 2, route.name
        assert route.access[1] != "view", route.name


# -- Nonsense and much of it ------------------------------------------------------------------------------------------
@pytest.mark.security
@pytest.mark.parametrize(
    ("field", "text", "version"),
    [
        ("title", "x", ""), ("", "x", ""), ("__class__", "x", ""), ("description\x00", "x", ""), ("../x", "x", ""),
        ("description", "a\x00b", ""), ("description", "x" * 262_145, ""), ("description", "ä" * 131_073, ""),
        ("description", "x", "-1"), ("description", "x", "9" * 30), ("description", "\u200b", ""),
    ],
)  # fmt: skip
def test_hostile_drafts_are_refused_and_save_nothing(bobs, base, field, text, version) -> None:
    assert keep(bobs, f"{base}tickets/101/edit/", field, text, version=version) == 422
    assert not Draft.objects.exists()
    assert Ticket.objects.get(number=101).description == "as it was"


def test_a_quarter_of_a_megabyte_is_kept(bobs, base) -> None:
    assert keep(bobs, f"{base}tickets/101/edit/", "description", "x" * 262_144) == 204


@pytest.mark.security
def test_a_draft_sent_to_a_form_that_keeps_none_changes_nothing(bobs, base) -> None:
    comments.add_comment(actor=User.objects.get(username="bob"), ticket=Ticket.objects.get(number=101), body="said")
    before = JournalEntry.objects.count()
    for path in ("tickets/101/status/", "tickets/101/lead/", "tickets/101/tags/", "tickets/101/time/add/", "members/"):
        keep(bobs, base + path, "body", "x")
    assert not Draft.objects.exists()
    assert JournalEntry.objects.count() == before
    assert Comment.objects.count() == 1


def test_an_address_longer_than_any_of_ours_keeps_nothing(bobs, base) -> None:
    assert keep(bobs, f"{base}tickets/{'0' * 200}101/edit/", "description", "x") == 422
    assert not Draft.objects.exists()


def test_one_person_keeps_two_hundred_and_the_oldest_go(bob, alice, db) -> None:
    drafts.keep(user=alice, path="/a/", field="body", text="hers")
    for number in range(drafts.MOST + 3):
        drafts.keep(user=bob, path=f"/{number}/", field="body", text="his")
    kept = Draft.objects.filter(user=bob)
    assert kept.count() == drafts.MOST == 200
    assert not kept.filter(path__in=["/0/", "/1/", "/2/"]).exists()
    assert Draft.objects.filter(user=alice).exists()


def test_what_nobody_came_back_to_is_forgotten_after_thirty_days(bob) -> None:
    now = timezone.now()
    for days in (29, 31):
        with time_machine.travel(now - dt.timedelta(days=days), tick=False):
            drafts.keep(user=bob, path=f"/{days}/", field="body", text="x")
    sweep_drafts()
    assert list(Draft.objects.values_list("path", flat=True)) == ["/29/"]
