"""Text that comes in is stored readable, or refused with a reason."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from core.text import clean_text


def refusal(value: str, *, multiline: bool = False) -> str | None:
    with pytest.raises(ValidationError) as refused:
        clean_text(value, max_length=200, multiline=multiline)
    return refused.value.code


def test_a_title_is_trimmed_and_keeps_its_script_and_signs() -> None:
    woman_at_a_computer = "\U0001f469\u200d\U0001f4bb"
    title = clean_text(f" 日本:\tメール {woman_at_a_computer} e\u0301 ", max_length=200, multiline=False)
    assert title == f"日本: メール {woman_at_a_computer} e\u0301"


def test_many_combining_marks_on_one_letter_are_fine() -> None:
    text = "a" + "\u0301" * 150
    assert clean_text(text, max_length=200, multiline=False) == text


@pytest.mark.parametrize("multiline", [True, False])
@pytest.mark.parametrize(
    "value", ["", "  ", "\u200b\u200b", "\u200f", "\u3164", "\u2800", "\u00ad", "\u0301", "\U000e0041", "\ufeff"]
)
def test_a_text_that_nobody_can_see_is_refused(value: str, multiline: bool) -> None:
    assert refusal(value, multiline=multiline) == "invisible"


@pytest.mark.parametrize("multiline", [True, False])
def test_what_no_database_takes_is_refused(multiline: bool) -> None:
    assert refusal("a\x00b", multiline=multiline) == "null_characters"
    assert refusal("a\ud800b", multiline=multiline) == "surrogate"


def test_a_title_is_one_line_without_hidden_signs() -> None:
    assert refusal("a\nb") == "newline"
    assert refusal("a\r\nb") == "newline"
    assert refusal("a\u2028b") == "newline"
    assert refusal("a\x1b]0;pwn\x07") == "control"
    assert refusal("a\x9bb") == "control"


@pytest.mark.parametrize("sign", "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
def test_a_title_cannot_hide_its_words_by_direction_but_a_comment_may_quote_such_a_name(sign: str) -> None:
    assert refusal(f"invoice{sign}gpj.exe") == "direction"
    text = f"the file invoice{sign}gpj.exe"
    assert clean_text(text, max_length=None, multiline=True) == text


def test_a_comment_keeps_its_lines_and_loses_terminal_codes() -> None:
    assert clean_text("a\r\nb\rc\u2028d\te\x1b[0m\n", max_length=None, multiline=True) == "a\nb\nc\nd\te[0m"


def test_length_counts_characters_as_stored() -> None:
    assert clean_text("a\r\n" * 67, max_length=200, multiline=True) == "\n".join("a" * 67)
    with pytest.raises(ValidationError, match=r"at most 200 characters \(this has 201\)"):
        clean_text("a" * 201, max_length=200, multiline=False)


def test_an_empty_text_is_fine_where_none_is_required() -> None:
    assert clean_text(" \t", max_length=200, multiline=False, required=False) == ""


@given(st.text(alphabet=st.characters(exclude_categories=()), max_size=40), st.booleans())
def test_what_is_accepted_is_stored_as_it_is_the_second_time(value: str, multiline: bool) -> None:
    try:
        once = clean_text(value, max_length=None, multiline=multiline)
    except ValidationError:
        return
    once.encode()
    assert "\x00" not in once
    assert clean_text(once, max_length=None, multiline=multiline) == once
