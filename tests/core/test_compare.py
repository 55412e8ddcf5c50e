"""What differs between two texts: whoever must choose sees it, however long and however hostile they are."""

import difflib

import pytest

from core import compare
from core.compare import Piece, difference


def side(pieces: list[Piece], gone: str) -> str:
    """One of the two texts, put together again."""
    return "".join(piece.text for piece in pieces if piece.kind != gone)


def test_a_changed_word_is_marked_within_its_line() -> None:
    pieces = difference("Alice saw two hosts.\nBob saw none.", "Alice saw three hosts.\nBob saw none.")
    assert pieces == [
        Piece("same", "Alice saw "), Piece("del", "two "), Piece("ins", "three "),
        Piece("same", "hosts.\nBob saw none.\n"),
    ]  # fmt: skip


def test_lines_that_share_hardly_a_word_are_replaced_as_a_whole() -> None:
    pieces = difference("First the mail server was taken over by night", "Nobody knows who was there")
    assert pieces is not None
    assert [piece.kind for piece in pieces] == ["del", "ins"]


def test_a_line_that_only_one_of_them_wrote_stands_alone() -> None:
    assert difference("one\nthree", "one\ntwo\nthree") == [
        Piece("same", "one\n"), Piece("ins", "two\n"), Piece("same", "three\n")
    ]  # fmt: skip


def test_what_is_far_from_a_change_is_counted_not_shown() -> None:
    lines = [f"line {number}" for number in range(100)]
    pieces = difference("\n".join(lines), "\n".join([*lines[:50], "Bob's line", *lines[50:]]))
    assert pieces is not None
    assert [(piece.kind, piece.lines) for piece in pieces] == [
        ("gap", 48), ("same", 0), ("ins", 0), ("same", 0), ("gap", 48)
    ]  # fmt: skip
    assert pieces[1].text == "line 48\nline 49\n"


@pytest.mark.parametrize(("old", "new"), [("same", "same"), ("same", "same\n\n"), ("", ""), ("\n", "")])
def test_texts_that_read_the_same_have_no_difference(old: str, new: str) -> None:
    assert difference(old, new) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "all of it"), ("all of it", ""), ("a b c", "c b a"), ("a\r\nb", "a\nc"), ("a\n\n\nb", "a\nb"),
        ("<b>\u202e&", "<i>\u202e&"), ("one two\nthree four\nfive", "one 2\nthree\nfour five"),
    ],
)  # fmt: skip
def test_both_texts_can_be_read_from_the_difference(old: str, new: str) -> None:
    pieces = difference(old, new)
    assert pieces is not None
    assert side(pieces, "ins").split() == old.split()
    assert side(pieces, "del").split() == new.split()


HUNDRED_KB = {
    "one long line": ("a b " * 25_000, "a c " * 25_000),
    "two lines over and over": ("a\nb\n" * 25_000, "b\na\n" * 25_000),
    "nothing but empty lines": ("\n" * 100_000 + "x", "\n" * 99_000 + "y"),
    "lines shuffled": (
        "\n".join(str(number) for number in range(15_000)), "\n".join(str(number) for number in range(15_000, 0, -1))
    ),
}  # fmt: skip


@pytest.mark.parametrize("texts", HUNDRED_KB.values(), ids=HUNDRED_KB)
def test_texts_that_would_take_long_are_not_given_to_difflib(texts, monkeypatch) -> None:
    given: list[int] = []
    real = difflib.SequenceMatcher

    def counted(junk: None, a: list[str], b: list[str], *, autojunk: bool) -> object:
        given.append(sum(a.count(item) * b.count(item) for item in set(a)))
        assert len(a) + len(b) <= compare.MOST_LINES
        return real(junk, a, b, autojunk=autojunk)

    monkeypatch.setattr(difflib, "SequenceMatcher", counted)
    difference(*texts)
    assert sum(given) <= 2 * compare.MOST_PAIRS


def test_long_lines_that_are_too_many_words_are_compared_as_lines() -> None:
    words = " ".join(f"word{number}" for number in range(9000))
    pieces = difference(f"kept\n{words} one", f"kept\n{words} two")
    assert pieces is not None
    assert [piece.kind for piece in pieces] == ["same", "del", "ins"]


def test_two_changes_far_apart_in_a_hundred_kilobytes_are_both_found() -> None:
    old = [f"{number:04} of a long report about the attacker" for number in range(2400)]
    new = list(old)
    new[7], new[2390] = "0007 of a long report about the victim", "2390 of a long report about the victim"
    pieces = difference("\n".join(old), "\n".join(new))
    assert pieces is not None
    assert [piece.text.strip() for piece in pieces if piece.kind == "ins"] == ["victim", "victim"]


def test_texts_without_a_common_line_in_too_many_are_not_compared() -> None:
    assert difference("a\n" * 3000, "b\n" * 3000) is None
