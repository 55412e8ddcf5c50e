"""What a transport is given."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Letter:
    """Plain text for one person. `key` is the same for every attempt; `subject` is one line."""

    key: str
    to: str
    subject: str
    text: str
