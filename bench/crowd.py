"""Eight processes that change one tree at once, 5,000 times in all, and eight that open 200 incidents."""

import tempfile
from collections import Counter
from pathlib import Path

from bench.lines import Lines
from tests.tickets.crowd import crowd, standing

PROCESSES, CHANGES, INCIDENTS = 8, 5000, 200


def measure(*, sqlite: bool) -> int:
    """Print what became of them; gives how many figures are over their limit."""
    lines = Lines("sqlite-" if sqlite else "")
    with tempfile.TemporaryDirectory(prefix="treeline-crowd-") as folder, crowd(Path(folder), sqlite=sqlite) as people:
        number = people.one("prepare")
        tasks = [("mix", number, str(seed), str(CHANGES // PROCESSES)) for seed in range(PROCESSES)]
        counts: Counter[str] = Counter()
        with lines.timed("crowd-5000", "s"):
            for answer in people.all(tasks):
                counts.update(answer)
        after = people.one("tree", number)
        opened = people.all([("open_many", str(INCIDENTS // PROCESSES))] * PROCESSES)
        faults = len(after["broken"]) + len(people.one("tree", number)["broken"])
    lines.line("crowd-5000-refused", counts["refused"], "changes")
    lines.line("crowd-5000-failed", counts["failed"], "changes", 0)
    lines.line("crowd-5000-lost", abs(after["tickets"] - 1 - standing(counts)), "tickets", 0)
    lines.line("crowd-5000-broken", faults, "trees", 0)
    lines.line("crowd-5000-unanswered", after["unanswered"], "rows of history", 0)
    lines.line("opened-at-once", len({found for some in opened for found in some}), "numbers", INCIDENTS, exactly=True)
    return lines.over
