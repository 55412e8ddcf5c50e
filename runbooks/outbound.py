"""HTTP to the outside, for automations. The one door to urllib3.

A name is resolved once, every address it has is checked, and the connection goes to the address that was checked: a
name that means something else a moment later (DNS rebinding) changes nothing. No proxy and no netrc of the environment
is asked, no cookie kept. Time is counted over all of it, names and redirects included, and held by shutting the socket
down, so that a byte a second gains nothing.
"""

import http.client
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urljoin

import urllib3.connection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from runbooks.addresses import is_literal, is_never, is_outside

SECONDS = 10.0
MOST_BYTES, MOST_BYTES_EVER = 64 * 1024, 1024 * 1024
MOST_REDIRECTS = 3
MOST_URL, MOST_BODY = 4000, 1024 * 1024
MOST_HEADERS, MOST_HEADER = 30, 4000
PORTS = (80, 443)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
REDIRECTS = (301, 302, 303, 307, 308)
OURS = {  # headers that this module, or nobody, sets
    "host", "content-length", "transfer-encoding", "connection", "expect", "upgrade", "te", "trailer", "keep-alive",
    "accept-encoding",
}  # fmt: skip
PRIVATE = {"authorization", "cookie", "proxy-authorization"}  # never taken along to another host

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]{2,60}\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,252}))"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<path>(?:/[^?#]*)?(?:\?[^#]*)?)(?:#.*)?",
    re.IGNORECASE,
)
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
Allowed = Callable[[str, int], bool]
"""Whether an admin allowed this host (in small letters, without brackets) on this port."""


class Refused(Exception):
    """The request is not made, or its answer not taken, now or later; the text is for people."""


class Unreachable(Exception):
    """The other side did not answer as it should; a later try may do. The text is for people."""


@dataclass(frozen=True)
class Target:
    """Where a URL leads: `host` in small letters and without brackets, `path` with its query, ready to be sent."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == {"http": 80, "https": 443}[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


@dataclass(frozen=True)
class Answer:
    """What came back, from the last of the hops; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    hops: tuple[str, ...] = ()


@dataclass
class Request:
    """What is asked for. `private` names headers (in small letters) that are for the first host alone.

    `follow`: redirects are followed, at most three; otherwise one is a refusal.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    private: frozenset[str] = frozenset()
    follow: bool = False
    seconds: float = SECONDS
    most_bytes: int = MOST_BYTES


# -- Where it leads ---------------------------------------------------------------------------------------------------
def parse(url: str) -> Target:
    """Read a URL, strictly: what two readers could read differently is refused.

    Raises:
        Refused: it is none, or not http or https, names somebody before @, or is not in ASCII where it must be.
    """
    if len(url) > MOST_URL:
        raise Refused(f"The address has more than {MOST_URL} characters.")
    if any(ord(char) <= 0x20 or 0x7F <= ord(char) <= 0xA0 or char == "\\" for char in url):
        raise Refused("The address has spaces, control characters or backslashes in it.")
    scheme = url.partition(":")[0].lower()
    if scheme not in ("http", "https"):
        raise Refused("The address must begin with http:// or https://.")
    found = _URL.fullmatch(url)
    if found is None:
        raise Refused("The address is none that can be read in one way only: http(s)://host/path, without a user name.")
    port = int(found["port"]) if found["port"] else {"http": 80, "https": 443}[scheme]
    if not 0 < port < 65536:
        raise Refused("There is no such port.")
    path = quote(found["path"] or "/", safe="/?:@!$&'()*+,;=-._~%[]")
    return Target(scheme, found["host"].strip("[]").lower(), port, path if path.startswith("/") else f"/{path}")


def check_port(target: Target, allowed: Allowed) -> bool:
    """Whether an admin allowed host and port.

    Raises:
        Refused: nobody did, and the port is an unusual one.
    """
    listed = allowed(target.host, target.port)
    if not listed and target.port not in PORTS:
        raise Refused(f"Port {target.port} is not open to automations: an admin can allow {target.host}:{target.port}.")
    return listed


def resolve(target: Target, allowed: Allowed, seconds: float) -> list[str]:
    """The addresses of the target, every one of them checked.

    Raises:
        Refused: one of them is not to be reached, or the port is not.
        Unreachable: the name means nothing, or nobody says in time what it means.
    """
    listed = check_port(target, allowed)
    found = _looked_up(target, seconds)
    for address in found:
        fine = (is_literal(target.host) or not is_never(address)) if listed else is_outside(address)
        if not fine:
            raise Refused(
                f"{target.host} is at {address}, which is no public address: an admin can allow "
                f"{target.host}:{target.port}."
            )
    return found


def _looked_up(target: Target, seconds: float) -> list[str]:
    """Ask the resolver, which cannot be told to hurry, from a thread that can be left behind."""
    result: list[str] = []
    problem: list[str] = []

    def ask() -> None:
        try:
            rows = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            result.extend(dict.fromkeys(str(row[4][0]) for row in rows))
        except (OSError, UnicodeError) as error:
            problem.append(type(error).__name__)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(max(0.1, seconds))
    if thread.is_alive():
        raise Unreachable(f"Nobody says in time where {target.host} is.")
    if problem or not result:
        raise Unreachable(f"There is no host {target.host}.")
    return result


# -- One connection ---------------------------------------------------------------------------------------------------
class _Line:
    """A connection to one of the checked addresses, with a hand on its socket."""

    def __init__(self, addresses: list[str], seconds: float) -> None:
        self.addresses = addresses
        self.deadline = time.monotonic() + seconds
        self.handle: socket.socket | None = None
        self.is_late = False

    @property
    def left(self) -> float:
        return max(0.05, self.deadline - time.monotonic())

    def connect(self, port: int) -> socket.socket:
        last: OSError = OSError("no address")
        for address in self.addresses:
            try:
                found = socket.create_connection((address, port), timeout=self.left)
            except OSError as problem:
                last = problem
                continue
            self.handle = found.dup()  # TLS takes the socket over; this still reaches it
            return found
        raise last

    def cut(self) -> None:
        """Time is up: whatever reads or writes there ends."""
        self.is_late = True
        if self.handle is not None:
            with suppress(OSError):
                self.handle.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if self.handle is not None:
            self.handle.close()


class _Plain(urllib3.connection.HTTPConnection):
    line: _Line

    def _new_conn(self) -> socket.socket:
        return self.line.connect(int(self.port or 80))


class _Encrypted(urllib3.connection.HTTPSConnection):
    line: _Line

    def _new_conn(self) -> socket.socket:
        return self.line.connect(int(self.port or 443))


def _connection(target: Target, line: _Line) -> _Plain | _Encrypted:
    made: _Plain | _Encrypted
    if target.scheme == "https":
        made = _Encrypted(
            target.host, target.port, timeout=line.left, ssl_context=ssl.create_default_context(),
            server_hostname=target.host, assert_hostname=target.host, cert_reqs="CERT_REQUIRED",
        )  # fmt: skip
    else:
        made = _Plain(target.host, target.port, timeout=line.left)
    made.line = line
    return made


def _once(target: Target, request: Request, method: str, headers: Mapping[str, str], line: _Line) -> Answer:
    """One request and its answer, without following anything."""
    connection = _connection(target, line)
    watch = threading.Timer(line.left, line.cut)
    watch.daemon = True
    watch.start()
    try:
        connection.request(
            method, target.path, body=request.body or None, headers=dict(headers), preload_content=False,
            decode_content=False,
        )  # fmt: skip
        response = connection.getresponse()
        named = {name.lower(): value[:MOST_HEADER] for name, value in list(response.headers.items())[:100]}
        body = b"" if method == "HEAD" or response.status in REDIRECTS else _body(response, named, request.most_bytes)
        if line.is_late:
            raise TimeoutError
        return Answer(status=response.status, headers=named, body=body, url=target.url)
    except (HTTPError, http.client.HTTPException, OSError, ValueError) as problem:
        words = "took too long" if line.is_late or isinstance(problem, TimeoutError) else _words(problem)
        raise Unreachable(f"{target.host} {words}.") from problem
    finally:
        watch.cancel()
        connection.close()
        line.close()


def _words(problem: Exception) -> str:
    if isinstance(problem, ConnectionRefusedError):
        return "does not accept connections"
    if (
        isinstance(problem, ssl.SSLError)
        or "SSL" in type(problem).__name__
        or "ertificate" in f"{type(problem).__name__} {problem}"
    ):
        return "has no certificate that can be trusted"
    return f"does not answer as a web server does ({type(problem).__name__})"


def _body(response: BaseHTTPResponse, headers: Mapping[str, str], most: int) -> bytes:
    """The whole body, or a refusal where it is larger.

    Raises:
        Refused: it is larger, or packed in a way nobody asked for.
    """
    too_large = Refused(f"The answer is larger than {most // 1024} kB.")
    parts, size = [], 0
    while part := response.read(16 * 1024, decode_content=False):
        size += len(part)
        if size > most:
            raise too_large
        parts.append(part)
    raw, packed = b"".join(parts), headers.get("content-encoding", "identity").strip().lower()
    if packed in ("", "identity"):
        return raw
    if packed not in ("gzip", "x-gzip", "deflate"):
        raise Refused("The answer is packed in a way that was not asked for.")
    try:
        unpacker = zlib.decompressobj(47 if "gzip" in packed else 15)
        found = unpacker.decompress(raw, most + 1)
    except zlib.error as problem:
        raise ValueError("broken packing") from problem
    if len(found) > most:
        raise too_large
    return found


# -- Doors ------------------------------------------------------------------------------------------------------------
def check(request: Request) -> Target:
    """Look at a request before it is made.

    Raises:
        Refused: says what is wrong with it.
    """
    target = parse(request.url)
    if request.method not in METHODS:
        raise Refused(f"The method must be one of {', '.join(METHODS)}.")
    if len(request.body) > MOST_BODY:
        raise Refused("The body is larger than 1 MB.")
    if len(request.headers) > MOST_HEADERS:
        raise Refused(f"There are more than {MOST_HEADERS} headers.")
    for name, value in request.headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in OURS or name.lower().startswith("proxy-"):
            raise Refused(f"The header “{name[:50]}” cannot be set.")
        if len(value) > MOST_HEADER or not _HEADER_VALUE.fullmatch(value):
            raise Refused(f"The header “{name}” is too long, or has line breaks or other characters in it.")
    return target


def fetch(request: Request, allowed: Allowed, log: Callable[[str], None] = lambda line: None) -> Answer:
    """Make the request. Where redirects are to be followed, those of GET and HEAD are, each looked at as the first was.

    `log` is told of redirects and addresses; never of headers, paths or queries.

    Raises:
        Refused: it may not be made, or its answer not be taken.
        Unreachable: the other side did not answer, or not in time.
    """
    target = check(request)
    deadline = time.monotonic() + min(request.seconds, SECONDS)
    headers = {"accept-encoding": "identity", "user-agent": "Treeline", **request.headers}
    first, hops = target, list[str]()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise Unreachable(f"{target.host} took too long.")
        addresses = resolve(target, allowed, left)
        log(f"{request.method} {target.scheme}://{target.host}:{target.port} at {addresses[0]}")
        line = _Line(addresses, deadline - time.monotonic())
        answer = _once(target, request, request.method, headers, line)
        log(f"{answer.status} from {target.host}, {len(answer.body)} bytes")
        place = answer.headers.get("location", "") if answer.status in REDIRECTS else ""
        if not place:
            return Answer(answer.status, answer.headers, answer.body, answer.url, tuple(hops))
        target = _next(request, target, place, len(hops))
        hops.append(target.host)
        if (target.host, target.port, target.scheme) != (first.host, first.port, first.scheme):
            headers = {name: value for name, value in headers.items() if name.lower() not in PRIVATE | request.private}


def _next(request: Request, target: Target, place: str, hops: int) -> Target:
    """Where a redirect leads.

    Raises:
        Refused: it is not followed; the text names the host it points to, and no path or query, which may hold secrets.
    """
    if not request.follow:
        where = _pointed(target, place)
        raise Refused(f"{target.host} redirects to {where}; that is followed only where follow_redirects says so.")
    if request.method not in ("GET", "HEAD"):
        raise Refused(f"{target.host} sends {request.method} somewhere else; that is not followed.")
    if hops >= MOST_REDIRECTS:
        raise Refused(f"{target.host} sends from place to place: more than {MOST_REDIRECTS} times.")
    if request.body:
        raise Refused(f"{target.host} sends a request with a body somewhere else; that is not followed.")
    following = _joined(target, place)
    if target.scheme == "https" and following.scheme == "http":
        raise Refused(f"{target.host} sends from https to http; that is not followed.")
    return following


def _joined(target: Target, place: str) -> Target:
    try:
        return parse(urljoin(target.url, place))
    except ValueError as problem:
        raise Refused(f"{target.host} sends to an address that is none.") from problem


def _pointed(target: Target, place: str) -> str:
    """Where it redirects to, in words that keep secrets."""
    try:
        there = _joined(target, place)
    except Refused:
        return "an address that is none"
    origin = replace(there, path="/").url.rstrip("/")
    return f"another place at {origin}" if there.host == target.host else origin
