"""HTTP to the outside (G18): no socket to an address that is not public, however written, and no endless answers."""

import gzip
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runbooks import outbound
from runbooks.addresses import is_outside
from runbooks.outbound import Refused, Request, Unreachable, fetch, parse
from tests.runbooks.webserver import Serve, ask, says, serving, watching

pytestmark = pytest.mark.security

PAYLOADS: list[dict[str, str]] = json.loads((Path(__file__).parent.parent / "security" / "payloads.json").read_text())
HOSTS = [one["payload"] for one in PAYLOADS if one["group"] == "ssrf_host"]
ADDRESSES = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "198.18.0.1", "192.0.0.8", "192.0.2.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.88.99.1", "::1", "::",
    "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1", "2002:7f00:1::", "2002:a00:1::1", "2001:0:7f00:1::", "2001::f5ff:fffe", "fc00::1",
    "fd00:ec2::254",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "3fff::1", "100::1", "not an address",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111", "64:ff9b::101:101", "::ffff:1.1.1.1"]
serve, connected = pytest.fixture(serving), pytest.fixture(watching)


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give names addresses: a resolver of our own, since there is no other in a test."""
    real = socket.getaddrinfo
    known: dict[str, list[list[str]]] = {}

    def getaddrinfo(host: str, port: int, *args: Any, **kwargs: Any) -> list[Any]:
        if host not in known:
            return real(host, port, *args, **kwargs)
        answers = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        return [row for one in answers for row in real(one, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return lambda host, *answers: known.update({host: list(answers)})


# -- Where it may lead ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_not_public_is_known_as_such(address: str) -> None:
    assert not is_outside(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_known_as_such(address: str) -> None:
    assert is_outside(address)


def test_no_socket_is_opened_to_any_spelling_of_an_inner_address(
    connected: list[Any], named: Any, serve: Serve
) -> None:
    port = serve(says("HTTP/1.1 200 OK\nContent-Length: 2\n\nno"))
    ways, opened, refused = 0, 0, 0
    literal = [
        f"http://[{one}]/" if ":" in one else f"http://{one}/" for one in ADDRESSES if "%" not in one and " " not in one
    ]
    for url in [*HOSTS, *literal]:
        named("moved.example", ["127.0.0.1"])
        for way in ("direct", "redirect"):
            ways += 1
            del connected[:]
            to = serve(says(f"HTTP/1.1 302 Found\nLocation: {url}\nContent-Length: 0\n\n")) if way == "redirect" else 0
            try:
                ask(f"http://127.0.0.1:{to}/" if to else url, to, follow=True)
            except (Refused, Unreachable):
                refused += 1
            opened += len([one for one in connected if one[1] != to])
    for answers in (
        ["127.0.0.1"],
        ["1.1.1.1", "10.0.0.1"],
        ["1.1.1.1"] * 99 + ["192.168.0.1"],
        ["::1"],
        ["169.254.169.254"],
    ):
        ways += 1
        named("sly.example", answers)
        del connected[:]
        with pytest.raises(Refused):
            ask("http://sly.example/")
        refused, opened = refused + 1, opened + len(connected)
    print(f"G18 SSRF: {ways} ways to an inner address, {opened} sockets opened, {refused} refused")
    assert (opened, refused) == (0, ways)
    assert port


def test_a_name_that_changes_its_mind_is_reached_where_it_was_checked(connected: list[Any], named: Any) -> None:
    named("rebind.example", ["192.0.2.1"], ["127.0.0.1"])
    with pytest.raises(Refused):
        ask("http://rebind.example/")
    named("rebind.example", ["1.1.1.1"], ["127.0.0.1"])
    with pytest.raises(Unreachable):
        ask("http://rebind.example/")
    assert connected == [("1.1.1.1", 80)]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "FILE:///etc/passwd", "gopher://x/", "ftp://x/", "dict://x:11211/", "ldap://x/",
        "unix:/run/x",
        "jar:http://x!/", "http:/x", "http:x", "//x/", "x", "", "http://", "http:///x", "http://a@b/", "http://a:b@c/",
        "http://1.1.1.1 &@127.0.0.1# @3.3.3.3/", "http://a\\@b/", "http://a\tb/", "http://a\nb/",
        "http://\uff41.example/",
        "http://127。0。0。1/", "http://x:99999/", "http://x:0/", "http://x:/", "http://[::1", "http://[fe80::1%25eth0]/",
        "http://x/" + "a" * 5000, "http://-x/", "http://a b/", "http://x\x00/", "http://x.example/\x7f",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        parse(url)


def test_an_address_is_read_in_one_way() -> None:
    assert parse("HTTP://Example.ORG:8080/a?b=ä#c").url == "http://example.org:8080/a?b=%C3%A4"
    assert parse("https://[2606::1]").url == "https://[2606::1]/"
    assert parse("https://x?q").path == "/?q"


@pytest.mark.parametrize("port", [22, 25, 5432, 6379, 11211, 8080])
def test_other_ports_are_refused_until_an_admin_allows_them(port: int, named: Any, connected: list[Any]) -> None:
    named("api.example", ["1.1.1.1"])
    with pytest.raises(Refused, match=f"allow api.example:{port}"):
        ask(f"http://api.example:{port}/")
    assert connected == []


def test_an_allowed_name_may_be_inside_but_never_where_metadata_is(named: Any, connected: list[Any]) -> None:
    named("cmdb.corp", ["169.254.169.254"])
    with pytest.raises(Refused):
        fetch(Request("GET", "http://cmdb.corp/"), lambda host, port: (host, port) == ("cmdb.corp", 80))
    assert connected == []


# -- An answer --------------------------------------------------------------------------------------------------------
def test_an_allowed_host_answers(serve: Serve) -> None:
    seen: list[bytes] = []

    def answer(connection: Any, head: bytes) -> None:
        seen.append(head)
        connection.sendall(b'HTTP/1.1 201 Created\r\nX-A: b\r\nContent-Length: 7\r\n\r\n{"a":1}')

    port = serve(answer)
    got = ask(
        f"http://localhost:{port}/p?q=1#f", port, method="POST", body=b"hi", headers={"Authorization": "Bearer t"}
    )
    assert (got.status, got.headers["x-a"], got.body) == (201, "b", b'{"a":1}')
    assert seen[0].startswith(b"POST /p?q=1 HTTP/1.1\r\n")
    assert f"Host: localhost:{port}".encode() in seen[0]
    assert b"Authorization: Bearer t" in seen[0]


def test_no_proxy_of_the_environment_is_asked(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    port = serve(says("HTTP/1.1 200 OK\nContent-Length: 2\n\nok"))
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    assert ask(f"http://127.0.0.1:{port}/", port).body == b"ok"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "x"}, {"content-length": "3"}, {"Transfer-Encoding": "chunked"}, {"Proxy-X": "a"}, {"a b": "c"},
        {"": "c"},
        {"a": "b\r\nc: d"}, {"a": "b\nc"}, {"a": "\x00"}, {"a": "€"}, {"a": "x" * 5000}, {"a:": "b"},
        {"Connection": "x"},
    ],
)  # fmt: skip
def test_headers_that_would_say_something_else_are_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Refused):
        ask("http://127.0.0.1:1/", 1, headers=headers)


# -- Bounds -----------------------------------------------------------------------------------------------------------
def drip(connection: Any, head: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"a")
        time.sleep(0.1)


def drip_head(connection: Any, head: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        connection.sendall(f"X-{number}: a\r\n".encode())
        time.sleep(0.1)


def on_and_on(connection: Any, head: bytes) -> None:
    for _ in range(300):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.05)


def silent(connection: Any, head: bytes) -> None:
    time.sleep(5)


@pytest.mark.parametrize("answer", [drip, drip_head, on_and_on, silent])
def test_who_answers_slowly_is_left_in_time(answer: Any, serve: Serve) -> None:
    port = serve(answer)
    began = time.monotonic()
    with pytest.raises(Unreachable, match="took too long"):
        ask(f"http://127.0.0.1:{port}/", port, seconds=0.8)
    assert time.monotonic() - began < 3
    assert outbound.SECONDS == 10


def flood(connection: Any, head: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(2000):
        connection.sendall(b"a" * 65536)


def bomb(connection: Any, head: bytes) -> None:
    packed = gzip.compress(b"\x00" * 50_000_000)
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed
    )


def chunks(connection: Any, head: bytes) -> None:
    connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + (b"ffff\r\n" + b"a" * 65535 + b"\r\n") * 3
    )


@pytest.mark.parametrize("answer", [flood, bomb, chunks])
def test_an_answer_that_is_too_large_is_refused(answer: Any, serve: Serve) -> None:
    port = serve(answer)
    with pytest.raises(Refused, match="larger than 64 kB"):
        ask(f"http://127.0.0.1:{port}/", port)


def test_sixty_four_kilobytes_are_fine_and_more_where_it_is_asked_for(serve: Serve) -> None:
    port = serve(lambda connection, head: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 65_536))
    assert len(ask(f"http://127.0.0.1:{port}/", port).body) == 65_536
    port = serve(lambda connection, head: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 200_000))
    assert len(ask(f"http://127.0.0.1:{port}/", port, most_bytes=outbound.MOST_BYTES_EVER).body) == 200_000


@pytest.mark.parametrize(
    "text",
    [
        "nonsense", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nzz\nabc\n", "HTTP/1.1 abc\n\n", "",
        "HTTP/1.1 200 OK\nContent-Length: 100\n\nshort", "HTTP/1.1 200 OK\n" + "A: b\n" * 200 + "\n",
        "HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 4\n\nabcd",
        "HTTP/1.1 200 OK\nA: " + "b" * 70_000 + "\n\n",
    ],
    ids=range(8),
)  # fmt: skip
def test_what_is_no_http_is_an_answer_that_failed(text: str, serve: Serve) -> None:
    port = serve(says(text))
    with pytest.raises(Unreachable):
        ask(f"http://127.0.0.1:{port}/", port, seconds=3)


def test_who_is_not_there_is_said_so() -> None:
    with pytest.raises(Unreachable, match="does not accept"):
        ask("http://127.0.0.1:9/", 9)
    with pytest.raises(Unreachable, match="no host"):
        ask("http://nowhere.invalid/")


# -- TLS --------------------------------------------------------------------------------------------------------------
@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """A server with a certificate of its own for `localhost`."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"sealed")

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], certificate
    server.shutdown()
    server.server_close()


def test_a_certificate_must_be_trusted_and_be_of_the_host_that_was_asked_for(
    tls: tuple[int, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    port, certificate = tls
    with pytest.raises(Unreachable, match="certificate"):
        ask(f"https://localhost:{port}/", port)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert ask(f"https://localhost:{port}/", port).body == b"sealed"
    with pytest.raises(Unreachable, match="certificate"):
        ask(f"https://127.0.0.1:{port}/", port)
