"""1,000 automations and one worker that is killed twice: how many are lost, how many doubled, and how long it takes."""

import tempfile
from pathlib import Path

from bench.lines import Lines
from tests.services.test_automations_once import finished_once

COUNT = 1000


def measure() -> int:
    """Print what became of them; gives how many figures are over their limit."""
    lines = Lines("sqlite-")
    with tempfile.TemporaryDirectory(prefix="treeline-automations-") as folder:
        found, seconds = finished_once(Path(folder), COUNT)
    lines.line("automation-runs-lost", COUNT - found["results"], "rows", 0)
    lines.line("automation-runs-doubled", found["doubled"], "rows", 0)
    lines.line("automation-runs-1000", seconds, "s")
    return lines.over
