"""What stands in braces in a message: all of it is replaced, or nothing goes out."""

import time

import pytest
from django.core.exceptions import ValidationError

from runbooks.library import starters
from runbooks.models import DocumentKind
from runbooks.placeholders import EXAMPLES, PLACEHOLDERS, fill, unknown, used
from tests.runbooks.automating import carried_out, give

MESSAGES = [one for one in starters() if one.kind == DocumentKind.TEMPLATE]
TEXT = "Dear {{customer.name}}, {{ incident.title }}: more by {{ next_update }}."


def test_a_message_with_all_it_needs_has_no_braces() -> None:
    values = {"customer.name": "A", "incident.title": "Mail wave", "next_update": "18:00 UTC"}
    assert fill(TEXT, values) == "Dear A, Mail wave: more by 18:00 UTC."


@pytest.mark.parametrize("values", [{}, {"next_update": ""}, {"next_update": " \n"}])
def test_a_message_that_does_not_say_when_the_reader_hears_again_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        fill(TEXT, {"customer.name": "A", "incident.title": "Mail wave", **values})
    assert refused.value.messages == ["Say what this message needs: When the reader hears of it again."]


def test_all_that_is_missing_is_said_at_once() -> None:
    with pytest.raises(ValidationError) as refused:
        fill(TEXT, {})
    assert len(refused.value.messages) == 3


def test_a_value_is_never_read_as_a_placeholder() -> None:
    assert fill("{{ incident.title }}", {"incident.title": "{{ sender.email }}"}) == "{{ sender.email }}"


def test_what_no_column_knows_is_what_the_sender_says() -> None:
    assert [name for name, one in PLACEHOLDERS.items() if one.by_hand] == ["next_update"]


@pytest.mark.parametrize("one", MESSAGES, ids=lambda one: one.slug)
def test_each_message_of_the_library_is_whole_with_its_values_and_refused_without_one(one) -> None:
    assert "{{" not in fill(one.subject, EXAMPLES) + fill(one.body, EXAMPLES)
    for name in used(one.subject, one.body):
        with pytest.raises(ValidationError):
            fill(one.subject + one.body, {**EXAMPLES, name: ""})


def test_an_automation_tells_nobody_of_what_it_does_not_know(db, make_ticket, alice, bob) -> None:
    parameters = {"text": "We report again at {{ next_update }}", "people": ["bob"]}
    done = carried_out(give(make_ticket(), alice, "notify", parameters), alice)
    assert (done.state, "next_update" in done.error) == ("failed", True)
    assert not bob.notifications.filter(text__startswith="We report").exists()


LONG = 32_000


@pytest.mark.parametrize(
    "text", ["{{" * LONG, "{{ x }}" + "{{" * LONG, "}}" * LONG, "{{x}}\n" * LONG, "{" * LONG, "{{ " * LONG + "}}"]
)
def test_a_text_full_of_braces_is_read_in_the_time_of_any_other(text: str) -> None:
    began = time.process_time()
    assert list(unknown(text))
    assert used(text) == {}
    assert fill(text, {}) == text
    assert time.process_time() - began < 2  # half a minute, where each was looked for again


def test_what_is_wrong_with_braces_is_said_with_its_place() -> None:
    text = "Dear {{ customer.name }},\n\n  {{ custmer.name }}\nand {{ x\n y }} }} {% if %}\n{{"
    assert [(one.line, one.column, one.text) for one in unknown(text)] == [
        (3, 3, "{{ custmer.name }}"), (4, 5, "{{ x y }}"), (5, 7, "}}"), (5, 10, "{%"), (5, 16, "%}"), (6, 1, "{{"),
    ]  # fmt: skip
