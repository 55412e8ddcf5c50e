"""A clock that can be set back, so that the demo's history reads as if it had happened over days."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.utils import timezone

_real_now = timezone.now


class Clock:
    """Tells a time of its own; every look moves it by a second, so that nothing happens at once."""

    def __init__(self, start: dt.datetime) -> None:
        self.at = start

    def __call__(self) -> dt.datetime:
        self.at = min(self.at + dt.timedelta(seconds=1), _real_now())
        return self.at

    def set(self, moment: dt.datetime) -> None:
        """Go on to a later moment; never back, the journal is in order."""
        self.at = max(self.at, moment)

    def skip(self, minutes: float) -> None:
        """Let some minutes pass."""
        self.at += dt.timedelta(minutes=minutes)


@contextmanager
def set_back(start: dt.datetime) -> Iterator[Clock]:
    """While this lasts, the program's clock is the given one."""
    clock = Clock(start)
    with patch.object(timezone, "now", clock):
        yield clock
