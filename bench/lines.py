"""The lines that benchmarks print: `bench NAME VALUE UNIT limit LIMIT ok|over`."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

WHOLE = {"queries", "changes", "tickets", "trees", "numbers", "rows"}


class Lines:
    """Prints figures under a common prefix and counts those over their limit."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.over = 0

    def line(self, name: str, value: float, unit: str, limit: float | None = None, *, exactly: bool = False) -> None:
        """Print one figure; without a limit it is only told."""
        wrong = limit is not None and (value != limit if exactly else value > limit)
        self.over += wrong
        shown = f"{value:.0f}" if unit in WHOLE else f"{value:.2f}"
        verdict = "over" if wrong else "ok"
        print(f"bench {self.prefix}{name} {shown} {unit} limit {'-' if limit is None else limit} {verdict}", flush=True)

    @contextmanager
    def timed(self, name: str, unit: str, limit: float | None = None) -> Iterator[None]:
        """Print how long the block took, in seconds or milliseconds."""
        start = time.perf_counter()
        yield
        self.line(name, (time.perf_counter() - start) * (1000 if unit == "ms" else 1), unit, limit)
