"""Statuses, priorities and targets: named, retired and replaced by admins at /admin/."""

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from core.actors import SYSTEM
from core.models import JournalEntry
from core.models.work import WorkState
from core.verify import verify
from incidents.models import Incident
from incidents.queries.journal import lines
from people.models import User
from tests.comms.working import work_off
from tickets import clocks, tasks
from tickets.actions import tickets as actions
from tickets.actions import undo, vocabulary
from tickets.models import Category, Chore, ClockTarget, Ticket, TicketPriority, TicketStatus

ClientOf = Callable[[User], Client]
MakeTicket = Callable[..., Ticket]
STATUS, PRIORITY = "/admin/tickets/ticketstatus/", "/admin/tickets/ticketpriority/"
TARGET = "/admin/tickets/clocktarget/"


@pytest.fixture
def review(db: None) -> TicketStatus:
    return TicketStatus.objects.create(code="review", name="In review", category=Category.DOING, position=25)


@pytest.fixture
def burning(db: None) -> TicketPriority:
    return TicketPriority.objects.create(code="burning", name="Burning", urgency=50)


def first(category: Category) -> TicketStatus:
    return TicketStatus.objects.filter(category=category).earliest("position")


def test_an_admin_adds_a_status_that_tickets_can_then_be_given(
    client_of: ClientOf, admin_user: User, alice: User, make_ticket: MakeTicket
) -> None:
    form = {"name": "In review", "code": "review", "category": "doing", "position": "25", "active": "on"}
    assert client_of(admin_user).post(f"{STATUS}add/", form).status_code == 302
    ticket = actions.set_status(actor=alice, ticket=make_ticket(), status="review")
    assert (ticket.category, ticket.status_words) == (Category.DOING, "In review")
    assert JournalEntry.objects.get(verb="ticketstatus.added").actor_id == admin_user.pk


@pytest.mark.parametrize("code", ["In Review", "9th", "x" * 21, "réview", "done"])
def test_a_code_is_short_plain_and_its_own(client_of: ClientOf, admin_user: User, code: str) -> None:
    form = {"name": "In review", "code": code, "category": "doing", "position": "25", "active": "on"}
    assert client_of(admin_user).post(f"{STATUS}add/", form).status_code == 200
    assert TicketStatus.objects.count() == 5


def test_a_status_is_renamed_and_the_journal_keeps_the_name_it_had(
    client_of: ClientOf, admin_user: User, alice: User, make_ticket: MakeTicket, review: TicketStatus
) -> None:
    ticket = actions.set_status(actor=alice, ticket=make_ticket(), status="review")
    actions.set_status(actor=alice, ticket=ticket, status="done")
    form = {"name": "Second look", "position": "25", "active": "on", "code": "other", "category": "todo"}
    client_of(admin_user).post(f"{STATUS}{review.pk}/change/", form)
    review.refresh_from_db()
    assert (review.name, review.code) == ("Second look", "review")
    entries = list(JournalEntry.objects.filter(verb="ticket.status_changed").order_by("seq"))
    assert [line.sentence for line in lines(entries, alice)] == [f"set {ticket} to In review", f"set {ticket} to Done"]
    [status] = [change for change in lines(entries, alice)[1].changes if change.field == "status"]
    assert (status.old, status.new) == ("In review", "Done")


def test_what_a_status_means_is_fixed_once_a_ticket_has_it(
    client_of: ClientOf, admin_user: User, alice: User, make_ticket: MakeTicket, review: TicketStatus
) -> None:
    admin, url = client_of(admin_user), f"{STATUS}{review.pk}/change/"
    form = {"name": "In review", "position": "25", "active": "on", "category": "blocked"}
    admin.post(url, form)
    review.refresh_from_db()
    assert review.category == Category.BLOCKED
    actions.set_status(actor=alice, ticket=make_ticket(), status="review", waiting_for="Dora")
    admin.post(url, {**form, "category": "doing"})
    review.refresh_from_db()
    assert review.category == Category.BLOCKED
    assert "In use. It can be deleted once it is replaced." in admin.get(url).content.decode()


@pytest.mark.parametrize("category", list(Category))
def test_the_five_first_statuses_can_be_renamed_and_nothing_else(
    client_of: ClientOf, admin_user: User, category: Category
) -> None:
    admin, word = client_of(admin_user), first(category)
    url = f"{STATUS}{word.pk}/"
    answer = admin.post(f"{url}change/", {"name": "Other", "position": "1", "category": "todo"})
    assert "always stays" in answer.content.decode()
    assert admin.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    by = TicketStatus.objects.create(code="new", name="New", category=category)
    assert "stays" in admin.post(f"{url}replace/", {"by": by.pk}).content.decode()
    admin.post(f"{url}change/", {"name": "Other", "position": "1", "category": "todo", "active": "on"})
    word.refresh_from_db()
    assert (word.name, word.category, word.active) == ("Other", category, True)
    assert Chore.objects.count() == 0


def test_normal_stays(client_of: ClientOf, admin_user: User, burning: TicketPriority) -> None:
    admin, word = client_of(admin_user), TicketPriority.objects.get(code="normal")
    assert admin.post(f"{PRIORITY}{word.pk}/delete/", {"post": "yes"}).status_code == 403
    answer = admin.post(f"{PRIORITY}{word.pk}/replace/", {"by": burning.pk})
    assert (answer.status_code, "stays" in answer.content.decode()) == (422, True)
    assert "always stays" in admin.post(f"{PRIORITY}{word.pk}/change/", {"name": "N", "urgency": "1"}).content.decode()


def test_a_retired_status_is_given_no_more_but_stays_where_it_is(
    client_of: ClientOf, admin_user: User, alice: User, make_ticket: MakeTicket, review: TicketStatus
) -> None:
    ticket = actions.set_status(actor=alice, ticket=make_ticket(), status="review")
    client_of(admin_user).post(f"{STATUS}{review.pk}/change/", {"name": "In review", "position": "25"})
    assert Ticket.objects.get(pk=ticket.pk).status == "review"
    with pytest.raises(ValidationError):
        actions.set_status(actor=alice, ticket=make_ticket(), status="review")


def test_a_drop_is_not_taken_back_into_a_status_that_is_given_no_more(
    admin_user: User, alice: User, make_ticket: MakeTicket, review: TicketStatus
) -> None:
    ticket = actions.set_status(actor=alice, ticket=make_ticket(), status="review")
    actions.drop_branch(actor=alice, ticket=ticket, reason="A false alarm")
    entry = JournalEntry.objects.get(verb="ticket.branch_dropped")
    vocabulary.replace_status(actor=admin_user, status=review, by=first(Category.DOING))
    with pytest.raises(ValidationError, match="no longer given"):
        undo.undo_change(actor=alice, ticket=ticket, entry=entry)
    assert Ticket.objects.get(pk=ticket.pk).category == Category.DROPPED


# -- Replacing --------------------------------------------------------------------------------------------------------
def test_a_status_in_use_is_replaced_and_then_deleted(
    client_of: ClientOf, admin_user: User, alice: User, incident: Incident, make_ticket: MakeTicket,
    make_incident: Callable[..., Incident], review: TicketStatus,
) -> None:  # fmt: skip
    admin, url = client_of(admin_user), f"{STATUS}{review.pk}/"
    mine = [actions.set_status(actor=alice, ticket=make_ticket(), status="review") for _ in range(2)]
    other = make_incident("Phishing wave")
    closed = actions.set_status(actor=alice, ticket=make_ticket(incident=other), status="review")
    Incident.objects.filter(pk=other.pk).update(status="closed")
    assert admin.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert "Tickets have In review." in admin.get(f"{url}replace/").content.decode()
    answer = admin.post(f"{url}replace/", {"by": first(Category.DOING).pk}, follow=True)
    assert "Its tickets get In progress instead" in answer.content.decode()
    with pytest.raises(ValidationError):
        actions.set_status(actor=alice, ticket=make_ticket(), status="review")
    work_off(Chore)
    for ticket in (*mine, closed):
        now = Ticket.objects.get(pk=ticket.pk)
        assert (now.status, now.category, now.version) == ("doing", Category.DOING, ticket.version + 1)
    entry = JournalEntry.objects.get(verb="ticket.restated", stream=incident.journal_stream)
    assert (entry.data["tickets"], entry.actor_id) == ([one.number for one in mine], admin_user.pk)
    assert lines([entry], alice)[0].sentence == "replaced the status “In review” by “In progress” (2 tickets)"
    assert JournalEntry.objects.filter(verb="ticket.restated").count() == 2
    admin.post(f"{url}delete/", {"post": "yes"})
    assert not TicketStatus.objects.filter(code="review").exists()
    assert verify().entries > 0
    assert list(clocks.broken(incident)) == []


def test_a_status_is_replaced_only_by_one_that_means_the_same(
    client_of: ClientOf, admin_user: User, review: TicketStatus
) -> None:
    admin, url = client_of(admin_user), f"{STATUS}{review.pk}/replace/"
    for by in (first(Category.DONE), review):
        assert admin.post(url, {"by": by.pk}).status_code == 422
        with pytest.raises(ValidationError):
            vocabulary.replace_status(actor=admin_user, status=review, by=by)
    retired = TicketStatus.objects.create(code="old", name="Old", category=Category.DOING, active=False)
    with pytest.raises(ValidationError, match="no longer given"):
        vocabulary.replace_status(actor=admin_user, status=review, by=retired)
    assert admin.post(url, {"by": "\x00"}).status_code == 422
    assert TicketStatus.objects.get(code="review").active
    assert Chore.objects.count() == 0


def test_replacing_goes_on_where_a_dead_worker_left_it(
    admin_user: User, alice: User, make_ticket: MakeTicket, review: TicketStatus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "MOST_RESTATED", 2)
    for _ in range(5):
        actions.set_status(actor=alice, ticket=make_ticket(), status="review")
    incident = Incident.objects.get()
    chore = vocabulary.replace_status(actor=admin_user, status=review, by=first(Category.DOING))
    vocabulary.restate_tickets(actor=admin_user, incident=incident, old=review, by=first(Category.DOING))  # and it died
    tasks.do_chore(chore.pk)
    tasks.do_chore(chore.pk)
    chore.refresh_from_db()
    assert chore.state == WorkState.DONE
    assert not Ticket.objects.filter(status="review").exists()
    restated = JournalEntry.objects.filter(verb="ticket.restated").values_list("data", flat=True)
    assert sorted(len(data["tickets"]) for data in restated) == [1, 2, 2]
    assert sorted(number for data in restated for number in data["tickets"]) == [101, 102, 103, 104, 105]


@pytest.fixture
def second(db: None) -> TicketStatus:
    return TicketStatus.objects.create(code="second", name="Second look", category=Category.DOING, position=26)


def done(chore: Chore) -> Chore:
    tasks.do_chore(chore.pk)
    chore.refresh_from_db()
    return chore


def test_a_word_stays_what_it_is_while_tickets_are_on_their_way_from_or_to_it(
    client_of: ClientOf, admin_user: User, alice: User, make_ticket: MakeTicket, review: TicketStatus,
    second: TicketStatus,
) -> None:  # fmt: skip
    admin = client_of(admin_user)
    actions.set_status(actor=alice, ticket=make_ticket(), status="review")
    vocabulary.replace_status(actor=admin_user, status=review, by=second)
    same = {"position": "25", "category": "doing"}
    for word, active in ((review, {"active": "on"}), (second, {})):
        url = f"{STATUS}{word.pk}/"
        answer = admin.post(f"{url}change/", {**same, **active, "name": word.name})
        assert "Tickets are still being moved" in answer.content.decode()
        assert admin.post(f"{url}delete/", {"post": "yes"}).status_code == 403
        assert admin.post(f"{url}replace/", {"by": first(Category.DOING).pk}).status_code == 422
        with pytest.raises(ValidationError, match="still being moved"):
            vocabulary.replace_status(actor=admin_user, status=word, by=first(Category.DOING))
    form = {"name": "Look again", "position": "27", "category": "todo", "active": "on"}
    admin.post(f"{STATUS}{second.pk}/change/", form)
    second.refresh_from_db()
    assert (second.name, second.category, second.active) == ("Look again", Category.DOING, True)
    review.refresh_from_db()
    assert not review.active
    work_off(Chore)
    assert admin.post(f"{STATUS}{review.pk}/delete/", {"post": "yes"}).status_code == 302
    vocabulary.replace_status(actor=admin_user, status=second, by=first(Category.DOING))


def test_tickets_go_on_to_where_the_word_they_were_to_get_was_replaced_by(
    admin_user: User, alice: User, make_ticket: MakeTicket, review: TicketStatus, second: TicketStatus
) -> None:
    ticket = actions.set_status(actor=alice, ticket=make_ticket(), status="review")
    early = vocabulary.replace_status(actor=admin_user, status=review, by=second)
    TicketStatus.objects.filter(pk=second.pk).update(active=False)
    late = Chore.objects.create(kind="status", data={"from": "second", "to": "doing"})
    assert done(late).state == WorkState.DONE
    assert done(early).state == WorkState.DONE
    assert Ticket.objects.get(pk=ticket.pk).status == "doing"


@pytest.mark.parametrize(
    ("word", "fields", "said"),
    [
        ("review", {"active": True}, "given again"), ("second", {"active": False}, "replace In review once more"),
        ("second", {"category": "done"}, "replace In review once more"), ("review", None, "gone"),
        ("second", None, "replace In review once more"),
    ],
)  # fmt: skip
def test_a_replacement_that_makes_no_sense_any_more_ends_and_says_why(
    admin_user: User, alice: User, make_ticket: MakeTicket, review: TicketStatus, second: TicketStatus, word: str,
    fields: dict[str, Any] | None, said: str,
) -> None:  # fmt: skip
    ticket = actions.set_status(actor=alice, ticket=make_ticket(), status="review")
    chore = vocabulary.replace_status(actor=admin_user, status=review, by=second)
    rows = TicketStatus.objects.filter(code=word)
    rows.delete() if fields is None else rows.update(**fields)
    assert (done(chore).state, said in chore.error) == (WorkState.FAILED, True)
    assert Ticket.objects.get(pk=ticket.pk).status == "review"
    if word == "second":  # an admin replaces it once more
        work_off(Chore)
        again = vocabulary.replace_status(actor=admin_user, status=review, by=first(Category.DOING))
        assert done(again).state == WorkState.DONE
        assert Ticket.objects.get(pk=ticket.pk).status == "doing"


def test_a_ticket_that_was_given_the_word_while_it_was_retired_is_found_a_minute_later(
    client_of: ClientOf, admin_user: User, make_ticket: MakeTicket, review: TicketStatus
) -> None:
    began = timezone.now()
    chore = vocabulary.replace_status(actor=admin_user, status=review, by=first(Category.DOING))
    assert done(chore).state == WorkState.DONE
    ticket = make_ticket()
    Ticket.objects.filter(pk=ticket.pk).update(status="review", category="doing")  # by who had read it before
    again = Chore.objects.get(state=WorkState.QUEUED)
    assert again.due >= began + dt.timedelta(seconds=60)
    assert client_of(admin_user).post(f"{STATUS}{review.pk}/delete/", {"post": "yes"}).status_code == 403
    assert done(again).state == WorkState.DONE
    assert Ticket.objects.get(pk=ticket.pk).status == "doing"
    assert not Chore.objects.filter(state=WorkState.QUEUED).exists()


def test_a_status_that_is_deleted_while_somebody_chooses_it_is_refused(
    admin_user: User, review: TicketStatus, second: TicketStatus
) -> None:
    TicketStatus.objects.filter(pk=second.pk).delete()
    with pytest.raises(ValidationError, match="somebody deleted it"):
        vocabulary.replace_status(actor=admin_user, status=review, by=second)


def test_admins_see_that_words_are_in_use_and_not_how_often(
    client_of: ClientOf, admin_user: User, make_ticket: MakeTicket, review: TicketStatus
) -> None:
    """How many there are would tell of restricted incidents."""
    admin = client_of(admin_user)
    said = {}
    for many in (1, 2):
        for _ in range(many):
            make_ticket()
        said[many] = [
            re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"|nonce="[^"]*"', "", admin.get(url).content.decode())
            for url in (STATUS, PRIORITY, f"{STATUS}{first(Category.TODO).pk}/change/")
        ]
    assert said[1] == said[2]
    assert "In use." in said[1][0]
    assert "Not in use. It can be deleted." in said[1][0]


def test_a_priority_in_use_is_replaced_with_urgency_and_clock(
    client_of: ClientOf, admin_user: User, alice: User, incident: Incident, make_ticket: MakeTicket,
    burning: TicketPriority,
) -> None:  # fmt: skip
    admin, url = client_of(admin_user), f"{PRIORITY}{burning.pk}/"
    ticket = make_ticket(priority="burning")
    assert ticket.finish_by is None
    ended = actions.set_status(actor=alice, ticket=make_ticket(priority="burning"), status="done")
    admin.post(f"{url}replace/", {"by": TicketPriority.objects.get(code="urgent").pk})
    work_off(Chore)
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.priority, now.urgency) == ("urgent", 40)
    assert now.start_by == now.created_at + clocks.target_of(incident, "urgent").start  # type: ignore[operator]
    kept = Ticket.objects.get(pk=ended.pk)
    assert (kept.priority, kept.clock_state, kept.finish_by) == ("urgent", "", None)
    assert Incident.objects.get(pk=incident.pk).next_due_at == now.clock_at
    ClockTarget.objects.create(severity="high", priority="burning", finish_minutes=5)
    assert admin.post(f"{url}delete/", {"post": "yes"}).status_code == 403
    assert "once its clock targets are" in admin.get(f"{url}change/").content.decode()
    ClockTarget.objects.filter(priority="burning").delete()
    assert admin.post(f"{url}delete/", {"post": "yes"}).status_code == 302
    assert not TicketPriority.objects.filter(code="burning").exists()


def test_the_journal_says_whose_clock_turned_when_a_priority_was_replaced(
    admin_user: User, make_ticket: MakeTicket, burning: TicketPriority
) -> None:
    late, calm = make_ticket(priority="burning"), make_ticket(priority="burning")
    ended = timezone.now() - dt.timedelta(days=30)
    Ticket.objects.filter(pk=late.pk).update(created_at=ended)
    ClockTarget.objects.filter(priority="urgent").update(finish_minutes=60, start_minutes=None)
    by = TicketPriority.objects.get(code="urgent")
    assert done(vocabulary.replace_priority(actor=admin_user, priority=burning, by=by)).state == WorkState.DONE
    entry = JournalEntry.objects.get(verb="ticket.restated")
    assert entry.data["tickets"] == [late.number, calm.number]
    assert entry.data["clocks"] == {str(late.number): ["", "breached"], str(calm.number): ["", "on_track"]}


def test_an_urgency_that_is_changed_twice_is_followed_to_the_second(
    incident: Incident, make_ticket: MakeTicket, burning: TicketPriority
) -> None:
    ticket = make_ticket(priority="burning")
    TicketPriority.objects.filter(pk=burning.pk).update(urgency=7)
    assert burning.urgency == 50
    vocabulary.follow_urgency(actor=SYSTEM, incident=incident, priority=burning)
    assert Ticket.objects.get(pk=ticket.pk).urgency == 7
    by = TicketPriority.objects.get(code="urgent")
    TicketPriority.objects.filter(pk=by.pk).update(urgency=33)
    vocabulary.prioritise_tickets(actor=SYSTEM, incident=incident, old=burning, by=by)
    assert Ticket.objects.get(pk=ticket.pk).urgency == 33


def test_another_urgency_reaches_the_tickets(
    client_of: ClientOf, admin_user: User, make_ticket: MakeTicket, burning: TicketPriority
) -> None:
    ticket = make_ticket(priority="burning")
    client_of(admin_user).post(f"{PRIORITY}{burning.pk}/change/", {"name": "Burning", "urgency": "5", "active": "on"})
    work_off()
    now = Ticket.objects.get(pk=ticket.pk)
    assert (now.urgency, now.version) == (5, ticket.version)


# -- Targets ----------------------------------------------------------------------------------------------------------
def test_another_target_winds_the_open_tickets_it_is_for(
    client_of: ClientOf, admin_user: User, incident: Incident, make_ticket: MakeTicket,
    make_incident: Callable[..., Incident],
) -> None:  # fmt: skip
    normal, low = make_ticket(), make_ticket(priority="low")
    other = make_ticket(incident=make_incident("Phishing wave", severity="high"))
    target = ClockTarget.objects.get(severity=incident.severity, priority="normal")
    admin = client_of(admin_user)
    admin.post(f"{TARGET}{target.pk}/change/", {"start_minutes": "", "finish_minutes": "90"})
    work_off()
    now = Ticket.objects.get(pk=normal.pk)
    assert (now.start_by, now.finish_by) == (None, now.created_at + dt.timedelta(minutes=90))
    assert [Ticket.objects.get(pk=one.pk).finish_by for one in (low, other)] == [low.finish_by, other.finish_by]
    entry = JournalEntry.objects.get(verb="ticket.clocks_wound")
    assert entry.data["tickets"] == [normal.number]
    admin.post(f"{TARGET}{target.pk}/delete/", {"post": "yes"})
    work_off()
    assert Ticket.objects.get(pk=normal.pk).clock_state == ""
    assert list(clocks.broken(incident)) == []


def test_targets_are_listed_as_people_say_them(client_of: ClientOf, admin_user: User) -> None:
    page = client_of(admin_user).get(f"{TARGET}?severity__exact=critical").content.decode()
    assert "Urgent" in page
    assert "15m" in page
    assert client_of(admin_user).get(f"{TARGET}add/").content.decode().count("<option") >= 8


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"start_minutes": "90", "finish_minutes": "60"}, "starts before it is finished"),
        ({"start_minutes": "", "finish_minutes": ""}, "Say how many minutes"),
        ({"priority": "nonsense", "finish_minutes": "60"}, "Select a valid choice"),
        ({"priority": "urgent", "finish_minutes": "60"}, "already exists"),
        ({"finish_minutes": "-1"}, "greater than or equal to 0"),
        ({"finish_minutes": "0"}, "between one minute and a year"),
        ({"finish_minutes": "99999999999"}, "between one minute and a year"),
    ],
)
def test_a_target_that_makes_no_sense_is_refused(
    client_of: ClientOf, admin_user: User, burning: TicketPriority, fields: dict[str, str], said: str
) -> None:
    form = {"severity": "high", "priority": "burning", "start_minutes": "", "finish_minutes": "", **fields}
    answer = client_of(admin_user).post(f"{TARGET}add/", form)
    assert said in answer.content.decode()
    assert ClockTarget.objects.count() == 16


@pytest.mark.parametrize("who", ["alice", "dora", "auditor", "eve"])
def test_others_change_no_words(
    who: str, request: pytest.FixtureRequest, client_of: ClientOf, review: TicketStatus
) -> None:
    browser = client_of(request.getfixturevalue(who))
    for url in (f"{STATUS}{review.pk}/replace/", f"{STATUS}{review.pk}/change/", f"{STATUS}add/", TARGET, PRIORITY):
        answer = browser.post(url, {"by": first(Category.DOING).pk, "name": "Mine"})
        assert answer.status_code in (302, 403)
    review.refresh_from_db()
    assert (review.name, review.active) == ("In review", True)
    assert Chore.objects.count() == 0
