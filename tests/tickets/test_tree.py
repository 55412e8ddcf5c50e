"""The tree: what may go where, and that it stays sound."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.models.versions import Conflict
from incidents.models import Incident
from people.models import User
from tickets.actions import leads
from tickets.actions import tickets as actions
from tickets.checks import broken
from tickets.models import Ticket
from tickets.models.tickets import TreeWriteError


def numbers(incident: Incident) -> list[tuple[int, int]]:
    rows = Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("lft")
    return [(ticket.number, ticket.level) for ticket in rows]


def test_tickets_are_numbered_within_their_incident_from_101(incident: Incident, make_ticket) -> None:
    first, second = make_ticket("Actor A"), make_ticket("Actor B")
    below = make_ticket("Beacon", parent=first)
    assert [first.number, second.number, below.number] == [101, 102, 103]
    assert numbers(incident) == [(101, 1), (103, 2), (102, 1)]


def test_a_branch_moves_with_everything_below_it(alice: User, incident: Incident, make_ticket) -> None:
    a, b = make_ticket("A"), make_ticket("B")
    child = make_ticket("child", parent=a)
    make_ticket("grandchild", parent=child)
    actions.move_ticket(actor=alice, ticket=child, parent=b.number)
    assert numbers(incident) == [(101, 1), (102, 1), (103, 2), (104, 3)]
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []


def test_a_ticket_cannot_go_below_itself_or_its_own_branch(alice: User, incident: Incident, make_ticket) -> None:
    a = make_ticket("A")
    child = make_ticket("child", parent=a)
    for target in (a, child):
        with pytest.raises(ValidationError, match="below itself"):
            actions.move_ticket(actor=alice, ticket=a, parent=target.number)
    assert numbers(incident) == [(101, 1), (102, 2)]


def test_a_tree_deeper_than_fifty_levels_is_refused(alice: User, incident: Incident, make_ticket) -> None:
    ticket = None
    for level in range(50):
        ticket = make_ticket(f"level {level + 1}", parent=ticket)
    with pytest.raises(ValidationError, match="at most 50 levels"):
        make_ticket("too deep", parent=ticket)


def test_moving_with_a_stale_version_is_refused_when_somebody_else_moved_it(
    alice: User, bob: User, incident, make_ticket
) -> None:
    a, b, c = make_ticket("A"), make_ticket("B"), make_ticket("C")
    seen = c.version
    actions.move_ticket(actor=bob, ticket=c, parent=a.number)
    with pytest.raises(Conflict):
        actions.move_ticket(actor=alice, ticket=c, parent=b.number, version=seen)


def test_editing_the_title_with_a_stale_object_keeps_the_new_place(
    alice: User, bob: User, incident, make_ticket
) -> None:
    a, b = make_ticket("A"), make_ticket("B")
    stale = Ticket.objects.get(pk=b.pk)
    actions.move_ticket(actor=bob, ticket=b, parent=a.number)
    actions.edit_ticket(actor=alice, ticket=stale, version=stale.version, fields={"title": "B, renamed"})
    assert numbers(incident) == [(101, 1), (102, 2)]
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []


def test_two_people_editing_the_same_field_the_second_gets_both_texts(alice: User, bob: User, make_ticket) -> None:
    ticket = make_ticket("A")
    actions.edit_ticket(actor=bob, ticket=ticket, version=ticket.version, fields={"title": "Bob's"})
    with pytest.raises(Conflict) as clash:
        actions.edit_ticket(actor=alice, ticket=ticket, version=ticket.version, fields={"title": "Alice's"})
    assert str(clash.value.theirs) == "#101 Bob's"
    assert clash.value.mine == {"title": "Alice's"}


def test_two_people_editing_different_fields_lose_nothing(alice: User, bob: User, make_ticket) -> None:
    ticket = make_ticket("A")
    actions.edit_ticket(actor=bob, ticket=ticket, version=1, fields={"title": "Bob's", "priority": "normal"})
    saved = actions.edit_ticket(actor=alice, ticket=ticket, version=1, fields={"title": "A", "priority": "urgent"})
    assert (saved.title, saved.priority) == ("Bob's", "urgent")


def test_tickets_cannot_be_deleted_or_made_around_the_tree(make_ticket) -> None:
    make_ticket("A")
    with pytest.raises(TreeWriteError):
        Ticket.objects.all().delete()
    with pytest.raises(TreeWriteError):
        Ticket.objects.bulk_create([])


def test_dropping_a_branch_drops_what_is_open_and_keeps_what_is_done(alice: User, incident, make_ticket) -> None:
    a = make_ticket("A")
    done = make_ticket("done", parent=a)
    make_ticket("open", parent=a)
    actions.set_status(actor=alice, ticket=done, status="done")
    assert actions.drop_branch(actor=alice, ticket=a, reason="Ruled out by the customer.") == 2
    rows = dict(Ticket.objects.filter(incident=incident, parent__isnull=False).values_list("title", "status"))
    assert rows == {"A": "dropped", "done": "done", "open": "dropped"}


def test_check_trees_names_each_kind_of_damage(alice: User, incident: Incident, make_ticket) -> None:
    a = make_ticket("A")
    make_ticket("child", parent=a)
    Ticket._base_manager.filter(pk=a.pk).update(level=5)
    assert any("#101" in fault and "level 5" in fault for fault in broken(Incident.objects.get(pk=incident.pk)))
    Ticket._base_manager.filter(pk=a.pk).update(level=1)
    Incident.objects.filter(pk=incident.pk).update(tickets_done=7)
    assert any("tickets_done says 7" in fault for fault in broken(Incident.objects.get(pk=incident.pk)))


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["add", "move", "drop", "lead", "before"]), st.integers(0, 60), st.integers(0, 60)),
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(operations=OPERATIONS)
def test_whatever_people_do_the_tree_stays_sound(alice: User, make_incident, operations) -> None:
    incident = make_incident()
    for what, first, second in operations:
        known = list(Ticket.objects.filter(incident=incident, parent__isnull=False).order_by("number"))
        one, two = (known[i % len(known)] if known else None for i in (first, second))
        try:
            if what == "add" or one is None or two is None:
                actions.add_ticket(
                    actor=alice, incident=incident, title="T", parent=one.number if one and second % 3 else None
                )
            elif what == "move":
                actions.move_ticket(actor=alice, ticket=one, parent=two.number if second % 4 else None)
            elif what == "before":
                above = Ticket.objects.get(pk=two.parent_id)
                actions.move_ticket(
                    actor=alice, ticket=one, parent=above.number if above.parent_id else None, before=two.number
                )
            elif what == "drop":
                actions.drop_branch(actor=alice, ticket=one, reason="No longer needed.")
            else:
                leads.mark_lead(actor=alice, ticket=one, lead=bool(second % 2))
        except ValidationError as refused:
            assert refused.code == "cycle"  # noqa: PT017 (most operations are allowed)
    assert list(broken(Incident.objects.get(pk=incident.pk))) == []
