"""Incident numbers under load: each once, without gaps."""

import pytest

from tests.tickets.crowd import crowd

pytestmark = pytest.mark.services
PROCESSES, EACH = 8, 25


def test_two_hundred_incidents_opened_at_once_are_numbered_without_gaps(tmp_path, capsys) -> None:
    with crowd(tmp_path) as people:
        first = people.one("prepare")
        answers = people.all([("open_many", str(EACH))] * PROCESSES)
    numbers = [number for answer in answers for number in answer] + [first]
    days: dict[str, list[int]] = {}  # a test that runs over midnight counts two days
    for number in numbers:
        day, _, count = number.rpartition("-")
        days.setdefault(day, []).append(int(count))
    gapless = all(sorted(counts) == list(range(1, len(counts) + 1)) for counts in days.values())
    with capsys.disabled():
        print(
            f"\nnumbers: {len(numbers)} incidents, {PROCESSES} processes, {len(set(numbers))} unique, gapless {gapless}"
        )
    assert len(set(numbers)) == len(numbers) == PROCESSES * EACH + 1
    assert gapless
