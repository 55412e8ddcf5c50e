"""Several tickets at once: each changed as if alone, all of them or none, and taken back as one."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from comms.models import Notification
from core.models import JournalEntry
from core.verify import verify
from incidents.models import Incident
from people.models import User
from tests.comms.working import work_off
from tickets.actions import bulk, undo
from tickets.actions import tickets as actions
from tickets.actions.blockers import block_ticket
from tickets.actions.quick import Sprout, plant_branch
from tickets.actions.tags import set_tags, tags_of
from tickets.checks import broken
from tickets.models import Ticket

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def moved_one_by_one(settings: Any) -> None:
    """Each branch is moved by its ordinary action, which loads and locks it anew: so it is meant here."""
    settings.ZEAL_ALLOWLIST = [{"model": "*", "field": "*"}]


@pytest.fixture
def three(make_ticket: Callable[..., Ticket]) -> list[Ticket]:
    """#101 to #103 at the top, #104 below #101."""
    top = [make_ticket("Beacon"), make_ticket("Mail", lead=True), make_ticket("Disk")]
    make_ticket("Memory", parent=top[0])
    return top


@pytest.fixture
def change(bob: User, incident: Incident) -> Callable[..., list[int]]:
    """Bob changes several tickets of the incident."""

    def run(*numbers: int, **fields: Any) -> list[int]:
        return bulk.change_tickets(actor=bob, incident=incident, numbers=numbers, fields=fields)

    return run


def now(number: int, incident: Incident | None = None) -> Ticket:
    return Ticket.objects.get(number=number, **({"incident": incident} if incident else {}))


def last() -> JournalEntry:
    return JournalEntry.objects.filter(stream__startswith="incident:").latest("seq")


def order(incident: Incident) -> list[tuple[int, int]]:
    """Parent and number of every ticket, in tree order."""
    rows = Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("lft")
    return list(rows.values_list("parent__number", "number"))


# -- Changing ---------------------------------------------------------------------------------------------------------
def test_bob_gives_two_tickets_to_alice_and_both_say_so(change, three, alice) -> None:
    assert change(101, 103, assignee=alice) == [101, 103]
    assert [now(n).assignee for n in (101, 102, 103)] == [alice, None, alice]
    batch = last()
    assert (batch.verb, batch.data["tickets"], batch.data["what"]) == ("tickets.changed", [101, 103], ["assignee"])
    parts = JournalEntry.objects.filter(stream=batch.stream, seq__in=batch.data["entries"]).order_by("seq")
    assert [(one.verb, one.target_id) for one in parts] == [
        ("ticket.assigned", str(three[0].pk)), ("ticket.assigned", str(three[2].pk)),
    ]  # fmt: skip
    assert all(one.history for one in parts)


def test_who_is_given_tickets_hears_of_them_once(change, three, alice) -> None:
    change(101, 103, assignee=alice)
    work_off()
    told = Notification.objects.filter(user=alice, text__startswith="Bob Example gave you")
    assert [one.text for one in told] == ["Bob Example gave you #101 Beacon and 1 more"]


def test_several_fields_at_once(change, three, bob) -> None:
    due = dt.datetime(2027, 1, 1, 12, tzinfo=dt.UTC)
    assert change(103, 101, assignee=bob, priority="high", due_at=due, status="doing", add_tags=["Phase 2"]) == [
        101, 103,
    ]  # fmt: skip
    for number in (101, 103):
        ticket = now(number)
        assert (ticket.assignee, ticket.priority, ticket.due_at, ticket.status) == (bob, "high", due, "doing")
        assert (ticket.urgency > 20, tags_of(ticket)) == (True, ["phase-2"])


def test_what_is_so_already_is_no_change(change, three, incident) -> None:
    before = JournalEntry.objects.count()
    assert change(101, 102, status="open", assignee=None, priority="normal", remove_tags=["nothing"]) == []
    assert JournalEntry.objects.count() == before


def test_tags_are_added_and_taken_away_and_others_stay(change, three, bob) -> None:
    set_tags(actor=bob, ticket=three[0], tags=["old", "kept"])
    assert change(101, 102, add_tags=["new"], remove_tags=["old"]) == [101, 102]
    assert (tags_of(now(101)), tags_of(now(102))) == (["kept", "new"], ["new"])


def test_a_lead_without_a_result_is_named_and_nothing_is_half_done(change, three) -> None:
    before = JournalEntry.objects.count()
    with pytest.raises(ValidationError) as refusal:
        change(101, 102, 103, status="done", priority="high")
    assert refusal.value.message_dict["disposition"] == [
        "#102: Say what became of the lead: confirmed, ruled out or a dead end."
    ]
    assert {now(n).status for n in (101, 102, 103)} == {"open"}
    assert {now(n).priority for n in (101, 102, 103)} == {"normal"}
    assert JournalEntry.objects.count() == before


def test_the_result_is_given_to_leads_that_have_none_and_to_nothing_else(change, three, make_ticket, bob) -> None:
    make_ticket("Known lead", lead=True)
    actions.set_status(actor=bob, ticket=now(105), status="doing", disposition="confirmed")
    change(101, 102, 105, status="done", disposition="ruled_out")
    assert [now(n).disposition for n in (101, 102, 105)] == ["", "ruled_out", "confirmed"]


def test_dropping_by_status_needs_a_reason(change, three) -> None:
    with pytest.raises(ValidationError, match="#101, #103: Say why it is dropped"):
        change(101, 103, status="dropped")
    assert change(101, 103, status="dropped", reason="Not ours.") == [101, 103]
    assert now(103).dropped_reason == "Not ours."


@pytest.mark.parametrize(
    "fields", [{"status": "nonsense"}, {"priority": "nonsense"}, {"lft": 1}, {"version": 7}, {"title": "Same"}]
)
def test_what_is_no_field_or_no_value_is_refused(change, three, fields) -> None:
    with pytest.raises(ValidationError):
        change(101, 102, **fields)


def test_work_is_given_only_to_who_works_here(change, three, carol, mallory) -> None:
    for person in (carol, mallory):
        with pytest.raises(ValidationError, match="has no role in this incident"):
            change(101, assignee=person)


def test_numbers_of_nobody_and_of_other_incidents_are_as_if_not_there(
    *, change, three, make_incident, incident, alice
) -> None:
    other = make_incident("Phishing wave")
    for title in ("A", "B", "C", "D", "E", "F"):
        actions.add_ticket(actor=alice, incident=other, title=title)
    assert change(101, 105, 106, 100, 999, -1, priority="high") == [101]
    assert set(Ticket.objects.filter(incident=other).values_list("priority", flat=True)) == {"normal"}
    assert last().data["tickets"] == [101]
    assert now(100, incident).priority == "normal"


def test_at_most_200_at_once(change, three) -> None:
    with pytest.raises(ValidationError, match="At most 200 tickets"):
        change(*range(101, 302), priority="high")


def test_nothing_changes_in_a_closed_incident(change, three, incident, bob) -> None:
    Incident.objects.filter(pk=incident.pk).update(status="closed")
    for act in (
        lambda: change(101, priority="high"),
        lambda: bulk.move_tickets(actor=bob, incident=incident, numbers=[103], parent=101),
        lambda: bulk.drop_tickets(actor=bob, incident=incident, numbers=[103], reason="No."),
        lambda: set_tags(actor=bob, ticket=three[0], tags=["x"]),
    ):
        with pytest.raises(ValidationError, match="closed"):
            act()


# -- Tags of one ------------------------------------------------------------------------------------------------------
def test_tags_are_kept_like_those_of_incidents_and_journalled(three, bob) -> None:
    set_tags(actor=bob, ticket=three[0], tags=["#Phase 2", "phase-2", " Disk "])
    assert tags_of(three[0]) == ["disk", "phase-2"]
    assert (last().verb, last().data["old"], last().data["new"]) == ("ticket.tagged", [], ["disk", "phase-2"])


@pytest.mark.parametrize("typed", ["# #x", "#\u00a0# x", " ## # X"])
def test_signs_and_spaces_before_a_tag_are_none_of_it(three, bob, incident, change, typed) -> None:
    set_tags(actor=bob, ticket=three[0], tags=[typed])
    assert change(102, add_tags=[typed]) == [102]
    made = plant_branch(actor=bob, incident=incident, parent=None, sprouts=[Sprout(1, "Scan", tags=(typed,))])
    assert [tags_of(one) for one in (three[0], three[1], made[0])] == [["x"]] * 3


def test_tags_that_others_added_meanwhile_stay(three, alice, bob) -> None:
    set_tags(actor=bob, ticket=three[0], tags=["a", "b"])
    set_tags(actor=alice, ticket=three[0], tags=["a", "c"], seen=["a"])
    assert tags_of(three[0]) == ["a", "b", "c"]


def test_a_ticket_has_at_most_20_tags(three, bob) -> None:
    with pytest.raises(ValidationError, match="At most 20 tags"):
        set_tags(actor=bob, ticket=three[0], tags=[f"t{n}" for n in range(21)])


# -- Moving and dropping ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("place", "after"),
    [
        ({"parent": None}, [101, 104, 105, 102, 103]),
        ({"parent": None, "first": True}, [102, 103, 101, 104, 105]),
        ({"parent": None, "before": 105}, [101, 104, 102, 103, 105]),
        ({"parent": None, "before": 103}, [101, 104, 102, 103, 105]),
        ({"parent": None, "after": 101}, [101, 104, 102, 103, 105]),
        ({"parent": None, "after": 103}, [101, 104, 102, 103, 105]),
        ({"parent": None, "after": 105}, [101, 104, 105, 102, 103]),
        ({"parent": 101, "before": 104}, [101, 102, 103, 104, 105]),
        ({"parent": 101, "after": 104}, [101, 104, 102, 103, 105]),
        ({"parent": 104}, [101, 104, 102, 103, 105]),
    ],
)
def test_several_branches_keep_their_order(*, three, bob, incident, make_ticket, place, after) -> None:
    make_ticket("Last")
    bulk.move_tickets(actor=bob, incident=incident, numbers=[103, 102], **place)
    assert [number for _, number in order(incident)] == after
    assert now(102).parent.number == now(103).parent.number == (place["parent"] or 100)
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []


def test_a_ticket_inside_of_a_branch_that_moves_stays_inside(three, bob, incident) -> None:
    assert bulk.move_tickets(actor=bob, incident=incident, numbers=[101, 104], parent=103) == [101]
    assert order(incident) == [(100, 102), (100, 103), (103, 101), (101, 104)]


def test_a_circle_is_refused_and_nothing_moves(three, bob, incident) -> None:
    before = order(incident)
    with pytest.raises(ValidationError, match="#101: #101 cannot go below itself"):
        bulk.move_tickets(actor=bob, incident=incident, numbers=[103, 101], parent=104)
    with pytest.raises(ValidationError, match="no longer in this incident"):
        bulk.move_tickets(actor=bob, incident=incident, numbers=[103], parent=999)
    assert order(incident) == before


def test_several_branches_are_dropped_with_one_reason(three, alice, incident) -> None:
    assert bulk.drop_tickets(actor=alice, incident=incident, numbers=[101, 104, 103], reason="Not ours.") == [101, 103]
    assert [now(n).status for n in (101, 102, 103, 104)] == ["dropped", "open", "dropped", "dropped"]
    with pytest.raises(ValidationError, match="Say why"):
        bulk.drop_tickets(actor=alice, incident=incident, numbers=[102], reason=" ")


# -- Taking back ------------------------------------------------------------------------------------------------------
def snapshot(incident: Incident) -> list[Any]:
    names = ("parent", "number", "lft", "assignee", "priority", "urgency", "due_at", "status", "category", "outcome")
    rows = Ticket.objects.filter(incident=incident).order_by("lft")
    return [*rows.values_list(*names), [tags_of(row) for row in rows], [row.disposition for row in rows]]


def test_all_that_was_changed_at_once_is_taken_back_at_once(change, three, bob, alice, incident) -> None:
    actions.assign_ticket(actor=alice, ticket=three[1], assignee=alice)
    set_tags(actor=alice, ticket=three[1], tags=["kept", "old"])
    before = snapshot(incident)
    due = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    change(
        101, 102, 103, assignee=bob, priority="high", due_at=due, status="done", disposition="confirmed",
        add_tags=["new"], remove_tags=["old"],
    )  # fmt: skip
    assert snapshot(incident) != before
    entry = last()
    assert undo.undo_batch(actor=bob, incident=incident, entry=entry) == 3
    assert snapshot(incident) == before
    assert (last().verb, last().data["undoes"]) == ("tickets.change_undone", entry.seq)
    with pytest.raises(ValidationError):
        undo.undo_batch(actor=bob, incident=incident, entry=entry)


@pytest.mark.parametrize("place", [{"parent": 104}, {"parent": None, "first": True}, {"parent": 101, "before": 104}])
def test_moves_are_taken_back_in_their_order(*, three, bob, incident, place) -> None:
    before = order(incident)
    bulk.move_tickets(actor=bob, incident=incident, numbers=[102, 103], **place)
    undo.undo_batch(actor=bob, incident=incident, entry=last())
    assert order(incident) == before
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []


def test_dropped_branches_come_back(three, alice, incident) -> None:
    before = snapshot(incident)
    bulk.drop_tickets(actor=alice, incident=incident, numbers=[101, 103], reason="Not ours.")
    undo.undo_batch(actor=alice, incident=incident, entry=last())
    assert snapshot(incident) == before


def test_one_that_was_changed_since_keeps_all_as_they_are(change, three, bob, alice, incident) -> None:
    change(101, 102, 103, assignee=bob)
    entry = last()
    actions.assign_ticket(actor=alice, ticket=now(102), assignee=alice)
    with pytest.raises(ValidationError, match="#102 was assigned again since then"):
        undo.undo_batch(actor=bob, incident=incident, entry=entry)
    assert [now(n).assignee for n in (101, 102, 103)] == [bob, alice, bob]


def test_only_who_did_it_takes_it_back_and_only_batches_are(change, three, alice, bob, incident) -> None:
    change(101, 102, priority="high")
    with pytest.raises(ValidationError, match="Only who made this change"):
        undo.undo_batch(actor=alice, incident=incident, entry=last())
    single = JournalEntry.objects.filter(verb="ticket.edited").latest("seq")
    with pytest.raises(ValidationError, match="cannot be undone"):
        undo.undo_batch(actor=bob, incident=incident, entry=single)


# -- What it costs -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("many", [20, 200])
def test_changing_many_costs_the_same_few_queries_as_changing_some(
    *, change, incident, alice, bob, many, django_assert_max_num_queries
) -> None:
    sprouts = [Sprout(depth=1 + n % 3, title=f"T{n}", tags=("old",), lead=n % 4 == 0) for n in range(many)]
    planted = [one.number for one in plant_branch(actor=bob, incident=incident, parent=None, sprouts=sprouts)]
    due = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
    fields: dict[str, Any] = {
        "assignee": alice, "status": "done", "disposition": "ruled_out", "priority": "high", "due_at": due,
        "add_tags": ["new"], "remove_tags": ["old"],
    }  # fmt: skip
    before = snapshot(incident)
    with django_assert_max_num_queries(40) as changing:
        assert len(change(*planted, **fields)) == many
    batch = last()
    assert len(batch.data["entries"]) == 4 * many
    with django_assert_max_num_queries(40) as undoing:
        undo.undo_batch(actor=bob, incident=incident, entry=batch)
    assert snapshot(incident) == before
    with django_assert_max_num_queries(40) as dropping:
        bulk.drop_tickets(actor=bob, incident=incident, numbers=planted, reason="Not ours.")
    with django_assert_max_num_queries(40) as restoring:
        undo.undo_batch(actor=bob, incident=incident, entry=last())
    assert snapshot(incident) == before
    print(f"{many} tickets: queries {[len(found) for found in (changing, undoing, dropping, restoring)]}")
    verify()
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []


def test_tickets_that_end_together_free_what_waited_for_all_of_them_once(change, three, bob) -> None:
    for by in (101, 102):
        block_ticket(actor=bob, ticket=three[2], by=by)
    change(101, 102, status="done", disposition="confirmed")
    freed = [one.data.get("freed") for one in JournalEntry.objects.filter(verb="ticket.status_changed").order_by("seq")]
    assert freed == [None, [103]]


def test_who_ends_with_what_they_waited_for_is_not_called_free(change, three, bob) -> None:
    block_ticket(actor=bob, ticket=three[2], by=101)
    change(103, 101, status="dropped", reason="Not ours.")  # in tree order: 101 ends while 103 still waits
    freed = [one.data.get("freed") for one in JournalEntry.objects.filter(verb="ticket.status_changed").order_by("seq")]
    assert freed == [[103], None]


# -- The page ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def url(incident: Incident) -> str:
    return f"/incidents/{incident.number}/tickets/bulk/"


@pytest.fixture
def browser(client_of: Callable[[User], Client], bob: User) -> Client:
    return client_of(bob)


@pytest.mark.parametrize("part", ["assignee", "status", "priority", "due_at", "tags", "move"])
def test_bob_is_asked_for_each_part(browser, url, three, part) -> None:
    html = browser.get(f"{url}?tickets=101&tickets=103&part={part}&tickets=x&tickets=999").content.decode()
    assert "2 tickets</h2>" in html
    assert html.count('name="tickets"') == 2
    assert f'name="part" value="{part}"' in html


def test_bob_sets_the_status_and_takes_it_back_by_the_note(browser, url, three, incident) -> None:
    sent = {"tickets": [101, 103], "part": "status", "status": "doing"}
    html = browser.post(url, sent, headers=HTMX).content.decode()
    assert "2 tickets set to In progress." in html
    address = html.rpartition('<form method="post" action="')[2].partition('"')[0]
    assert "2 tickets are back as they were." in browser.post(address, headers=HTMX).content.decode()
    assert {now(n).status for n in (101, 103)} == {"open"}


def test_without_script_one_comes_back_to_where_one_was(browser, url, three, incident) -> None:
    table = f"/incidents/{incident.number}/tree/?show=mine"
    answer = browser.post(url, {"tickets": [101], "part": "priority", "priority": "high", "next": table})
    assert (answer.status_code, answer["Location"]) == (302, table)
    sent = {"tickets": [101], "part": "move", "parent": "#103 Disk", "place": "last", "next": "//x"}
    answer = browser.post(url, sent)
    assert answer["Location"] == f"/incidents/{incident.number}/tree/"
    assert now(101).parent.number == 103


def test_a_refusal_names_the_tickets_and_keeps_the_form(browser, url, three) -> None:
    sent = {"tickets": [101, 102], "part": "status", "status": "done"}
    answer = browser.post(url, sent, headers=HTMX)
    assert answer.status_code == 422
    assert "#102: Say what became of the lead" in answer.content.decode()
    assert browser.post(url, {**sent, "disposition": "dead_end"}, headers=HTMX).status_code == 200
    assert now(102).disposition == "dead_end"


def test_with_u_bob_takes_back_the_whole_batch_then_what_was_before(browser, url, three, incident, bob) -> None:
    actions.assign_ticket(actor=bob, ticket=three[0], assignee=bob)
    browser.post(url, {"tickets": [101, 102], "part": "priority", "priority": "high"}, headers=HTMX)
    press = f"/incidents/{incident.number}/undo/"
    assert "2 tickets are back" in browser.post(press, {"since": 0}, headers=HTMX).content.decode()
    assert "assignment taken back" in browser.post(press, {"since": 0}, headers=HTMX).content.decode()
    assert now(101).assignee is None


def test_only_who_leads_drops_and_takes_back_a_drop(browser, client_of, alice, url, three) -> None:
    assert browser.get(f"{url}?tickets=101&part=drop").status_code == 403
    assert browser.post(url, {"tickets": [101], "part": "drop", "reason": "x"}).status_code == 403
    leader = client_of(alice)
    assert leader.get(f"{url}?tickets=101&part=drop").status_code == 200
    assert leader.post(url, {"tickets": [101], "part": "drop", "reason": "x"}, headers=HTMX).status_code == 200
    assert browser.post(f"{url}undo/{last().seq}/").status_code == 403
    assert now(104).status == "dropped"


def test_carol_observes_and_mallory_has_no_role(client_of, carol, mallory, url, three) -> None:
    sent = {"tickets": [101], "part": "priority", "priority": "high"}
    for person in (carol, mallory):
        assert client_of(person).get(f"{url}?tickets=101").status_code == 403
        assert client_of(person).post(url, sent).status_code == 403
    assert now(101).priority == "normal"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"part": "lft", "tickets": [101]}, 404),
        ({"part": "priority", "tickets": ["1e3", "٣", "\x00", "9" * 40], "priority": "high"}, 302),
        ({"part": "priority", "tickets": [101], "priority": "\x00"}, 422),
        ({"part": "tags", "tickets": [101], "add_tags": "a\x00b"}, 422),
        ({"part": "tags", "tickets": [101], "add_tags": ",".join(f"t{n}" for n in range(21))}, 422),
        ({"part": "tags", "tickets": [101]}, 422),
        ({"part": "move", "tickets": [101], "parent": "#117#101", "place": "last"}, 422),
        ({"part": "priority", "tickets": [*range(101, 302)], "priority": "high"}, 422),
    ],
)  # fmt: skip
def test_hostile_values_change_nothing(browser, url, three, sent, status) -> None:
    assert browser.post(url, sent).status_code == status
    assert now(101).priority == "normal"
    assert tags_of(now(101)) == []
