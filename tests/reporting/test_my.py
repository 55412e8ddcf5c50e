"""My work: what one person has to do, over all incidents."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from incidents.actions import incidents as incident_actions
from incidents.actions import lifecycle, team
from incidents.models import Incident, Look, Role, RoleAssignment
from people.models import User
from reporting.queries import my as queries
from tests.comms.working import work_off
from tickets.actions import comments, handovers, leads
from tickets.actions import tickets as actions
from tickets.actions.tags import set_tags
from tickets.models import ClockTarget, Ticket, Watch

Make = Callable[..., Ticket]
Browser = Callable[..., Client]
HTMX = {"HX-Request": "true"}
HOUR = dt.timedelta(hours=1)


def groups(user: User) -> dict[str, list[str]]:
    return {key: [one.title for one in tickets] for key, _, tickets in queries.my(user).groups}


def page(client_of: Browser, user: User) -> str:
    response = client_of(user).get("/my/")
    assert response.status_code == 200
    return response.content.decode()


def test_bobs_tickets_of_all_incidents_stand_by_urgency(incident, secret, bob, alice, make_ticket: Make) -> None:
    ClockTarget.objects.all().delete()
    now = timezone.now()
    noon = now.replace(hour=12, minute=0)
    make_ticket("Late", assignee=bob, due_at=now - HOUR)
    make_ticket("Later", assignee=bob, due_at=noon + dt.timedelta(days=3))
    make_ticket("At once", assignee=bob, due_at=now + dt.timedelta(minutes=40))
    make_ticket("Whenever", assignee=bob)
    make_ticket("Whenever, but urgent", assignee=bob, priority="urgent")
    stuck = make_ticket("Stuck", assignee=bob)
    actions.set_status(actor=bob, ticket=stuck, status="waiting", waiting_for="the bank")
    actions.set_status(actor=bob, ticket=make_ticket("Over and done", assignee=bob), status="done")
    make_ticket("Alice's", assignee=alice)
    actions.add_ticket(actor=alice, incident=secret, title="Interview", assignee=bob, due_at=now - 2 * HOUR)
    found = groups(bob)
    assert found["over"] == ["Interview", "Late"]
    assert found["soon"] == ["At once"]
    assert found["later"] == ["Later", "Whenever, but urgent", "Whenever"]
    assert found["blocked"] == ["Stuck"]
    assert "today" not in found


def test_offers_stand_with_both_and_nobody_else(
    incident, alice, bob, carol, make_ticket: Make, client_of: Browser
) -> None:
    make_ticket("Pull the logs", assignee=bob)
    offer = handovers.hand_over(actor=bob, incident=incident, numbers=[101], receiver=alice, note="Half is done")
    mine, hers = page(client_of, bob), page(client_of, alice)
    accept = f"handovers/{offer.pk}/accept/"
    assert ("Offered by me" in mine, accept in mine, "Take back" in mine) == (True, False, True)
    assert ("Offered to me" in hers, accept in hers, "Half is done" in hers) == (True, True, True)
    assert accept not in page(client_of, carol)
    assert "Half is done" not in page(client_of, carol)
    client_of(alice).post(f"/incidents/{incident.number}/{accept}", {"next": "/my/"})
    assert "Offered to me" not in page(client_of, alice)


def test_a_written_post_mortem_of_a_critical_incident_waits_for_alice(incident, alice, bob, client_of: Browser) -> None:
    words = "Post-mortem of Ransomware"
    assert words not in page(client_of, alice)
    Incident.objects.filter(pk=incident.pk).update(severity="critical", root_cause="A macro")
    assert words not in page(client_of, alice)
    Incident.objects.filter(pk=incident.pk).update(lessons_learned="Block macros")
    assert words in page(client_of, alice)
    assert words not in page(client_of, bob)
    Incident.objects.filter(pk=incident.pk).update(post_mortem_approved_at=timezone.now())
    assert words not in page(client_of, alice)


def test_a_mention_stands_there_until_it_is_read(alice, carol, make_ticket: Make, client_of: Browser) -> None:
    comments.add_comment(actor=alice, ticket=make_ticket(), body="Ask @carol")
    work_off()
    assert "Alice Example mentioned you on #101" in page(client_of, carol)
    client_of(carol).post("/notifications/read/")
    assert "mentioned you" not in page(client_of, carol)


def test_watched_tickets_stand_apart_with_who_has_them(bob, carol, make_ticket: Make) -> None:
    Watch.objects.create(ticket=make_ticket("Watched", assignee=bob), user=carol)
    Watch.objects.create(ticket=make_ticket("Watched and mine", assignee=bob), user=bob)
    assert [one.title for one in queries.my(carol).watching] == ["Watched"]
    assert queries.my(bob).watching == []


def test_who_has_nothing_is_shown_what_nobody_has(
    incident, bob, mallory, make_ticket: Make, client_of: Browser
) -> None:
    for n in range(7):
        make_ticket(f"Free {n}")
    html = page(client_of, bob)
    assert "Take one of 7 unassigned tickets; these come first" in html
    assert html.count(">Take<") == queries.MOST_FREE
    assert "Free" not in page(client_of, mallory)  # she could not take it
    client_of(bob).post(f"/incidents/{incident.number}/tickets/101/assign/", {"version": 1, "assignee": bob.pk})
    assert groups(bob) == {"later": ["Free 0"]}


def test_what_bob_may_no_longer_see_is_gone(secret, alice, bob, carol, make_ticket: Make, client_of: Browser) -> None:
    hidden = actions.add_ticket(actor=alice, incident=secret, title="Interview CANARY", assignee=bob)
    Watch.objects.create(ticket=hidden, user=carol)
    handovers.hand_over(actor=bob, incident=secret, numbers=[101], receiver=alice, note="CANARY note")
    comments.add_comment(actor=alice, ticket=hidden, body="@bob CANARY")
    work_off()
    assert "CANARY" in page(client_of, bob)
    assert "CANARY" in client_of(bob).get("/my/news/").content.decode()
    assert "CANARY" not in page(client_of, carol)
    team.end_role(actor=alice, assignment=RoleAssignment.objects.get(incident=secret, user=bob, until=None))
    for url in ("/my/", "/my/news/"):
        html = client_of(bob).get(url).content.decode()
        assert ("CANARY" in html, secret.number in html) == (False, False)


def test_what_was_said_in_a_restricted_incident_is_read_there_only(
    secret: Incident, alice: User, bob: User, client_of: Browser
) -> None:
    """Its own pages write down who read them; this one does not."""
    hidden = actions.add_ticket(actor=alice, incident=secret, title="Interview", assignee=alice)
    comments.add_comment(actor=alice, ticket=hidden, body="CANARY said")
    handovers.hand_over(actor=alice, incident=secret, numbers=[101], receiver=bob, note="CANARY note")
    assert "#101 Interview" in page(client_of, bob)
    for url in ("/my/", "/my/news/"):
        assert "CANARY" not in client_of(bob).get(url).content.decode()


@pytest.fixture
def interview(secret: Incident, alice: User, bob: User) -> Ticket:
    """Bob's, in an incident that only its team may see; a lead."""
    ticket = actions.add_ticket(actor=alice, incident=secret, title="Interview", assignee=bob)
    return leads.mark_lead(actor=alice, ticket=ticket, lead=True)


def park(ticket: Ticket, alice: User) -> None:
    leads.mark_lead(actor=alice, ticket=ticket, lead=True, disposition="parked", disposition_reason="CANARY because")


def park_by_status(ticket: Ticket, alice: User) -> None:
    actions.set_status(
        actor=alice, ticket=ticket, status="done", outcome="CANARY outcome", disposition="parked",
        disposition_reason="CANARY because",
    )  # fmt: skip


def wait(ticket: Ticket, alice: User) -> None:
    actions.set_status(actor=alice, ticket=ticket, status="waiting", waiting_for="CANARY the bank")


def sign(ticket: Ticket, alice: User) -> None:
    Incident.objects.filter(pk=ticket.incident_id).update(status="eradicated")
    lifecycle.set_status(actor=alice, incident=ticket.incident, status="recovered", leads_reason="CANARY signed")


def tag(ticket: Ticket, alice: User) -> None:
    set_tags(actor=alice, ticket=ticket, tags=["canary"])


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (park, "Ticket: lead resolved, #101 Interview"), (park_by_status, "Ticket: status changed, #101 Interview"),
        (wait, "Ticket: status changed, #101 Interview"), (sign, "Incident: status changed"),
        (tag, "Ticket: tagged, #101 Interview"),
    ],
)  # fmt: skip
def test_what_was_written_in_a_restricted_incident_is_no_part_of_a_sentence_either(
    *, interview: Ticket, alice: User, bob: User, client_of: Browser, write: Callable[..., None], said: str
) -> None:
    write(interview, alice)
    html = client_of(bob).get("/my/news/").content.decode()
    assert f"<b>Alice Example</b>: {said}<" in html
    assert "canary" not in (html + page(client_of, bob)).lower()
    Incident.objects.filter(pk=interview.incident_id).update(restricted=False)
    assert "canary" in client_of(bob).get("/my/news/").content.decode().lower()


# -- What changed -----------------------------------------------------------------------------------------------------
def sentences(user: User) -> list[str]:
    return [f"{one.line.actor} {one.line.sentence}" for one in queries.news(user)]


def test_bob_reads_what_others_did_and_not_what_he_did_himself(alice, bob, make_ticket: Make) -> None:
    make_ticket("Alice's work")
    make_ticket("Bob's work", actor=bob)
    found = sentences(bob)
    assert "Alice Example added #101 Alice's work" in found
    assert not [one for one in found if "Bob's work" in one]


def test_what_bob_has_seen_is_no_news(bob, incident, make_ticket: Make, client_of: Browser) -> None:
    make_ticket("Old")
    response = client_of(bob).post("/my/seen/", headers=HTMX)
    assert "Nothing new" in response.content.decode()
    make_ticket("New")
    assert sentences(bob) == ["Alice Example added #102 New"]


def test_having_seen_all_holds_for_every_incident_and_keeps_the_trees_as_they_were(
    bob: User, alice: User, incident: Incident, secret: Incident, make_ticket: Make, client_of: Browser
) -> None:
    make_ticket("Old")
    actions.add_ticket(actor=alice, incident=secret, title="Old as well")
    Look.objects.create(user=bob, incident=incident, levels=2, flipped=[101])
    client_of(bob).post("/my/seen/")
    assert sentences(bob) == []
    kept = Look.objects.get(user=bob, incident=incident)
    assert (kept.levels, kept.flipped, Look.objects.filter(user=bob).count()) == (2, [101], 2)


def test_each_incident_is_new_from_its_own_last_look_on(bob, incident, secret, alice, make_ticket: Make) -> None:
    make_ticket("Known")
    actions.add_ticket(actor=alice, incident=secret, title="Unknown")
    Look.objects.create(user=bob, incident=incident, since=timezone.now(), seen_at=timezone.now())
    found = sentences(bob)
    assert "Alice Example added #101 Unknown" in found
    assert "Alice Example added #101 Known" not in found


def test_mallory_has_no_role_and_no_news(mallory, make_ticket: Make, client_of: Browser) -> None:
    make_ticket("Pull the logs")
    assert sentences(mallory) == []
    assert "Nothing new" in client_of(mallory).get("/my/news/").content.decode()


# -- Polling and cost -------------------------------------------------------------------------------------------------
def test_the_page_stands_until_something_of_it_changes(
    incident, alice, bob, carol, mallory, make_ticket: Make, make_incident, client_of: Browser
) -> None:
    ticket = make_ticket("Pull the logs", assignee=bob)
    work_off()
    tag = queries.tag(bob)

    def polled(url: str = "/my/") -> int:
        return client_of(bob).get(url, headers={**HTMX, "HX-PTag": tag}).status_code

    assert (polled(), polled("/my/news/")) == (304, 304)
    other = make_incident("Somebody else's")  # Bob has nothing to do with it
    assert polled() == 304
    comments.add_comment(actor=alice, ticket=ticket, body="Look")
    assert (polled(), polled("/my/news/")) == (200, 200)
    tag = queries.tag(bob)
    team.assign_role(actor=alice, incident=other, user=bob, role=Role.MEMBER)
    assert polled() == 200


def test_an_unchanged_page_costs_one_query_more_than_knowing_who_asks(
    bob, make_ticket: Make, client_of: Browser, django_assert_num_queries
) -> None:
    make_ticket(assignee=bob)
    browser, tag = client_of(bob), queries.tag(bob)
    browser.get("/my/")  # the first page of a session writes it
    with django_assert_num_queries(2):  # the session with its person and their rights, the tag
        assert browser.get("/my/", headers={**HTMX, "HX-PTag": tag}).status_code == 304


@pytest.mark.parametrize("url", ["/my/", "/my/news/"])
def test_it_costs_the_same_for_3_and_for_300(
    url, alice, bob, incident, make_ticket: Make, client_of: Browser, django_assert_max_num_queries
) -> None:
    browser = client_of(bob)
    browser.get("/my/")
    for count in (3, 297):
        for n in range(count):
            make_ticket(f"Ticket {n}", assignee=bob)
        Watch.objects.create(ticket=make_ticket("Watched", assignee=alice), user=bob)
        comments.add_comment(actor=alice, ticket=Ticket.objects.get(number=101), body="@bob look")
        work_off()
        with django_assert_max_num_queries(12):
            assert browser.get(url).status_code == 200


def test_customers_have_no_such_page(eve, client_of: Browser) -> None:
    assert [client_of(eve).get(url).status_code for url in ("/my/", "/my/news/")] == [403, 403]
    assert "/my/" not in client_of(eve).get("/accounts/profile/").content.decode()


def test_a_hostile_title_is_shown_as_text(bob, incident, alice, client_of: Browser, make_ticket: Make) -> None:
    make_ticket("<script>alert(1)</script>", assignee=bob)
    incident_actions.edit_incident(
        actor=alice, incident=incident, version=Incident.objects.get(pk=incident.pk).version,
        fields={"title": "<b>loud</b>"},
    )  # fmt: skip
    html = page(client_of, bob)
    assert ("<script>alert(1)" in html, "<b>loud</b>" in html, "&lt;b&gt;loud" in html) == (False, False, True)
