"""G8: many processes that add, move and drop in one tree leave it sound, and every accepted change is in it."""

from collections import Counter

import pytest

from tests.tickets.crowd import crowd

pytestmark = [pytest.mark.security, pytest.mark.services]
PROCESSES, EACH = 8, 100


def test_eight_processes_in_one_tree_break_nothing_and_lose_nothing(tmp_path, capsys) -> None:
    with crowd(tmp_path) as people:
        number = people.one("prepare")
        answers = people.all([("mix", number, str(seed), str(EACH)) for seed in range(PROCESSES)])
        after = people.one("state", number)
    counts: Counter[str] = Counter()
    for answer in answers:
        counts.update(answer)
    verbs, lost = after["verbs"], after["tickets"] - 1 - counts["add"]
    with capsys.disabled():
        print(
            f"\nG8 tree: {PROCESSES} processes x {EACH} changes: {counts['add']} added, {counts['move']} moved, "
            f"{counts['edit']} edited, {counts['drop']} dropped, {counts['refused']} refused, "
            f"{counts['failed']} failed (deadlocks among them), {len(after['broken'])} broken, {lost} lost"
        )
    assert counts["failed"] == 0
    assert sum(counts.values()) == PROCESSES * EACH
    assert after["broken"] == []
    assert (lost, after["last"]) == (0, 101 + counts["add"])
    assert (verbs["ticket.added"], verbs["ticket.branch_dropped"]) == (counts["add"] + 1, counts["drop"])
    assert verbs["ticket.moved"] <= counts["move"]  # a move to its own place is no change
    # every row of history has its line in the journal: the root, the additions, the moves, each ticket of a drop
    assert verbs["ticket.edited"] == counts["edit"]
    assert after["rows"] == 1 + sum(verbs[f"ticket.{what}"] for what in ("added", "moved", "edited")) + after["dropped"]
    assert min(counts["add"], verbs["ticket.moved"], counts["edit"], counts["drop"]) > 20
