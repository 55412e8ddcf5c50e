"""What documents refer to: read in one pass, however a line is made."""

import time

import pytest

from runbooks.links import links_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See [[a]] and [[B|words]].", {"a", "b"}), ("`[[a]]` and [[b]]", {"b"}), ("``[[a]] ` [[b]]`` [[c]]", {"c"}),
        ("` [[a]]", {"a"}), ("`` [[a]] `", {"a"}), ("`x` [[a]] `y`", {"a"}), ("```\n[[a]]\n```\n[[b]]", {"b"}),
        ("![[a]] and \\[[b]]", set()), ("a `b` c ``d`` [[e]] `[[f]]` [[g]]", {"e", "g"}),
    ],
)  # fmt: skip
def test_what_stands_in_code_refers_to_nothing(text: str, found: set[str]) -> None:
    assert links_in(text) == found


@pytest.mark.parametrize(
    "line",
    ["`" * 1_000_000, "a".join("`" * length for length in range(1, 1400)), "`` ` " * 200_000, "[[" * 500_000],
)
def test_a_line_of_a_megabyte_takes_no_time(line: str) -> None:
    began = time.monotonic()
    assert links_in(f"[[{line} [[a]]") == {"a"}
    assert time.monotonic() - began < 5
