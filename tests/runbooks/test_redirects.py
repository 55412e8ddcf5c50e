"""Redirects (SR-05): none is followed unless that was asked for, and then at most three, each as the first request."""

from collections.abc import Callable
from typing import Any

import pytest

from people.models import User
from runbooks.forms.automations import ParametersForm
from runbooks.outbound import REDIRECTS, Refused
from runbooks.registry import ACTIONS
from tests.runbooks.automating import allow, carried_out, give, hide, switch
from tests.runbooks.webserver import Serve, ask, redirects, says, serving, watching
from tickets.models import Ticket

pytestmark = pytest.mark.security
serve, connected = pytest.fixture(serving), pytest.fixture(watching)
CANARY = "c4n4ry-s3cr3t-value"


@pytest.fixture
def ticket(make_ticket: Callable[..., Ticket]) -> Ticket:
    return make_ticket("Look the address up")


# -- Not asked for ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("code", REDIRECTS)
def test_no_redirect_is_followed_unless_that_was_asked_for(code: int, method: str, serve: Serve) -> None:
    heard: list[bytes] = []
    other = serve(says("HTTP/1.1 200 OK\nContent-Length: 0\n\n", heard))
    port = serve(says(redirects(code, f"http://localhost:{other}/token/t0ken?key=k3y#f"), heard))
    with pytest.raises(Refused) as refused:
        ask(f"http://127.0.0.1:{port}/", port, other, method=method)
    assert str(refused.value) == (
        f"127.0.0.1 redirects to http://localhost:{other}; that is followed only where follow_redirects says so."
    )
    assert len(heard) == 1


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("//127.0.0.1", "another place at http://127.0.0.1;"), ("//10.0.0.1/x", "http://10.0.0.1;"),
        ("/login?next=s3cret", "another place at http://127.0.0.1:"),
        ("javascript:alert(1)", "an address that is none"),
        ("http://admin:s3cret@host.example/", "an address that is none"), ("http://[", "an address that is none"),
        ("https://HOST.example:8443/s3cret", "https://host.example:8443;"), ("http://a b/", "an address that is none"),
        ("http://[fe80::zz]/s3cret", "an address that is none"), ("a\x1b[31m", "an address that is none"),
    ],
)  # fmt: skip
def test_where_it_pointed_is_said_without_what_may_be_secret(
    place: str, words: str, serve: Serve, connected: list[Any]
) -> None:
    port = serve(says(redirects(302, place)))
    with pytest.raises(Refused) as refused:
        ask(f"http://127.0.0.1:{port}/", port)
    assert f"127.0.0.1 redirects to {words}" in str(refused.value)
    assert "s3cret" not in str(refused.value)
    assert connected == [("127.0.0.1", port)]


@pytest.mark.parametrize("follow", [False, True])
@pytest.mark.parametrize("head", ["200 OK", "302 Found", "503 Busy"])
def test_a_refresh_header_is_never_followed(head: str, follow: bool, serve: Serve, connected: list[Any]) -> None:
    other = serve(says("HTTP/1.1 200 OK\nContent-Length: 0\n\n"))
    answer = f"HTTP/1.1 {head}\nRefresh: 0; url=http://127.0.0.1:{other}/\nContent-Length: 0\n\n"
    port = serve(says(answer))
    assert ask(f"http://127.0.0.1:{port}/", port, other, follow=follow).status == int(head[:3])
    assert connected == [("127.0.0.1", port)]


# -- Asked for --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", REDIRECTS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_redirect_is_followed_where_that_was_asked_for(code: int, method: str, serve: Serve) -> None:
    heard: list[bytes] = []
    other = serve(says("HTTP/1.1 204 Done\n\n", heard))
    port = serve(says(redirects(code, f"//127.0.0.1:{other}/there?a=b")))
    got = ask(f"http://127.0.0.1:{port}/", port, other, method=method, follow=True)
    assert (got.status, got.hops) == (204, ("127.0.0.1",))
    assert heard[0].startswith(f"{method} /there?a=b HTTP/1.1".encode())


@pytest.mark.parametrize("code", REDIRECTS)
@pytest.mark.parametrize("place", ["//127.0.0.1", "//127.0.0.1:22/", "http://[::1]/", "http://2130706433/"])
def test_a_redirect_inside_is_refused_without_a_socket(
    place: str, code: int, serve: Serve, connected: list[Any]
) -> None:
    port = serve(says(redirects(code, place)))
    with pytest.raises(Refused, match="an admin can allow"):
        ask(f"http://127.0.0.1:{port}/", port, follow=True)
    assert connected == [("127.0.0.1", port)]


def test_three_are_followed_and_no_more(serve: Serve) -> None:
    ports = [serve(says("HTTP/1.1 200 OK\nContent-Length: 3\n\nend"))]
    for _ in range(4):
        ports.append(serve(says(redirects(307, f"http://127.0.0.1:{ports[-1]}/"))))
    got = ask(f"http://127.0.0.1:{ports[3]}/", *ports, follow=True)
    assert (got.body, len(got.hops)) == (b"end", 3)
    with pytest.raises(Refused, match="place to place"):
        ask(f"http://127.0.0.1:{ports[4]}/", *ports, follow=True)


@pytest.mark.parametrize(("follow", "requests"), [(False, 1), (True, 4)])
def test_who_sends_on_and_on_is_left_soon(follow: bool, requests: int, serve: Serve) -> None:
    heard: list[bytes] = []

    def answer(connection: Any, head: bytes) -> None:
        heard.append(head)
        text = redirects(302, f"/{len(heard)}") if len(heard) <= 21 else "HTTP/1.1 200 OK\nContent-Length: 0\n\n"
        connection.sendall(text.encode().replace(b"\n", b"\r\n"))

    port = serve(answer)
    with pytest.raises(Refused):
        ask(f"http://127.0.0.1:{port}/", port, follow=follow)
    assert len(heard) == requests


def test_what_is_private_is_not_taken_along_to_another_host(serve: Serve) -> None:
    heard: list[bytes] = []
    other = serve(says("HTTP/1.1 200 OK\nContent-Length: 0\n\n", heard))
    first = serve(says(redirects(302, f"http://127.0.0.1:{other}/")))
    headers = {"Authorization": "Bearer s", "X-Key": "s", "Cookie": "s", "X-Plain": "p"}
    ask(f"http://127.0.0.1:{first}/", first, other, follow=True, headers=headers, private=frozenset({"x-key"}))
    head = heard[0].lower()
    assert b"x-plain: p" in head
    assert all(name not in head for name in (b"authorization", b"x-key", b"cookie"))


@pytest.mark.parametrize("code", REDIRECTS)
@pytest.mark.parametrize(
    "fields", [{"method": "POST", "body": b"secret"}, {"method": "DELETE"}, {"method": "GET", "body": b"secret"}]
)
def test_what_changes_something_or_has_a_body_is_never_sent_elsewhere(
    code: int, fields: dict[str, Any], serve: Serve
) -> None:
    heard: list[bytes] = []
    other = serve(says("HTTP/1.1 200 OK\nContent-Length: 0\n\n", heard))
    port = serve(says(redirects(code, f"http://127.0.0.1:{other}/")))
    with pytest.raises(Refused, match="not followed"):
        ask(f"http://127.0.0.1:{port}/", port, other, follow=True, **fields)
    assert heard == []


# -- As an automation -------------------------------------------------------------------------------------------------
def test_an_automation_that_is_sent_elsewhere_fails_and_says_where(ticket: Ticket, bob: User, serve: Serve) -> None:
    switch("http_request")
    hide("intel", CANARY)
    heard: list[bytes] = []
    other = serve(says("HTTP/1.1 200 OK\nContent-Length: 0\n\n", heard))
    port = serve(says(redirects(302, f"http://127.0.0.1:{other}/?key={CANARY}")))
    for one in (port, other):
        allow(one)
    url = f"http://127.0.0.1:{port}/?key={{{{ secrets.intel }}}}"
    failed = carried_out(give(ticket, bob, "http_request", {"url": url}, retries=3), bob)
    assert (failed.state, failed.attempts, heard) == ("failed", 1, [])
    assert f"127.0.0.1 redirects to another place at http://127.0.0.1:{other};" in failed.error
    ticket.refresh_from_db()
    assert "redirects to another place" in ticket.outcome
    assert CANARY not in failed.error + failed.log + ticket.outcome


def test_an_automation_follows_where_its_parameter_says_so(ticket: Ticket, bob: User, serve: Serve) -> None:
    switch("http_request")
    hide("intel", CANARY)
    heard: list[bytes] = []
    other = serve(says("HTTP/1.1 200 OK\nContent-Length: 3\n\nend", heard))
    port = serve(says(redirects(302, f"http://localhost:{other}/")))
    allow(port)
    allow(other, "localhost")
    parameters = {
        "url": f"http://127.0.0.1:{port}/", "headers": {"X-Key": "{{ secrets.intel }}"}, "follow_redirects": True,
    }  # fmt: skip
    done = carried_out(give(ticket, bob, "http_request", parameters), bob)
    assert (done.state, done.output["text"]) == ("done", "end")
    assert CANARY.encode() not in heard[0]


@pytest.mark.parametrize("junk", ["yes", "true", 1, 0, [], {}, "{{ ticket.number }}"])
def test_what_is_neither_true_nor_false_fails(junk: Any, ticket: Ticket, bob: User, serve: Serve) -> None:
    switch("http_request")
    port = serve(says("HTTP/1.1 200 OK\nContent-Length: 0\n\n"))
    allow(port)
    url = f"http://127.0.0.1:{port}/"
    failed = carried_out(give(ticket, bob, "http_request", {"url": url, "follow_redirects": junk}), bob)
    assert failed.error == "follow_redirects is true or false."


def test_the_form_asks_whether_to_follow_and_begins_with_no() -> None:
    kind = ACTIONS["http_request"]
    page = str(ParametersForm(kind=kind)["p-follow_redirects"])
    assert 'type="checkbox"' in page
    assert "checked" not in page
    for ticked in ({}, {"p-follow_redirects": "on"}):
        form = ParametersForm({"p-url": "https://x.example/", "p-method": "GET", **ticked}, kind=kind)
        assert form.is_valid(), form.errors
        assert form.parameters["follow_redirects"] is bool(ticked)
