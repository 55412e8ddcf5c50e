"""Handing tickets over: offered, and somebody else's only once they accept."""

from collections.abc import Callable

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from comms.models import Kind, Notification
from core.models import JournalEntry
from core.verify import verify
from incidents.actions import team
from incidents.models import Incident, Role, RoleAssignment
from incidents.queries.journal import lines
from people.actions import people
from people.models import User
from tests.comms.working import work_off
from tickets.actions import handovers, merging
from tickets.actions import tickets as actions
from tickets.models import Handover, Ticket
from tickets.queries.handovers import offer_of, offerable

HTMX = {"HX-Request": "true"}
Make = Callable[..., Ticket]
Browser = Callable[..., Client]


@pytest.fixture
def given(make_ticket: Make, bob: User) -> list[Ticket]:
    """Three open tickets of Bob's."""
    return [make_ticket(title, assignee=bob) for title in ("Image the disk", "Pull the logs", "Call the bank")]


@pytest.fixture
def offer(given: list[Ticket], incident: Incident, bob: User, alice: User) -> Handover:
    """Bob offers Alice #101 and #102."""
    return handovers.hand_over(actor=bob, incident=incident, numbers=[101, 102], receiver=alice, note="**Half** done")


def owner(number: int) -> str:
    found = Ticket.objects.select_related("assignee").get(number=number)
    return found.assignee.username if found.assignee else ""


def state(offer: Handover) -> str:
    return Handover.objects.get(pk=offer.pk).state


def told(user: User) -> list[str]:
    return [one.text for one in Notification.objects.visible_to(user).filter(kind=Kind.HANDOVER)]


def said(verb: str, reader: User) -> str:
    entry = JournalEntry.objects.filter(verb=verb).latest("pk")
    (line,) = lines([entry], reader)
    return f"{line.actor} {line.sentence}"


# -- What happens -----------------------------------------------------------------------------------------------------
def test_until_alice_accepts_the_tickets_stay_bobs(offer, alice) -> None:
    assert [owner(101), owner(102)] == ["bob", "bob"]
    found = offer_of(Ticket.objects.get(number=101))
    assert found is not None
    assert (found.pk, str(found.giver), str(found.receiver)) == (offer.pk, "Bob Example", "Alice Example")
    assert said("handover.offered", alice) == "Bob Example offered #101, #102 to Alice Example"


def test_alice_accepts_and_each_ticket_tells_of_it(offer, alice, bob) -> None:
    taken = handovers.accept_handover(actor=alice, handover=offer)
    assert (taken.taken, taken.left, state(offer)) == ([101, 102], [], "accepted")
    assert [owner(101), owner(102), owner(103)] == ["alice", "alice", "bob"]
    assert offer_of(Ticket.objects.get(number=101)) is None
    assert said("ticket.assigned", bob) == "Alice Example took over #102 Pull the logs from Bob Example"
    assert said("handover.accepted", bob) == "Alice Example accepted what Bob Example offered: #101, #102"
    ticket = Ticket.objects.get(number=101)
    own = JournalEntry.objects.filter(target_type="tickets.Ticket", target_id=str(ticket.pk), verb="ticket.assigned")
    assert own.get().data["handover"] == offer.pk
    verify()  # raises where an entry or a row of history is not as it was sealed


def test_what_ended_or_went_elsewhere_meanwhile_is_named_and_stays(offer, alice, bob, incident) -> None:
    team.assign_role(actor=alice, incident=incident, user=User.objects.get(username="carol"), role=Role.MEMBER)
    actions.assign_ticket(
        actor=alice, ticket=Ticket.objects.get(number=102), assignee=User.objects.get(username="carol")
    )
    taken = handovers.accept_handover(actor=alice, handover=offer)
    assert (taken.taken, taken.left) == ([101], [102])
    assert owner(102) == "carol"


def test_an_ended_ticket_is_left_out_of_the_offer(given, incident, bob, alice) -> None:
    actions.set_status(actor=bob, ticket=given[0], status="done")
    offer = handovers.hand_over(actor=bob, incident=incident, numbers=[101, 102], receiver=alice, note="")
    assert list(offer.tickets.values_list("number", flat=True)) == [102]


def test_alice_declines_and_says_why(offer, alice, bob) -> None:
    handovers.decline_handover(actor=alice, handover=offer, answer="On holiday from tomorrow")
    work_off()
    assert (state(offer), owner(101)) == ("declined", "bob")
    assert told(bob) == ["Alice Example does not take over #101, #102: On holiday from tomorrow"]


def test_bob_takes_his_offer_back_and_may_offer_again(offer, bob, alice, incident) -> None:
    handovers.withdraw_handover(actor=bob, handover=offer)
    assert state(offer) == "withdrawn"
    assert handovers.hand_over(actor=bob, incident=incident, numbers=[101], receiver=alice, note="").pk != offer.pk


def test_alice_hears_of_the_offer_by_bell_and_mail_and_bob_of_her_answer(offer, alice, bob) -> None:
    work_off()
    mail_of_alice = [one.subject for one in mail.outbox if one.to == [alice.email] and "offers you" in one.subject]
    assert told(alice) == ["Bob Example offers you #101, #102"]
    assert len(mail_of_alice) == 1
    handovers.accept_handover(actor=alice, handover=offer)
    work_off()
    assert told(bob) == ["Alice Example took over #101, #102"]
    assert told(alice) == ["Bob Example offers you #101, #102"]  # not of her own answer


def test_a_lead_hands_over_what_bob_left_behind_and_bob_is_told(given, incident, alice, bob, carol) -> None:
    team.assign_role(actor=alice, incident=incident, user=carol, role=Role.MEMBER)
    handovers.hand_over(actor=alice, incident=incident, numbers=[101], receiver=carol, note="", giver=bob)
    work_off()
    assert told(bob) == ["Alice Example offers your #101 to Carol Example"]
    assert told(carol) == ["Alice Example offers you #101"]


# -- Refusals ---------------------------------------------------------------------------------------------------------
def refused(message: str, **what: object) -> None:
    with pytest.raises(ValidationError, match=message):
        handovers.hand_over(**{"note": "", **what})  # type: ignore[arg-type]
    assert Handover.objects.count() == 0


def test_who_only_observes_cannot_receive_and_the_message_says_what_to_do(given, incident, bob, carol, mallory) -> None:
    refused("adds them to the team first", actor=bob, incident=incident, numbers=[101], receiver=carol)
    refused("adds them to the team first", actor=bob, incident=incident, numbers=[101], receiver=mallory)


def test_nobody_hands_over_to_themselves(given, incident, bob) -> None:
    refused("already", actor=bob, incident=incident, numbers=[101], receiver=bob)


def test_tickets_of_somebody_else_and_of_another_incident_are_refused(
    given, incident, secret, alice, bob, make_ticket
) -> None:
    make_ticket("Alice's own", assignee=alice)
    refused("Not Bob Example's", actor=bob, incident=incident, numbers=[101, 104], receiver=alice)
    refused("No longer in this incident: #105", actor=bob, incident=incident, numbers=[101, 105], receiver=alice)
    refused("No longer", actor=bob, incident=secret, numbers=[101], receiver=alice)


def test_what_has_ended_cannot_be_handed_over(given, incident, alice, bob) -> None:
    actions.set_status(actor=bob, ticket=given[0], status="done")
    refused("nothing to hand over", actor=bob, incident=incident, numbers=[101], receiver=alice)
    refused("nothing to hand over", actor=bob, incident=incident, numbers=[], receiver=alice)


def test_a_ticket_waits_in_one_offer_only(offer, incident, alice, bob) -> None:
    with pytest.raises(ValidationError, match="#101 is offered to Alice Example already"):
        handovers.hand_over(actor=bob, incident=incident, numbers=[101, 103], receiver=alice, note="")
    assert offerable(incident, bob) == [103]


@pytest.mark.parametrize("first", ["accept", "decline", "withdraw"])
def test_an_offer_is_answered_once(first, offer, alice, bob) -> None:
    def answer(which: str) -> None:
        if which == "accept":
            handovers.accept_handover(actor=alice, handover=offer)
        elif which == "decline":
            handovers.decline_handover(actor=alice, handover=offer, answer="No")
        else:
            handovers.withdraw_handover(actor=bob, handover=offer)

    answer(first)
    before = (state(offer), owner(101), JournalEntry.objects.count())
    for second in ("accept", "decline", "withdraw"):  # each with the offer as it was before
        with pytest.raises(ValidationError, match="answered before"):
            answer(second)
    assert (state(offer), owner(101), JournalEntry.objects.count()) == before


def test_declining_without_a_word_is_refused(offer, alice) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        handovers.decline_handover(actor=alice, handover=offer, answer="  ")
    assert state(offer) == "offered"


def test_who_lost_their_role_cannot_accept(offer, incident, alice, bob, carol) -> None:
    team.assign_role(actor=alice, incident=incident, user=carol, role=Role.COMMANDER)
    team.end_role(actor=carol, assignment=RoleAssignment.objects.get(incident=incident, user=alice, until=None))
    with pytest.raises(ValidationError, match="cannot work"):
        handovers.accept_handover(actor=alice, handover=offer)
    assert owner(101) == "bob"


# -- What ends an offer by itself -------------------------------------------------------------------------------------
def close(incident: Incident) -> None:
    Incident.objects.filter(pk=incident.pk).update(status="closed")


def test_a_closed_incident_takes_no_offers_and_no_answers(offer, incident, alice, bob) -> None:
    close(incident)
    with pytest.raises(ValidationError, match="closed"):
        handovers.hand_over(actor=bob, incident=incident, numbers=[103], receiver=alice, note="")
    for answer in (
        lambda: handovers.accept_handover(actor=alice, handover=offer),
        lambda: handovers.decline_handover(actor=alice, handover=offer, answer="No"),
        lambda: handovers.withdraw_handover(actor=bob, handover=offer),
    ):
        with pytest.raises(ValidationError, match="closed"):
            answer()
    assert state(offer) == "offered"


def test_a_merge_takes_waiting_offers_back_and_says_why(offer, incident, make_incident, alice, bob) -> None:
    target = make_incident("Phishing wave")
    merging.merge_incidents(actor=alice, source=incident, target=target, reason="The same mail")
    work_off()
    assert state(offer) == "withdrawn"
    assert said("handover.withdrawn", bob) == "Treeline took back the offer of #102, #103 to Alice Example"
    assert Handover.objects.get(pk=offer.pk).answer == "The incident was merged."


def test_disabling_the_receiver_takes_the_offer_back_and_the_giver_hears_why(offer, alice, bob, admin_user) -> None:
    people.disable(actor=admin_user, person=alice)
    work_off()
    assert state(offer) == "withdrawn"
    assert told(bob) == [
        "Your offer of #101, #102 to Alice Example was taken back: The receiver's account was disabled."
    ]


def test_what_a_disabled_person_offered_can_still_be_accepted(offer, alice, bob, admin_user) -> None:
    people.disable(actor=admin_user, person=bob)
    work_off()
    handovers.accept_handover(actor=alice, handover=offer)
    assert owner(101) == "alice"


def test_an_offer_ends_with_the_receivers_role(given, incident, alice, bob, carol) -> None:
    team.assign_role(actor=alice, incident=incident, user=carol, role=Role.MEMBER)
    offer = handovers.hand_over(actor=bob, incident=incident, numbers=[101], receiver=carol, note="")
    team.end_role(actor=alice, assignment=RoleAssignment.objects.get(incident=incident, user=carol, until=None))
    work_off()
    assert (state(offer), Handover.objects.get().answer) == ("withdrawn", "The receiver has left the team.")


# -- At the door ------------------------------------------------------------------------------------------------------
@pytest.fixture
def base(incident: Incident) -> str:
    return f"/incidents/{incident.number}/"


def test_bob_hands_over_all_of_his_in_one_go(given, base, bob, alice, client_of: Browser) -> None:
    page = client_of(bob).get(f"{base}tickets/101/handover/")
    assert "All 3 open tickets of Bob Example" in page.content.decode()
    response = client_of(bob).post(
        f"{base}tickets/101/handover/", {"giver": bob.pk, "receiver": alice.pk, "what": "all", "note": "Nights"}
    )
    assert response.status_code == 302
    assert sorted(Handover.objects.get().tickets.values_list("number", flat=True)) == [101, 102, 103]


def test_a_receiver_outside_the_team_is_named_as_the_problem(given, base, bob, mallory, client_of: Browser) -> None:
    sent = {"giver": bob.pk, "receiver": mallory.pk, "what": "one"}
    response = client_of(bob).post(f"{base}tickets/101/handover/", sent)
    assert response.status_code == 422
    assert "adds them to the team first" in response.content.decode()
    assert Handover.objects.count() == 0


def test_bob_cannot_offer_what_is_alices_but_alice_can_offer_what_is_bobs(
    given, base, alice, bob, carol, incident, make_ticket, client_of: Browser
) -> None:
    make_ticket("Alice's own", assignee=alice)
    assert client_of(bob).post(f"{base}tickets/104/handover/", {"receiver": bob.pk, "what": "one"}).status_code == 403
    team.assign_role(actor=alice, incident=incident, user=carol, role=Role.MEMBER)
    sent = {"giver": bob.pk, "receiver": carol.pk, "what": "one"}
    posted = client_of(alice).post(f"{base}tickets/101/handover/", sent)
    assert (posted.status_code, Handover.objects.get().giver) == (302, bob)


def test_alice_does_not_offer_carols_work_by_a_form_about_bobs(
    given, base, alice, bob, carol, incident, make_ticket, client_of: Browser
) -> None:
    team.assign_role(actor=alice, incident=incident, user=carol, role=Role.MEMBER)
    make_ticket("Carol's own", assignee=carol)
    url, hers = f"{base}tickets/101/handover/", client_of(alice)
    assert f'name="giver" value="{bob.pk}"' in hers.get(url).content.decode()
    actions.assign_ticket(actor=bob, ticket=Ticket.objects.get(number=101), assignee=carol)
    sent = {"giver": bob.pk, "receiver": alice.pk, "what": "all", "note": "Nights"}
    refused = hers.post(url, sent, headers=HTMX)
    html = refused.content.decode()
    assert (refused.status_code, Handover.objects.count()) == (409, 0)
    assert "#101 was given to Carol Example meanwhile" in html
    assert (f'name="giver" value="{carol.pk}"' in html, "Nights" in html) == (True, True)
    assert hers.post(url, {"receiver": alice.pk, "what": "one"}).status_code == 409, "a form that does not say whose"
    assert hers.post(url, {**sent, "giver": carol.pk, "what": "one"}).status_code == 302
    assert list(Handover.objects.get().tickets.values_list("number", flat=True)) == [101]


def test_a_ticket_of_nobody_is_assigned_not_handed_over(base, make_ticket, bob, client_of: Browser) -> None:
    make_ticket("Free")
    response = client_of(bob).get(f"{base}tickets/101/handover/")
    assert (response.status_code, "assign it instead" in response.content.decode()) == (422, True)


def test_only_the_receiver_answers_and_strangers_see_nothing(
    offer, base, secret, alice, bob, carol, mallory, eve, client_of: Browser
) -> None:
    url = f"{base}handovers/{offer.pk}/"
    assert [client_of(who).post(f"{url}accept/").status_code for who in (bob, carol, mallory, eve)] == [403] * 3 + [404]
    assert client_of(carol).post(f"{url}withdraw/").status_code == 403
    foreign = f"/incidents/{secret.number}/handovers/{offer.pk}/accept/"
    assert client_of(alice).post(foreign).status_code == 404
    assert state(offer) == "offered"
    assert client_of(alice).post(f"{url}accept/").status_code == 302
    again = client_of(alice).post(f"{url}accept/")
    assert (again.status_code, "answered before" in again.content.decode()) == (422, True)


def test_alice_declines_in_the_dialog_only_with_a_reason(offer, base, alice, client_of: Browser) -> None:
    url = f"{base}handovers/{offer.pk}/decline/"
    empty = client_of(alice).post(url, {"answer": " "}, headers=HTMX)
    assert (empty.status_code, state(offer)) == (422, "offered")
    full = client_of(alice).post(url, {"answer": "On holiday"}, headers=HTMX)
    assert (full.status_code, state(offer), "<main" in full.content.decode()) == (200, "declined", False)


def test_hostile_text_in_a_note_is_shown_as_text(given, incident, alice, bob, client_of: Browser) -> None:
    note = "<script>alert(1)</script> [x](javascript:alert(1)) \u202e"
    handovers.hand_over(actor=bob, incident=incident, numbers=[101], receiver=alice, note=note)
    html = client_of(alice).get("/my/").content.decode()
    assert "<script>alert(1)" not in html
    assert 'href="javascript' not in html


def test_an_offer_in_a_restricted_incident_is_told_to_its_people_only(secret, alice, bob, mallory) -> None:
    actions.add_ticket(actor=alice, incident=secret, title="Interview", assignee=bob)
    work_off()
    mail.outbox.clear()
    handovers.hand_over(actor=bob, incident=secret, numbers=[101], receiver=alice, note="CANARY")
    work_off()
    (letter,) = mail.outbox
    assert (letter.to, "CANARY" in letter.body, "Bob" in letter.body) == ([alice.email], False, False)
    assert told(mallory) == []
