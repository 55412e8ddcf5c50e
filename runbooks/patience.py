"""How long until the next try: our own backoff, or what the other side asks for (Retry-After, RFC 9110, 10.2.3)."""

import random

from django.utils import timezone
from django.utils.http import parse_http_date_safe

MOST = 3600.0
FIRST = 30.0
SPREAD = 0.2


def asked(text: str) -> float | None:
    """Seconds that a Retry-After asks for, at most an hour; None where it says nothing that lies ahead."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text[:400])  # more digits than any float has
    else:
        date = parse_http_date_safe(text)
        seconds = date - timezone.now().timestamp() if date is not None else 0.0
    return min(seconds, MOST) if seconds > 0 else None


def pause(attempts: int, after: float | None = None) -> float:
    """Seconds to wait after this many tries: 30, doubled each time, and no less than `after`; an hour at most.

    Each wait has a fifth of chance in it, so that many that were refused at once do not come back at once. It is added
    to what was asked for, so that nobody comes too early, unless the hour leaves no room for it.
    """
    ours = min(FIRST * 2.0 ** min(attempts - 1, 20), MOST) * random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - spreads
    if after is None or not after > 0:  # a plug-in may say NaN
        theirs = 0.0
    elif after >= MOST:
        theirs = MOST * random.uniform(1 - SPREAD, 1)  # noqa: S311 - the same
    else:
        theirs = random.uniform(after, min(after * (1 + SPREAD), MOST))  # noqa: S311 - the same
    return min(max(ours, theirs), MOST)
