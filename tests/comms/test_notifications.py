"""Who is told of what, by the bell and by mail."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from comms.models import Kind, Message, Notification
from comms.tasks import send_message
from core.models.work import WorkState
from incidents.actions import incidents as incident_actions
from incidents.actions import team
from incidents.models import Incident, Role, RoleAssignment
from people.models import User
from tests.comms.working import work_off
from tickets.actions import comments, merging
from tickets.actions import tickets as ticket_actions
from tickets.actions.quick import Sprout, plant_branch
from tickets.models import Ticket

Make = Callable[..., Ticket]
Browser = Callable[..., Client]


@pytest.fixture(autouse=True)
def quiet(incident: Incident) -> None:
    """What making the incident told people is not what these tests are about."""
    work_off()
    Notification.objects.all().delete()
    mail.outbox.clear()


def told(user: User) -> list[str]:
    return [one.text for one in Notification.objects.visible_to(user)]


def test_bob_hears_of_a_ticket_that_alice_gives_him(alice: User, bob: User, make_ticket: Make) -> None:
    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket("Pull the logs"), assignee=bob)
    work_off()
    assert told(bob) == ["Alice Example gave you #101 Pull the logs"]
    assert [(one.to, "Pull the logs" in one.subject) for one in mail.outbox] == [([bob.email], True)]


def test_bob_hears_of_a_ticket_that_is_his_from_the_start(bob: User, make_ticket: Make) -> None:
    make_ticket("Pull the logs", assignee=bob)
    work_off()
    assert told(bob) == ["Alice Example gave you #101 Pull the logs"]


def test_bob_hears_once_of_all_that_is_his_in_a_pasted_branch(alice: User, bob: User, incident: Incident) -> None:
    named = [("Ask around", bob), ("Wait", None), ("Pull the logs", bob)]
    sprouts = [Sprout(depth=1, title=title, assignee=person) for title, person in named]
    plant_branch(actor=alice, incident=incident, parent=None, sprouts=sprouts)
    work_off()
    assert told(bob) == ["Alice Example gave you #101 Ask around and 1 more"]
    assert told(alice) == []


def test_nobody_is_told_of_what_they_did_themselves(bob: User, make_ticket: Make) -> None:
    ticket = make_ticket(actor=bob, assignee=bob)
    comments.add_comment(actor=bob, ticket=ticket, body="Note to @bob")
    work_off()
    assert told(bob) == []
    assert mail.outbox == []


def test_carol_is_told_when_she_is_mentioned_and_once_only(alice: User, carol: User, make_ticket: Make) -> None:
    comment = comments.add_comment(actor=alice, ticket=make_ticket(), body="Ask @carol and @carol")
    comments.edit_comment(actor=alice, comment=comment, version=1, body="Ask @carol again", shared=False)
    work_off()
    assert told(carol) == ["Alice Example mentioned you on #101 Image the disk"]


def test_a_new_member_hears_of_the_role(alice: User, mallory: User, incident: Incident) -> None:
    team.assign_role(actor=alice, incident=incident, user=mallory, role=Role.TECHNICAL)
    work_off()
    assert told(mallory) == [f"Alice Example made you Technical Lead of {incident}"]


def test_alice_hears_who_broke_the_glass_and_why(alice: User, admin_user: User, secret: Incident) -> None:
    work_off()
    team.break_glass(actor=admin_user, incident=secret, reason="Legal hold 7")
    work_off()
    assert told(alice) == [f"Admin Example opened {secret.number} as an administrator: Legal hold 7"]


def test_everybody_who_leads_hears_of_broken_glass(
    alice: User, bob: User, carol: User, admin_user: User, secret: Incident
) -> None:
    team.assign_role(actor=alice, incident=secret, user=carol, role=Role.TECHNICAL)
    work_off()
    team.break_glass(actor=admin_user, incident=secret, reason="Legal hold 7")
    work_off()
    assert [bool([text for text in told(user) if "Legal hold" in text]) for user in (alice, bob, carol)] == [1, 0, 1]


def test_where_nobody_leads_all_members_hear_of_broken_glass(
    bob: User, carol: User, admin_user: User, make_incident: Callable[..., Incident]
) -> None:
    leaderless = make_incident(restricted=True, commander=None, reporter=bob, actor=bob)
    team.assign_role(actor=bob, incident=leaderless, user=carol, role=Role.OBSERVER)
    work_off()
    team.break_glass(actor=admin_user, incident=leaderless, reason="Legal hold 7")
    work_off()
    assert [bool([text for text in told(user) if "Legal hold" in text]) for user in (bob, carol, admin_user)] == [
        1,
        1,
        0,
    ]


def test_who_lost_access_before_the_worker_came_is_not_told(
    alice: User, bob: User, incident: Incident, make_ticket: Make
) -> None:
    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(), assignee=bob)
    incident_actions.restrict_incident(actor=alice, incident=incident, restricted=True, reason="Insider")
    team.end_role(actor=alice, assignment=RoleAssignment.objects.get(user=bob))
    work_off()
    assert Notification.objects.filter(user=bob).count() == 0
    assert mail.outbox == []


def test_access_is_asked_again_when_the_mail_goes_out(
    alice: User, bob: User, incident: Incident, make_ticket: Make
) -> None:
    from core.models import Reaction  # noqa: PLC0415

    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(), assignee=bob)
    work_off(Reaction)
    message = Message.objects.get(recipient=bob)
    incident_actions.restrict_incident(actor=alice, incident=incident, restricted=True, reason="Insider")
    team.end_role(actor=alice, assignment=RoleAssignment.objects.get(user=bob))
    work_off()
    message.refresh_from_db()
    assert (message.state, mail.outbox, told(bob)) == (WorkState.CANCELLED, [], [])


def test_a_disabled_person_gets_no_mail(alice: User, bob: User, make_ticket: Make) -> None:
    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(), assignee=bob)
    User.objects.filter(pk=bob.pk).update(is_active=False)
    work_off()
    assert mail.outbox == []


def test_mail_of_a_restricted_incident_says_nothing_of_it(alice: User, bob: User, secret: Incident) -> None:
    work_off()
    mail.outbox.clear()
    ticket = ticket_actions.add_ticket(actor=alice, incident=secret, title="Interview CANARY")
    comments.add_comment(actor=alice, ticket=ticket, body="@bob CANARY")
    work_off()
    (letter,) = mail.outbox
    assert letter.subject == f"[Treeline] You were mentioned in {secret.number}"
    assert f"/incidents/{secret.number}/tickets/101/" in letter.body
    assert "CANARY" not in letter.subject + letter.body
    assert "Insider" not in letter.subject + letter.body
    assert "Alice" not in letter.subject + letter.body


def test_a_title_cannot_add_a_header(alice: User, bob: User, make_ticket: Make) -> None:
    ticket = make_ticket("x\r\nBcc: everybody@evil.example\r\n\r\n<script>", assignee=None)
    ticket_actions.assign_ticket(actor=alice, ticket=ticket, assignee=bob)
    work_off()
    (letter,) = mail.outbox
    head = letter.message().as_bytes().split(b"\n\n", 1)[0]
    assert b"\nBcc" not in head
    assert letter.recipients() == [bob.email]


def test_links_come_from_the_settings_and_not_from_a_request(alice: User, bob: User, make_ticket: Make) -> None:
    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(), assignee=bob)
    work_off()
    assert "http://localhost:8000/incidents/" in mail.outbox[0].body


def test_a_second_attempt_has_the_same_message_id(alice: User, bob: User, make_ticket: Make) -> None:
    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(), assignee=bob)
    work_off()
    Message.objects.update(state=WorkState.QUEUED, attempts=0)  # as if the worker had died right after sending
    work_off()
    first, second = (letter.extra_headers["Message-ID"] for letter in mail.outbox)
    assert first == second


def test_mail_that_fails_is_tried_for_a_day_with_growing_pauses_and_the_bell_keeps_it(
    alice: User, bob: User, make_ticket: Make, settings: pytest.FixtureRequest
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # type: ignore[attr-defined]
    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(), assignee=bob)
    work_off()
    message = Message.objects.get(recipient=bob)
    waited = dt.timedelta()
    while message.state == "queued":
        waited += message.due - timezone.now()
        send_message(message.pk)  # before its time nothing happens
        Message.objects.filter(pk=message.pk).update(due=timezone.now())
        send_message(message.pk)
        message.refresh_from_db()
    assert (message.state, message.attempts) == ("failed", 12)
    assert dt.timedelta(hours=12) < waited < dt.timedelta(hours=36)
    assert "ConnectionRefusedError" in message.error
    assert told(bob) == ["Alice Example gave you #101 Image the disk"]


def test_a_merge_does_not_leave_the_title_with_who_may_not_see_the_other_incident(
    alice: User, bob: User, carol: User, incident: Incident, secret: Incident, make_ticket: Make
) -> None:
    comments.add_comment(actor=alice, ticket=make_ticket("CANARY"), body="@carol @bob")
    work_off()
    assert len(told(carol)) == 1
    merging.merge_incidents(actor=alice, source=incident, target=secret, reason="The same person")
    assert told(carol) == []
    found = Notification.objects.visible_to(bob).get(kind=Kind.MENTIONED)
    assert found.url.startswith(f"/incidents/{secret.number}/")


def test_the_bell_counts_and_says_304_while_nothing_changes(
    alice: User, bob: User, make_ticket: Make, client_of: Browser
) -> None:
    browser, url = client_of(bob), reverse("comms:count")
    assert 'class="count' not in browser.get(url).content.decode()
    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(), assignee=bob)
    work_off()
    found = browser.get(url)
    assert "Notifications, 1 new" in found.content.decode()
    tag = found.context["tag"]
    assert f'hx-ptag="{tag}"' in found.content.decode()
    assert browser.get(url, headers={"HX-PTag": tag}).status_code == 304


def test_bob_reads_one_and_then_all(alice: User, bob: User, make_ticket: Make, client_of: Browser) -> None:
    for title in ("One", "Two", "Three"):
        ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(title), assignee=bob)
    work_off()
    browser, page, url = client_of(bob), reverse("comms:notifications"), reverse("comms:read")
    text = browser.get(page).content.decode()
    assert text.index("Three") < text.index("Two") < text.index("One")
    one = Notification.objects.filter(user=bob, text__contains="Two").get()
    assert browser.post(url, {"notification": one.pk})["Location"] == one.url
    assert Notification.objects.filter(user=bob).unread().count() == 2
    assert browser.post(url)["Location"] == page
    assert Notification.objects.filter(user=bob).unread().count() == 0


def test_nobody_reads_the_notifications_of_somebody_else(
    alice: User, bob: User, carol: User, make_ticket: Make, client_of: Browser
) -> None:
    ticket_actions.assign_ticket(actor=alice, ticket=make_ticket("CANARY"), assignee=bob)
    work_off()
    one = Notification.objects.get(user=bob)
    browser = client_of(carol)
    assert "CANARY" not in browser.get(reverse("comms:notifications")).content.decode()
    assert browser.post(reverse("comms:read"), {"notification": one.pk})["Location"] == reverse("comms:notifications")
    assert browser.post(reverse("comms:read"), {"notification": "no number"}).status_code == 302
    one.refresh_from_db()
    assert one.read_at is None


def test_what_is_restricted_leaves_the_bell_of_who_has_no_role(
    alice: User, mallory: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    comments.add_comment(actor=alice, ticket=make_ticket("CANARY"), body="@mallory")
    work_off()
    browser = client_of(mallory)
    assert "CANARY" in browser.get(reverse("comms:notifications")).content.decode()
    incident_actions.restrict_incident(actor=alice, incident=incident, restricted=True, reason="Insider")
    assert "CANARY" not in browser.get(reverse("comms:notifications")).content.decode()
    assert 'class="count' not in browser.get(reverse("comms:count")).content.decode()


def test_the_page_asks_the_database_as_often_for_thirty_as_for_three(
    alice: User, bob: User, make_ticket: Make, client_of: Browser, django_assert_max_num_queries: Callable[..., object]
) -> None:
    browser, page = client_of(bob), reverse("comms:notifications")
    browser.get(page)
    for count in (3, 27):
        for number in range(count):
            ticket_actions.assign_ticket(actor=alice, ticket=make_ticket(f"Ticket {number}"), assignee=bob)
        work_off()
        with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
            browser.get(page)
