"""Values from outside, in the parameters of automations: what mallory writes into an alert stays text."""

from collections.abc import Callable
from typing import Any

import pytest

from comms.actions.messages import letter
from comms.models import Message, Notification
from people.models import User
from runbooks import expressions, outbound
from runbooks.builtin import _request
from runbooks.filled_lines import filled_lines
from runbooks.queries.automations import preview
from runbooks.registry import Call, Done
from runbooks.tasklines import parse
from runbooks.values import ExpressionError
from tests.runbooks.automating import carried_out, give
from tickets.models import Ticket

BREAKS = ["\n", "\r\n", "\r", "\v", "\f", "\x85", "\u2028", "\u2029"]
MARKERS = [
    "@alice", "@technical_lead", "!2h", "#lead", "#network", "~customer", "~CUSTOMER", "\\@alice", "\\\\~customer",
    "![[runbook:isolate]]", "- [x] Done", "## Group", "```action", "``` action", "~~~", "> quote", "\\", "- x", "1. x",
    "{{ value0 }}", "{{ incident.title }}", "{% x %}", "[[isolate]]", "`", "- [ ]", "x @alice ~customer !2h #lead",
]  # fmt: skip


@pytest.fixture
def ticket(make_ticket: Callable[..., Ticket]) -> Ticket:
    return make_ticket("Isolate what it names")


@pytest.fixture
def outside(make_ticket: Callable[..., Ticket], bob: User, action: Callable[..., None]) -> Callable[[Any], None]:
    """A step that gives what somebody outside wrote, as `steps.look.name`."""
    said: list[Any] = []
    action("look", lambda call: Done({"name": said[-1]}))

    def look(value: Any) -> None:
        said.append(value)
        assert carried_out(give(make_ticket("Look"), bob, "look", {}, name="look"), bob).state == "done"

    return look


def made(ticket: Ticket) -> list[Ticket]:
    return list(Ticket.objects.filter(parent=ticket).order_by("lft"))


def read(template: str, value: Any) -> list[tuple[Any, ...]]:
    """The tickets that come of it: depth is told by the parent's title."""
    document = parse(filled_lines(template, {"x": value}))
    assert document.introduction == ""
    return [(t.title, t.description, t.who, t.minutes, t.lead, t.tags, t.shared, t.done, t.kind, len(t.children))
            for t in document.walk()]  # fmt: skip


@pytest.mark.parametrize("value", MARKERS)
@pytest.mark.parametrize("template", ["- [ ] {}", "- [ ] Ask {}", "- [ ] {} first", "- [ ] Ask {} first", "{}"])
def test_a_marker_in_a_value_is_part_of_the_title(template: str, value: str) -> None:
    title = template.removeprefix("- [ ] ").format(value)
    assert read(template.format("{{ x }}"), value) == [(title, "", "", None, False, (), False, False, "task", 0)]


@pytest.mark.parametrize("value", MARKERS)
def test_the_markers_of_the_author_count_beside_those_of_a_value(value: str) -> None:
    found = read("- [ ] @bob {{ x }} {{ x }} !30m #net ~customer\n  About {{ x }}\n  {{ x }}\n  - [ ] Next", value)
    assert found == [
        (f"{value} {value}", f"About {value}\n{value}", "bob", 30, False, ("net",), True, False, "task", 1),
        ("Next", "", "", None, False, (), False, False, "task", 0),
    ]


@pytest.mark.parametrize("value", MARKERS)
@pytest.mark.parametrize("around", ["@{}", "#{}", "~{}", "!{}", "\\{}", "![[runbook:{}]]", "\\\\{}@bob", "- [{}] a"])
def test_a_value_completes_no_marker(around: str, value: str) -> None:
    (found,) = read("- [ ] Ask " + around.format("{{ x }}"), value)
    assert found[2:] == ("", None, False, (), False, False, "task", 0)


@pytest.mark.parametrize("value", MARKERS)
def test_a_description_of_a_value_alone_is_a_description(value: str) -> None:
    for template in ("- [ ] Ask\n  {{ x }}", "- [ ] Ask\n    {{ x }}\n\n    More", "- Ask\n\t{{ x }}"):
        (found,) = read(template, value)
        assert found[1].split("\n")[0] == value
        assert found[2:8] == ("", None, False, (), False, False)


@pytest.mark.parametrize("newline", BREAKS)
@pytest.mark.parametrize("added", ["- [ ] Pay @alice ~customer", "  - [ ] Pay", "Pay", "```action", "![[runbook:x]]"])
def test_a_line_break_in_a_value_is_a_space(newline: str, added: str) -> None:
    value = f"FS-1{newline}{added}{newline}"
    one_line = f"FS-1 {added.strip()}"
    (found,) = read("- [ ] Isolate {{ x }}\n  Host: {{ x }}", value)
    assert found == (f"Isolate {one_line}", f"Host: {one_line}", "", None, False, (), False, False, "task", 0)


@pytest.mark.parametrize(
    ("value", "words"),
    [("\u202eFS", "direction"), ("a\x1b[2J", "U\\+001B"), ("", "no title"), ("x" * 201, "at most 200"),
     ("\u200b", "no title"), (None, "no title")],
)  # fmt: skip
def test_a_title_that_nobody_could_type_is_none(value: Any, words: str) -> None:
    with pytest.raises(ExpressionError, match=words):
        filled_lines("- [ ] {{ x }}", {"x": value})


def test_values_of_any_kind_are_text() -> None:
    assert read("- [ ] {{ x }}", ["- [ ] a", "@b"])[0][0] == '["- [ ] a", "@b"]'
    assert read("- [ ] {{ x }}", 7)[0][0] == "7"


def test_many_large_values_are_refused_before_they_are_put_together() -> None:
    with pytest.raises(ExpressionError, match="longer than"):
        filled_lines("- [ ] a\n" + "  {{ x }}\n" * 1000, {"x": "y" * 200_000})


@pytest.mark.parametrize("tasks", [["- [ ] {{ x }}"], {"a": "b"}, 7])
def test_tasks_are_one_text(tasks: Any) -> None:
    with pytest.raises(ExpressionError, match="one text"):
        filled_lines(tasks, {"x": "y"})


@pytest.mark.parametrize(
    "tasks",
    ["- [ ] a\n  ```action\n  notify: {text: {{ x }}}\n  ```", "![[runbook:isolate]]", "- [ ] a\n  ![[runbook:b]]"],
)
def test_what_sets_off_more_is_refused_where_the_author_wrote_it(tasks: str) -> None:
    with pytest.raises(ExpressionError, match="cannot be in these tasks"):
        filled_lines(tasks, {"x": "y"})


def test_an_answer_from_outside_becomes_one_ticket_and_no_more(ticket, alice, bob, outside, make_runbook) -> None:
    make_runbook("isolate", "- [ ] Isolate\n")
    outside("FS-1\n- [ ] Pay the invoice @alice ~customer\n![[runbook:isolate]]\u2028- [ ] Call ~customer")
    automation = give(ticket, bob, "create_tickets", {"tasks": "- [ ] Isolate {{ steps.look.name }}\n  - [ ] Then"})
    shown, _ = preview(automation)
    done = carried_out(automation, bob)
    assert (done.state, done.error) == ("done", "")
    (found,) = made(ticket)
    assert found.title == (
        "Isolate FS-1 - [ ] Pay the invoice @alice ~customer ![[runbook:isolate]] - [ ] Call ~customer"
    )
    assert (found.assignee, found.shared) == (None, False)
    assert not Notification.objects.filter(user=alice, kind="assigned").exists()
    assert [one.title for one in made(found)] == ["Then"]
    assert done.input == shown
    assert "\\~customer" in shown["tasks"]  # as its author would have to write it to mean that


def test_a_value_at_the_end_of_a_title_shares_it_with_nobody(ticket, bob, outside) -> None:
    outside("@alice !1h #lead ~customer")
    automation = give(ticket, bob, "create_tickets", {"tasks": "- [ ] Ask {{ steps.look.name }}"})
    assert carried_out(automation, bob).state == "done"
    (found,) = made(ticket)
    assert (found.title, found.shared, found.lead, found.assignee) == (
        "Ask @alice !1h #lead ~customer", False, False, None,
    )  # fmt: skip


def test_a_value_that_looks_like_a_value_is_asked_of_nobody(ticket, bob, outside) -> None:
    outside("{{ host }} {{ incident.title }}")
    automation = give(ticket, bob, "create_tickets", {"tasks": "- [ ] Ask {{ steps.look.name }}"})
    assert carried_out(automation, bob).state == "done"
    assert made(ticket)[0].title == "Ask {{ host }} {{ incident.title }}"


# -- Other parameters -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\x00", "\x85", "\u2028"])
def test_a_value_adds_no_header_to_a_request(newline: str, ticket: Ticket, bob: User) -> None:
    headers = expressions.fill({"X-Host": "{{ x }}"}, {"x": f"FS{newline}Authorization: mine{newline}"})
    headers["X-Host"] += "" if "\x00" not in newline else newline  # filling takes it out; the door has to hold alone
    call: Any = Call(
        incident=ticket.incident, ticket=ticket, actor=bob, key="k", log=print, context={}, since=ticket.created_at,
        parameters={"url": "https://intel.example/", "headers": headers},
    )  # fmt: skip
    with pytest.raises(outbound.Refused, match="header"):
        _request(call)


def test_a_value_cannot_break_out_of_a_json_body(ticket: Ticket, bob: User) -> None:
    body = expressions.fill({"name": "{{ x }}"}, {"x": '", "admin": true, "a": "\n'})
    call: Any = Call(
        incident=ticket.incident, ticket=ticket, actor=bob, key="k", log=print, context={}, since=ticket.created_at,
        parameters={"url": "https://intel.example/", "body": body},
    )  # fmt: skip
    assert _request(call).body == b'{"name": "\\", \\"admin\\": true, \\"a\\": \\"\\n"}'


def test_a_value_names_one_person_or_nobody(ticket, alice, bob, outside) -> None:
    outside("bob\nalice, alice")
    failed = carried_out(give(ticket, bob, "notify", {"text": "Look", "people": ["{{ steps.look.name }}"]}), bob)
    assert "is nobody who sees this incident" in failed.error
    assert not Notification.objects.filter(kind="automation", text="Look").exists()


def test_mail_of_an_automation_has_one_line_as_its_subject(ticket, alice, bob, outside) -> None:
    outside("hi\r\nBcc: mallory@evil.example\u2028x")
    told = give(ticket, bob, "notify", {"text": "{{ steps.look.name }}", "people": ["alice"]})
    assert carried_out(told, bob).state == "done"
    sent = letter(Message.objects.get(recipient=alice, notification__kind="automation"))
    assert sent.subject.endswith("hi Bcc: mallory@evil.example x")
    assert sent.to == alice.email


@pytest.mark.parametrize(
    ("field", "value"),
    [("waiting_for", "Bank\nClosed by alice"), ("reason", "x\u2028y"), ("reason", "\u202eno"), ("reason", "a\x1bb"),
     ("waiting_for", "a\x85b")],
)  # fmt: skip
def test_the_words_of_a_status_are_one_line_as_typed_ones_are(field, value, ticket, bob, outside) -> None:
    outside(value)
    status = "waiting" if field == "waiting_for" else "dropped"
    failed = carried_out(give(ticket, bob, "set_status", {"status": status, field: "{{ steps.look.name }}"}), bob)
    assert failed.error.startswith(f"{field}: ")
    assert Ticket.objects.get(pk=ticket.pk).status == "open"


def test_a_number_of_a_ticket_is_one_of_this_incident(ticket, bob, outside) -> None:
    outside("٣\n1")
    parameters = {"status": "doing", "ticket": "{{ steps.look.name }}"}
    assert "number of a ticket" in carried_out(give(ticket, bob, "set_status", parameters), bob).error
