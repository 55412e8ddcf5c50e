"""Statuses, priorities and targets: named, retired and replaced by admins at /admin/."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

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
    assert "1. It can be deleted once it is replaced." in admin.get(url).content.decode()


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
    assert "3 tickets" in admin.get(f"{url}replace/").content.decode()
    answer = admin.post(f"{url}replace/", {"by": first(Category.DOING).pk}, follow=True)
    assert "3 tickets get In progress instead" in answer.content.decode()
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


def test_a_status_deleted_before_its_chore_leaves_nothing_to_do(admin_user: User, review: TicketStatus) -> None:
    chore = vocabulary.replace_status(actor=admin_user, status=review, by=first(Category.DOING))
    review.delete()
    tasks.do_chore(chore.pk)
    chore.refresh_from_db()
    assert chore.state == WorkState.DONE


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
