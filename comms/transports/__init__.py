"""Ways out of the house: one file for each channel, with one function that sends a letter or raises."""

from collections.abc import Callable

from comms.transports import email
from comms.transports.letters import Letter

TRANSPORTS: dict[str, Callable[[Letter], None]] = {"email": email.send}

__all__ = ["TRANSPORTS", "Letter"]
