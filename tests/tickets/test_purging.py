"""Deleting for good: by admins alone, with the number typed; the journal keeps what was, and stays whole."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.test import Client

from core.models import JournalEntry
from core.verify import verify
from incidents.models import Incident
from incidents.queries.journal import lines
from people.models import User
from tests.comms.working import work_off
from tests.uploads import kept
from tickets import checks, clocks
from tickets.actions import attachments, comments, leads
from tickets.actions import tickets as actions
from tickets.actions.purging import delete_branch
from tickets.models import (
    Attachment,
    Blocker,
    Chore,
    Comment,
    Handover,
    HandoverState,
    Ticket,
    TimeEntry,
    Watch,
)

ClientOf = Callable[[User], Client]
MakeTicket = Callable[..., Ticket]


@pytest.fixture
def branch(incident: Incident, alice: User, bob: User, make_ticket: MakeTicket) -> Ticket:
    """#102 with #103 and #104 below it, between #101 and #105, and all that can hang on tickets."""
    make_ticket("Before")
    top = make_ticket("Interview the person", assignee=bob)
    middle = make_ticket("Their laptop", parent=top)
    make_ticket("Its disk", parent=middle)
    after = make_ticket("After", lead=True)
    comments.add_comment(actor=bob, ticket=middle, body="A very **private** matter, @alice.")
    attachments.attach_file(actor=bob, ticket=middle, file=kept("face.png", b"a face"))
    TimeEntry.objects.create(ticket=top, user=bob, minutes=30, day=dt.date(2026, 3, 2))
    Watch.objects.create(ticket=middle, user=alice)
    Blocker.objects.create(ticket=after, by=middle)
    leads.mark_lead(actor=alice, ticket=after, lead=True, origin=middle.number)
    offer = Handover.objects.create(incident=incident, giver=bob, receiver=alice)
    offer.tickets.set([top])
    work_off()
    return Ticket.objects.get(pk=top.pk)


def _url(ticket: Ticket) -> str:
    return f"/incidents/{ticket.incident.number}/tickets/{ticket.number}/delete/"


def _form(**fields: Any) -> dict[str, Any]:
    return {"number": "#102", "reason": "Order 17 of the works council", **fields}


def test_everything_of_the_branch_goes_and_nothing_else(
    incident: Incident, admin_user: User, alice: User, branch: Ticket
) -> None:
    key = Attachment.objects.get().key
    assert alice.notifications.filter(ticket__number=103).exists()
    assert delete_branch(actor=admin_user, ticket=branch, reason="Order 17") == [102, 103, 104]
    rows = Ticket.objects.filter(incident=incident).order_by("lft").values_list("number", "lft", "rght")
    assert list(rows) == [(100, 1, 6), (101, 2, 3), (105, 4, 5)]
    for model in (Comment, Attachment, TimeEntry, Watch, Blocker):
        assert not model._default_manager.exists()
    assert not alice.notifications.filter(ticket__number=103).exists()
    assert Handover.objects.get().state == HandoverState.WITHDRAWN
    assert Ticket.objects.get(number=105).origin_id is None
    assert default_storage.exists(key)
    work_off(Chore)
    assert not default_storage.exists(key)


def test_trees_counts_clocks_and_journal_are_whole_afterwards(
    incident: Incident, admin_user: User, branch: Ticket
) -> None:
    delete_branch(actor=admin_user, ticket=branch, reason="Order 17")
    incident.refresh_from_db()
    assert (incident.tickets_total, incident.tickets_done, incident.leads_total) == (2, 0, 1)
    assert list(checks.broken(incident)) == []
    assert list(clocks.broken(incident)) == []
    assert verify().entries > 0


def test_the_journal_keeps_the_last_state_of_all_that_went(
    incident: Incident, admin_user: User, alice: User, branch: Ticket
) -> None:
    comment, sha = Comment.objects.get(), Attachment.objects.get().sha256
    delete_branch(actor=admin_user, ticket=branch, reason="Order 17")
    entry = JournalEntry.objects.get(verb="ticket.deleted")
    assert (entry.actor_id, entry.data["reason"], entry.data["freed"]) == (admin_user.pk, "Order 17", [105])
    assert entry.data["last"]["103"] == {
        "title": "Their laptop", "status": "open", "assignee": None, "below": 102, "tags": [],
    }  # fmt: skip
    assert entry.data["files"] == [[103, "face.png", 6, sha]]
    assert entry.data["waits"] == [[105, 103]]
    history: Any = Comment.history
    gone = history.get(id=comment.pk, history_type="-")
    assert "private" in gone.body
    assert str(gone.history_id) in entry.history["tickets.HistoricalComment"]
    assert len(entry.history["tickets.HistoricalTicket"]) == 4  # three that went, and the lead that forgot its origin
    [line] = lines([entry], alice)
    assert line.sentence == f"deleted {branch} for good (3 tickets)"


def test_numbers_are_not_given_again(
    incident: Incident, admin_user: User, branch: Ticket, make_ticket: MakeTicket
) -> None:
    delete_branch(actor=admin_user, ticket=branch, reason="Order 17")
    assert make_ticket("Next", incident=Incident.objects.get(pk=incident.pk)).number == 106


def test_who_had_offered_the_tickets_reads_that_the_offer_ended(
    admin_user: User, branch: Ticket, alice: User, bob: User
) -> None:
    delete_branch(actor=admin_user, ticket=branch, reason="Order 17")
    offer = Handover.objects.get()
    entry = JournalEntry.objects.get(verb="handover.withdrawn")
    assert (entry.target_id, entry.data["tickets"], entry.data["reason"]) == (
        str(offer.pk), [102], "Its tickets were deleted.",
    )  # fmt: skip
    assert offer.answer == "Its tickets were deleted."
    [line] = lines([entry], bob)
    assert (line.actor, line.sentence) == ("Admin Example", "took back the offer of #102 to Alice Example")


def test_an_offer_of_other_tickets_as_well_stays(
    admin_user: User, branch: Ticket, alice: User, incident: Incident
) -> None:
    Handover.objects.get().tickets.add(Ticket.objects.get(number=101))
    delete_branch(actor=admin_user, ticket=branch, reason="Order 17")
    offer = Handover.objects.get()
    assert (offer.state, [one.number for one in offer.tickets.all()]) == (HandoverState.OFFERED, [101])


def test_a_ticket_that_waits_for_another_one_as_well_is_not_free(
    admin_user: User, branch: Ticket, make_ticket: MakeTicket
) -> None:
    Blocker.objects.create(ticket=Ticket.objects.get(number=105), by=Ticket.objects.get(number=101))
    delete_branch(actor=admin_user, ticket=branch, reason="Order 17")
    assert "freed" not in JournalEntry.objects.get(verb="ticket.deleted").data


def test_a_wide_and_deep_branch_goes_in_few_queries(
    incident: Incident, admin_user: User, make_ticket: MakeTicket, django_assert_max_num_queries: Any
) -> None:
    top = make_ticket("Top")
    for _ in range(3):
        below = make_ticket("Middle", parent=top)
        for _ in range(4):
            make_ticket("Leaf", parent=below)
    with django_assert_max_num_queries(90):
        assert len(delete_branch(actor=admin_user, ticket=top, reason="Order 17")) == 16
    assert list(checks.broken(Incident.objects.get(pk=incident.pk))) == []


# -- Refusals ---------------------------------------------------------------------------------------------------------
def test_without_a_reason_nothing_goes(admin_user: User, branch: Ticket) -> None:
    with pytest.raises(ValidationError):
        delete_branch(actor=admin_user, ticket=branch, reason="  ")
    assert Ticket.objects.filter(pk=branch.pk).exists()


def test_the_incident_itself_and_what_is_gone_cannot_be_deleted(
    incident: Incident, admin_user: User, branch: Ticket
) -> None:
    with pytest.raises(ValidationError, match="itself"):
        delete_branch(actor=admin_user, ticket=Ticket.objects.get(incident=incident, number=100), reason="Order")
    delete_branch(actor=admin_user, ticket=branch, reason="Order 17")
    with pytest.raises(ValidationError, match="no longer"):
        delete_branch(actor=admin_user, ticket=branch, reason="Order 17")


def test_from_a_closed_incident_only_knowingly(
    incident: Incident, admin_user: User, branch: Ticket, client_of: ClientOf
) -> None:
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    with pytest.raises(ValidationError, match="closed"):
        delete_branch(actor=admin_user, ticket=branch, reason="Order 17")
    admin = client_of(admin_user)
    answer = admin.post(_url(branch), _form())
    assert (answer.status_code, "is closed" in answer.content.decode()) == (422, True)
    assert Ticket.objects.filter(pk=branch.pk).exists()
    assert admin.post(_url(branch), _form(closed="on")).status_code == 302
    assert not Ticket.objects.filter(pk=branch.pk).exists()


def test_the_page_names_what_will_go_and_asks_for_the_number(
    admin_user: User, branch: Ticket, client_of: ClientOf
) -> None:
    admin = client_of(admin_user)
    page = admin.get(_url(branch)).content.decode()
    for words in ("3 tickets", "1 comment,", "1 file ", "1 time entry", "type #102", "cannot be undone"):
        assert words in page, words
    for wrong in ("", "103", "#1o2", "102 103"):
        assert admin.post(_url(branch), _form(number=wrong)).status_code == 422
    assert admin.post(_url(branch), _form(reason="\u200b")).status_code == 422
    assert Ticket.objects.filter(pk=branch.pk).exists()
    answer = admin.post(_url(branch), _form(number=" 102 "), follow=True)
    assert "#102 deleted for good (3 tickets)." in answer.content.decode()
    assert admin.get(_url(branch)).status_code == 404


@pytest.mark.parametrize(
    ("who", "status"), [*((one, 403) for one in ("alice", "bob", "dora", "auditor")), ("eve", 404)]
)
def test_nobody_else_deletes(
    who: str, status: int, request: pytest.FixtureRequest, branch: Ticket, client_of: ClientOf
) -> None:
    browser = client_of(request.getfixturevalue(who))
    assert browser.get(_url(branch)).status_code == status
    assert browser.post(_url(branch), _form()).status_code == status
    assert Ticket.objects.filter(pk=branch.pk).exists()


def test_an_admin_deletes_nothing_that_they_may_not_see(
    secret: Incident, alice: User, admin_user: User, client_of: ClientOf
) -> None:
    ticket = actions.add_ticket(actor=alice, incident=secret, title="Interview")
    answer = client_of(admin_user).post(_url(ticket), {"number": "101", "reason": "Order 17"})
    assert answer.status_code == 404
    assert Ticket.objects.filter(pk=ticket.pk).exists()
