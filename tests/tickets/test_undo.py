"""Taking back: a ticket added by mistake, a dropped branch, and with U exactly one's own last change."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from core import journal
from core.actions import acting
from core.models import JournalEntry
from incidents.models import Incident
from people.models import User
from tests.uploads import kept
from tickets.actions import attachments, bulk, comments, undo
from tickets.actions import tickets as actions
from tickets.actions.blockers import block_ticket
from tickets.actions.leads import mark_lead
from tickets.actions.quick import Sprout, plant_branch
from tickets.actions.tags import set_tags
from tickets.actions.times import log_time
from tickets.checks import broken
from tickets.models import Ticket
from tickets.queries.past import last_change

HTMX = {"HX-Request": "true"}


@pytest.fixture
def base(incident: Incident) -> str:
    return f"/incidents/{incident.number}/tickets/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    """Bob's."""
    return client_of(bob)


@pytest.fixture
def leader(client_of: Callable[[User], Client], alice: User) -> Client:
    """Alice's."""
    return client_of(alice)


@pytest.fixture
def press_u(incident: Incident) -> Callable[..., str]:
    """The key U in a browser, on a page that was first shown after the entry `since`; what is answered."""

    def press(client: Client, *, since: int | str = 0, status: int = 200) -> str:
        answer = client.post(f"/incidents/{incident.number}/undo/", {"since": since}, headers=HTMX)
        assert answer.status_code == status
        return answer.content.decode()

    return press


def now(number: int) -> Ticket:
    return Ticket.objects.get(number=number)


def head() -> int:
    return JournalEntry.objects.filter(stream__startswith="incident:").latest("seq").seq


def last() -> JournalEntry:
    return JournalEntry.objects.filter(verb__startswith="ticket.").latest("seq")


def undo_in(html: str) -> str:
    return html.rpartition('<form method="post" action="')[2].partition('"')[0]


def added(browser: Client, base: str, title: str, **fields: object) -> str:
    """Add a ticket and close the dialog; the address that takes it back."""
    sent = {"title": title, "close": 1, **fields}
    return undo_in(browser.post(f"{base}add/", sent, headers=HTMX).content.decode())


def dropped(client: Client, base: str, number: int) -> str:
    html = client.post(f"{base}{number}/drop/", {"reason": "Not ours."}, headers=HTMX).content.decode()
    assert "dropped." in html
    return undo_in(html)


# -- What was added ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("place", [{}, {"after": 101}], ids=["last", "beside"])
def test_bob_takes_back_a_ticket_he_added_and_it_stays_as_dropped(browser, base, incident, make_ticket, place) -> None:
    make_ticket("Beacon")
    make_ticket("Other")
    html = browser.post(added(browser, base, "Bacon", **place), headers=HTMX).content.decode()
    assert "#103 is dropped: it was added by mistake." in html
    assert (now(103).status, now(103).dropped_reason) == ("dropped", "Added by mistake (undone).")
    assert last().verb == "ticket.status_changed"
    assert JournalEntry.objects.get(seq=last().data["undoes"], stream=last().stream).verb == "ticket.added"
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []


def test_taking_it_back_can_be_taken_back(browser, base) -> None:
    html = browser.post(added(browser, base, "Beacon"), headers=HTMX).content.decode()
    browser.post(undo_in(html), headers=HTMX)
    assert (now(101).status, now(101).dropped_reason, now(101).finished_at) == ("open", "", None)


def test_without_script_the_page_that_follows_offers_undo_as_well(browser, base) -> None:
    page = browser.post(f"{base}add/", {"title": "Beacon"}, follow=True).content.decode()
    assert "#101 added." in page
    browser.post(undo_in(page.partition('id="toasts"')[2]))
    assert now(101).status == "dropped"


def _comment(alice: User) -> None:
    comments.add_comment(actor=alice, ticket=now(101), body="I am on it.")


def _child(alice: User) -> None:
    actions.add_ticket(actor=alice, incident=now(101).incident, title="Below", parent=101)


def _assign(alice: User) -> None:
    actions.assign_ticket(actor=alice, ticket=now(101), assignee=alice)


def _move(alice: User) -> None:
    actions.add_ticket(actor=alice, incident=now(101).incident, title="Branch")
    actions.move_ticket(actor=alice, ticket=now(101), parent=102)


@pytest.mark.parametrize(
    ("meanwhile", "words"),
    [
        (_comment, "has comments or files by now"), (_child, "has tickets below it by now"),
        (_assign, "was changed again since then"), (_move, "was changed again since then"),
    ],
)  # fmt: skip
def test_a_ticket_that_alice_works_with_by_now_is_not_taken_away(*, browser, base, alice, meanwhile, words) -> None:
    address = added(browser, base, "Beacon")
    meanwhile(alice)
    before = JournalEntry.objects.count()
    answer = browser.post(address, headers=HTMX)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert now(101).status == "open"
    assert JournalEntry.objects.count() == before


def test_only_who_added_it_takes_it_back(leader, browser, base) -> None:
    address = added(browser, base, "Beacon")
    answer = leader.post(address, headers=HTMX)
    assert answer.status_code == 422
    assert "Only who made this change can undo it" in answer.content.decode()
    assert now(101).status == "open"


# -- What was dropped -------------------------------------------------------------------------------------------------
@pytest.fixture
def branch(bob: User, make_ticket: Callable[..., Ticket]) -> Ticket:
    """#101 with four tickets below it: open, waiting, in progress, done."""
    top = make_ticket("Beacon")
    for title in ("Image the disk", "Ask the host", "Read the log", "Find a cable"):
        make_ticket(title, parent=top)
    actions.set_status(actor=bob, ticket=now(103), status="waiting", waiting_for="the provider")
    actions.set_status(actor=bob, ticket=now(104), status="doing")
    actions.set_status(actor=bob, ticket=now(105), status="done", outcome="In the drawer.")
    return top


FIELDS = ("number", "status", "waiting_for", "dropped_reason", "started_at", "finished_at", "outcome")


def rows() -> list[tuple[object, ...]]:
    return list(Ticket.objects.filter(parent__isnull=False).order_by("number").values_list(*FIELDS))


def test_a_branch_dropped_by_alice_comes_back_exactly_as_it_was(leader, base, incident, branch) -> None:
    before, counts = rows(), Incident.objects.get(pk=incident.pk).tickets_done
    address = dropped(leader, base, branch.number)
    assert {status for _, status, *_ in rows()} == {"dropped", "done"}
    entry = last()
    html = leader.post(address, headers=HTMX).content.decode()
    assert "4 tickets are back as they were." in html
    assert rows() == before
    assert (last().verb, last().data["undoes"]) == ("ticket.branch_restored", entry.seq)
    assert last().data["tickets"] == [101, 102, 103, 104]
    assert Incident.objects.get(pk=incident.pk).tickets_done == counts
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []


def test_a_branch_whose_top_was_done_already_comes_back_without_it(leader, bob, base, branch) -> None:
    actions.set_status(actor=bob, ticket=branch, status="done")
    before = rows()
    leader.post(dropped(leader, base, branch.number), headers=HTMX)
    assert rows() == before
    assert last().data["tickets"] == [102, 103, 104]


def test_one_ticket_that_bob_took_up_again_keeps_the_whole_branch_dropped(leader, bob, base, branch) -> None:
    address = dropped(leader, base, branch.number)
    actions.set_status(actor=bob, ticket=now(102), status="doing")
    before = rows()
    answer = leader.post(address, headers=HTMX)
    assert answer.status_code == 422
    assert "#102 was changed since then" in answer.content.decode()
    assert rows() == before


def test_many_that_were_changed_are_counted_not_listed(leader, bob, base, branch) -> None:
    address = dropped(leader, base, branch.number)
    for number in (101, 102, 103, 104):
        actions.set_status(actor=bob, ticket=now(number), status="doing")
    assert "#101, #102, #103 and 1 more were changed since then" in leader.post(address, headers=HTMX).content.decode()


def test_a_branch_comes_back_once(leader, base, branch) -> None:
    address = dropped(leader, base, branch.number)
    assert leader.post(address, headers=HTMX).status_code == 200
    assert leader.post(address, headers=HTMX).status_code == 422


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "htmx"])
def test_all_that_was_dropped_before_closing_comes_back(leader, base, branch, headers) -> None:
    before = rows()
    answer = leader.post(f"{base}drop/", {"reason": "False alarm."}, headers=headers, follow=True)
    address = undo_in(answer.content.decode().rpartition('id="toasts"')[2] or answer.content.decode())
    assert "/drop/undo/" in address
    assert leader.post(address, headers=headers).status_code == (200 if headers else 302)
    assert rows() == before
    assert last().verb == "ticket.all_restored"
    assert leader.post(address, headers=headers).status_code == 422


def test_nothing_comes_back_in_a_closed_incident(leader, base, incident, branch) -> None:
    address = dropped(leader, base, branch.number)
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    answer = leader.post(address, headers=HTMX)
    assert answer.status_code == 422
    assert "is closed" in answer.content.decode()


@pytest.mark.parametrize("verb", sorted(undo.UNDO))
def test_nothing_at_all_is_taken_back_once_the_incident_is_closed(verb, bob, alice, incident, make_ticket) -> None:
    first, second = make_ticket("Beacon", actor=bob), make_ticket("Disk", actor=bob)
    act: dict[str, Callable[[], object]] = {
        "ticket.added": lambda: make_ticket("Mail", actor=bob),
        "ticket.assigned": lambda: actions.assign_ticket(actor=bob, ticket=first, assignee=alice),
        "ticket.branch_dropped": lambda: actions.drop_branch(actor=bob, ticket=first, reason="Nothing there"),
        "ticket.lead_marked": lambda: mark_lead(actor=bob, ticket=first, lead=True),
        "ticket.lead_resolved": lambda: mark_lead(actor=bob, ticket=first, lead=True, disposition="dead_end"),
        "ticket.moved": lambda: actions.move_ticket(actor=bob, ticket=second, parent=first.number),
        "ticket.status_changed": lambda: actions.set_status(actor=bob, ticket=first, status="doing"),
        "ticket.tagged": lambda: set_tags(actor=bob, ticket=first, tags=["dc"]),
    }
    act[verb]()
    entry = JournalEntry.objects.filter(verb=verb).latest("seq")
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    ticket, entries, before = Ticket.objects.get(pk=entry.target_id), JournalEntry.objects.count(), rows()
    with pytest.raises(ValidationError, match="is closed"):
        undo.undo_change(actor=bob, ticket=ticket, entry=entry)
    assert (rows(), JournalEntry.objects.count()) == (before, entries)


def test_bob_who_leads_nothing_takes_no_drop_back(browser, leader, base, branch, incident) -> None:
    assert browser.post(dropped(leader, base, branch.number), headers=HTMX).status_code == 403
    leader.post(f"{base}101/status/", {"version": now(101).version, "status": "open"})
    leader.post(f"{base}drop/", {"reason": "False alarm."})
    assert browser.post(f"{base}drop/undo/{last().seq}/").status_code == 403
    assert now(102).status == "dropped"


def test_another_entry_is_no_drop_of_all(leader, base, branch) -> None:
    dropped(leader, base, branch.number)
    assert leader.post(f"{base}drop/undo/{last().seq}/").status_code == 422
    assert leader.post(f"{base}drop/undo/999/").status_code == 404
    assert now(102).status == "dropped"


def test_an_entry_of_another_incident_takes_nothing_back_here(alice, make_incident, branch) -> None:
    other = make_incident("Phishing wave")
    actions.add_ticket(actor=alice, incident=other, title="Read the mail")
    actions.drop_open_tickets(actor=alice, incident=other, reason="False alarm.")
    with pytest.raises(ValidationError, match="cannot be undone"):
        undo.undo_drop_all(actor=alice, incident=branch.incident, entry=JournalEntry.objects.latest("pk"))


# -- The key U --------------------------------------------------------------------------------------------------------
def test_u_after_an_add_takes_back_the_add_and_nothing_older(browser, base, make_ticket, press_u) -> None:
    make_ticket("Beacon")
    browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX)
    added(browser, base, "Bacon")
    assert "#102 is dropped: it was added by mistake." in press_u(browser)
    assert (now(101).status, now(102).status) == ("doing", "dropped")


def test_u_once_more_goes_one_step_further_back(browser, bob, base, make_ticket, press_u) -> None:
    make_ticket("Beacon")
    make_ticket("Other")
    browser.post(f"{base}101/assign/", {"version": 1, "assignee": bob.pk}, headers=HTMX)
    browser.post(f"{base}102/status/", {"version": 1, "status": "doing"}, headers=HTMX)
    assert "#102: status taken back." in press_u(browser)
    assert (now(102).status, now(101).assignee) == ("open", bob)
    assert "#101: assignment taken back." in press_u(browser)
    assert now(101).assignee is None
    assert "You changed nothing here" in press_u(browser, status=422)


@pytest.mark.parametrize(
    ("part", "sent", "words"),
    [
        ("edit/", {"title": "Renamed", "priority": "normal"}, "you changed title of #101"),
        ("comments/add/", {"body": "On it."}, "you commented on #101"),
    ],
)
def test_u_says_so_when_the_last_change_cannot_be_undone(
    *, browser, base, make_ticket, press_u, part, sent, words
) -> None:
    make_ticket("Beacon")
    browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX)
    assert browser.post(f"{base}101/{part}", {"version": 2, **sent}, headers=HTMX).status_code == 200
    before = JournalEntry.objects.count()
    html = press_u(browser, status=422)
    assert "Your last change here cannot be undone" in html
    assert words in html
    assert now(101).status == "doing"
    assert JournalEntry.objects.count() == before


def test_u_says_so_when_somebody_changed_the_same_since(browser, alice, base, make_ticket, press_u) -> None:
    make_ticket("Beacon")
    make_ticket("Other")
    browser.post(f"{base}102/status/", {"version": 1, "status": "doing"}, headers=HTMX)
    browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX)
    actions.set_status(actor=alice, ticket=now(101), status="done")
    assert "#101 was changed again since then" in press_u(browser, status=422)
    assert (now(101).status, now(102).status) == ("done", "doing")


def test_u_takes_back_what_bob_did_although_alice_did_something_later(
    *, browser, alice, base, make_ticket, press_u
) -> None:
    make_ticket("Beacon")
    browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX)
    make_ticket("Alice's")
    press_u(browser)
    assert (now(101).status, now(102).status) == ("open", "open")


def test_u_leaves_alone_what_was_done_before_the_incident_was_shown(browser, base, make_ticket, press_u) -> None:
    make_ticket("Beacon")
    browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX)
    assert "You changed nothing here" in press_u(browser, since=f"{head()}-29384001", status=422)
    assert now(101).status == "doing"


def test_the_tree_and_the_ticket_say_since_when_u_counts(browser, client_of, carol, base, make_ticket) -> None:
    make_ticket("Beacon")
    for page in (f"{base}101/", base.replace("tickets/", "tree/")):
        html = browser.get(page).content.decode()
        assert html.count("data-undo-last") == 1
        assert f'name="since" value="{head()}-' in html
        assert "data-undo-last" not in client_of(carol).get(page).content.decode()


@pytest.mark.parametrize("since", ["", "x", "-1", "٣", "1\n2", "1-", "9" * 40, "1\x00", "1e3"])
def test_u_with_a_since_that_is_none_takes_nothing_back(browser, base, make_ticket, press_u, since) -> None:
    make_ticket("Beacon")
    browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX)
    press_u(browser, since=since, status=422)
    assert now(101).status == "doing"


def test_u_brings_back_what_was_dropped(leader, base, branch, press_u) -> None:
    before = rows()
    leader.post(f"{base}101/drop/", {"reason": "Not ours."}, headers=HTMX)
    press_u(leader)
    assert rows() == before
    leader.post(f"{base}drop/", {"reason": "False alarm."}, headers=HTMX)
    press_u(leader)
    assert rows() == before
    assert "You changed nothing here" in press_u(leader, since=head(), status=422)


def test_a_download_is_no_change_that_stands_in_the_way(*, browser, bob, base, make_ticket, press_u) -> None:
    ticket = make_ticket("Beacon")
    file = kept("disk.txt", b"sha256 of a disk", content_type="text/plain")
    attachment = attachments.attach_file(actor=bob, ticket=ticket, file=file)
    browser.post(f"{base}101/status/", {"version": 1, "status": "doing"}, headers=HTMX)
    assert b"".join(browser.get(f"{base}101/files/{attachment.pk}/")) == b"sha256 of a disk"
    assert JournalEntry.objects.latest("pk").verb == "file.downloaded"
    press_u(browser)
    assert now(101).status == "open"


def test_u_reaches_nobody_elses_incident(client_of, carol, mallory, secret, incident) -> None:
    assert client_of(carol).post(f"/incidents/{incident.number}/undo/", {"since": 0}).status_code == 403
    assert client_of(mallory).post(f"/incidents/{secret.number}/undo/", {"since": 0}).status_code == 404


# -- U and batches ----------------------------------------------------------------------------------------------------
@pytest.fixture
def one_by_one(settings: Any) -> None:
    """Each ticket of a batch is changed by its ordinary action, which loads and locks it anew: so it is meant here."""
    settings.ZEAL_ALLOWLIST = [{"model": "*", "field": "*"}]


@pytest.fixture
def three(one_by_one: None, make_ticket: Callable[..., Ticket]) -> list[Ticket]:
    return [make_ticket(title) for title in ("Beacon", "Mail", "Disk")]


def test_after_a_big_batch_u_still_goes_further_back(*, browser, press_u, three, incident, bob, make_ticket) -> None:
    actions.assign_ticket(actor=bob, ticket=three[0], assignee=bob)
    numbers = [make_ticket(f"Host {n}").number for n in range(110)]
    bulk.change_tickets(actor=bob, incident=incident, numbers=numbers, fields={"priority": "high"})
    assert "110 tickets are back" in press_u(browser)
    assert "#101: assignment taken back." in press_u(browser)
    assert "You changed nothing here" in press_u(browser, status=422)


def test_a_part_of_a_batch_that_was_taken_back_without_a_word_does_not_stand(three, incident, bob) -> None:
    actions.assign_ticket(actor=bob, ticket=three[2], assignee=bob)
    bulk.change_tickets(actor=bob, incident=incident, numbers=[101, 102], fields={"assignee": bob})
    batch = JournalEntry.objects.latest("pk")
    Ticket.objects.filter(number__in=[101, 102]).update(assignee=None)  # so the ordinary action finds nothing to do
    with acting(bob):
        journal.record(
            "tickets.change_undone", actor=bob, subject=incident, changed=False, tickets=[101, 102], undoes=batch.seq
        )
    found = last_change(incident, bob, since=0)
    assert found is not None
    assert (found.verb, found.target_id) == ("ticket.assigned", str(three[2].pk))


def test_a_part_that_bob_does_again_after_taking_the_batch_back_stands(three, incident, bob) -> None:
    bulk.change_tickets(actor=bob, incident=incident, numbers=[101, 102], fields={"assignee": bob})
    batch = JournalEntry.objects.latest("pk")
    undo.undo_batch(actor=bob, incident=incident, entry=batch)
    assert last_change(incident, bob, since=0) is None
    part = JournalEntry.objects.get(stream=batch.stream, data__undoes=batch.data["entries"][0])
    undo.undo_change(actor=bob, ticket=now(101), entry=part)
    found = last_change(incident, bob, since=0)
    assert found is not None
    assert found.seq == batch.data["entries"][0]


# -- A planted branch -------------------------------------------------------------------------------------------------
def _spends_time(incident: Incident, alice: User, bob: User) -> None:
    log_time(actor=bob, ticket=Ticket.objects.get(number=104), minutes=30, day=timezone.now().date())


def _waits_for_it(incident: Incident, alice: User, bob: User) -> None:
    block_ticket(actor=alice, ticket=Ticket.objects.get(number=101), by=104)


def _lets_it_wait(incident: Incident, alice: User, bob: User) -> None:
    block_ticket(actor=alice, ticket=Ticket.objects.get(number=104), by=101)


@pytest.mark.parametrize("meanwhile", [_spends_time, _waits_for_it, _lets_it_wait])
def test_time_and_waits_of_others_keep_a_planted_branch(*, incident, make_ticket, alice, bob, meanwhile) -> None:
    make_ticket("Beacon")
    plant_branch(
        actor=bob,
        incident=incident,
        parent=None,
        sprouts=[Sprout(depth=1, title="A"), Sprout(depth=2, title="B"), Sprout(depth=2, title="C")],
    )
    entry = JournalEntry.objects.latest("pk")
    meanwhile(incident, alice, bob)
    with pytest.raises(ValidationError, match="#104 was changed since then"):
        undo.uproot(actor=bob, incident=incident, entry=entry)
    assert not Ticket.objects.filter(status="dropped").exists()


def test_what_bob_let_wait_for_his_planted_branch_is_free_when_he_takes_it_back(
    incident, make_ticket, alice, bob
) -> None:
    beacon, disk = make_ticket("Beacon"), make_ticket("Disk")
    plant_branch(
        actor=bob, incident=incident, parent=None, sprouts=[Sprout(depth=1, title="A"), Sprout(depth=2, title="B")]
    )
    entry = JournalEntry.objects.latest("pk")
    for waiting, by in ((beacon, 104), (disk, 104), (disk, 101)):
        block_ticket(actor=bob, ticket=waiting, by=by)
    undo.uproot(actor=bob, incident=incident, entry=entry)
    assert JournalEntry.objects.get(verb="tickets.uprooted").data["freed"] == [101]
