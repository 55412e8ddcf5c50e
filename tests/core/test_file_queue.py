"""The queue in files hands over whole messages, however often a worker looks into the folder."""

import threading
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from celery import current_app
from kombu import Connection
from kombu.exceptions import ChannelError

from core.file_queue import Transport

MANY, BIG = 150, "x" * 300_000  # so big that writing one takes a while


def _connect(folder: Path) -> Any:
    options = {"data_folder_in": str(folder), "data_folder_out": str(folder), "control_folder": str(folder / "control")}
    return Connection("localhost", transport=Transport, transport_options=options)


def test_a_worker_that_looks_all_the_time_reads_every_message_once_and_whole(tmp_path: Path) -> None:
    def write() -> None:
        with _connect(tmp_path) as connection:
            for number in range(MANY):
                connection.channel()._put("work", {"number": number, "text": BIG})

    found: list[dict[str, Any]] = []
    writer = threading.Thread(target=write)
    writer.start()
    with _connect(tmp_path) as connection:
        channel = connection.channel()
        while writer.is_alive() or channel._size("work"):
            try:
                found.append(channel._get("work"))
            except Empty:
                continue
    writer.join()
    assert [message["number"] for message in found] == list(range(MANY))
    assert {message["text"] for message in found} == {BIG}
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


def test_a_folder_that_is_gone_is_said_as_a_queue_that_is_down(tmp_path: Path) -> None:
    with _connect(tmp_path / "gone") as connection, pytest.raises(ChannelError, match="cannot be written"):
        connection.channel()._put("work", {})


def test_without_redis_it_is_what_work_is_woken_by() -> None:
    with current_app.connection_for_write() as connection:
        assert isinstance(connection.transport, Transport)
