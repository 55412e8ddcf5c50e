"""G8: many processes that change one tree in every way leave it sound, and every accepted change is in it."""

from collections import Counter

import pytest

from tests.tickets.crowd import crowd, standing

pytestmark = [pytest.mark.security, pytest.mark.services]
PROCESSES, EACH = 8, 100
WAYS = ("add", "move", "edit", "drop", "plant", "bulk", "replace", "purge")
TOLD = {
    "add": "ticket.added", "drop": "ticket.branch_dropped", "plant": "tickets.planted",
    "bulk": "tickets.changed", "purge": "ticket.deleted",
}  # fmt: skip


def test_eight_processes_in_one_tree_break_nothing_and_lose_nothing(tmp_path, capsys) -> None:
    with crowd(tmp_path) as people:
        number = people.one("prepare")
        answers = people.all([("mix", number, str(seed), str(EACH)) for seed in range(PROCESSES)])
        after = people.one("tree", number)
    counts: Counter[str] = Counter()
    for answer in answers:
        counts.update(answer)
    verbs, lost = after["verbs"], after["tickets"] - 1 - standing(counts)
    done = {way: counts[way] for way in WAYS}
    with capsys.disabled():
        print(
            f"\nG8 tree: {PROCESSES} processes x {EACH} changes: {done}, {counts['nothing']} nothing to do, "
            f"{counts['refused']} refused, {counts['failed']} failed (deadlocks among them), "
            f"{len(after['broken'])} broken, {lost} lost, {after['unanswered']} rows of history without an entry"
        )
    assert counts["failed"] == 0
    assert sum(done.values()) + counts["nothing"] + counts["refused"] == PROCESSES * EACH
    assert (after["broken"], after["unanswered"]) == ([], 0)
    assert (lost, after["last"]) == (0, 101 + counts["add-tickets"] + counts["plant-tickets"])
    assert verbs["ticket.moved"] <= counts["move"]  # a move to its own place is no change
    assert {verb: verbs[verb] for verb in TOLD.values()} == {
        verb: counts[way] + (way == "add") for way, verb in TOLD.items()
    }
    assert min(done.values()) > 0
    assert min(counts["add"], verbs["ticket.moved"], counts["edit"], counts["bulk"]) > 20
