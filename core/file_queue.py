"""The queue in files, for one machine without Redis: kombu's, with messages that appear whole or not at all.

kombu writes a message in place, so a worker that looks at the wrong moment reads half of one and ends. Here it is
written aside first and then renamed (`broker_transport` in config/settings.py).
"""

import time
import uuid
from pathlib import Path
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """kombu's channel, but for how a message gets into the folder."""

    def _put(self, queue: str, payload: Any, **_: object) -> None:  # type: ignore[override] # kombu's stubs disagree
        """Add a message, named so that the oldest is read first.

        Raises:
            ChannelError: the folder cannot be written.
        """
        final = Path(self.data_folder_out) / f"{time.monotonic_ns():020}_{uuid.uuid4()}.{queue}.msg"
        half = final.with_suffix(".part")  # which no reader looks for
        try:
            half.write_text(dumps(payload), encoding="utf-8")
            half.replace(final)
        except OSError as problem:
            raise ChannelError(f"The queue's folder cannot be written: {problem.strerror}.") from problem


class Transport(filesystem.Transport):
    """What `broker_transport` names."""

    Channel = Channel
