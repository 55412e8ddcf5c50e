"""Web servers on loopback that say what a test wants, byte for byte, and a look at every socket that is connected.

serve, connected = pytest.fixture(serving), pytest.fixture(watching)
"""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runbooks.outbound import Answer, Request, fetch

Serve = Callable[..., int]


def watching(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a socket is connected to."""
    found: list[Any] = []

    class Watched(socket.socket):
        def connect(self, address: Any) -> None:
            found.append(address)
            if address[0] != "127.0.0.1":
                raise ConnectionRefusedError  # no test goes to the Internet
            super().connect(address)

    monkeypatch.setattr(socket, "socket", Watched)
    return found


def serving() -> Iterator[Serve]:
    """A server on loopback that answers with what `answer` gives: bytes as they go over the wire."""
    servers = []

    def start(answer: Callable[[Any, bytes], None]) -> int:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b""
                while b"\r\n\r\n" not in head and (part := self.connection.recv(65536)):
                    head += part
                try:
                    answer(self.connection, head)
                except OSError:
                    return

        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()  # so soon it can be stopped
        return int(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def says(text: str, heard: list[bytes] | None = None) -> Callable[[Any, bytes], None]:
    """What a server answers to whatever it is asked; what it is asked is added to `heard`."""

    def answer(connection: Any, head: bytes) -> None:
        if heard is not None:
            heard.append(head)
        connection.sendall(text.encode().replace(b"\n", b"\r\n"))

    return answer


def redirects(code: int, place: str) -> str:
    """The answer that sends somebody elsewhere."""
    return f"HTTP/1.1 {code} Elsewhere\nLocation: {place}\nContent-Length: 0\n\n"


def ask(url: str, *ports: int, **fields: Any) -> Answer:
    """GET it, with these ports of loopback allowed."""
    listed = {("127.0.0.1", port) for port in ports} | {("localhost", port) for port in ports}
    return fetch(Request(**{"method": "GET", "url": url, **fields}), lambda host, port: (host, port) in listed)
