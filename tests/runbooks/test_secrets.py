"""Secrets of automations: what the other side makes of them, and what a dry run could tell, is shown to nobody."""

import base64
import html
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest

from core.models import JournalEntry
from people.models import User
from runbooks.masks import masked, masked_data
from runbooks.models import Execution
from runbooks.registry import Hidden
from tests.runbooks.automating import carried_out, give, hide, switch
from tickets.models import Ticket

VALUE = "Pass/<&>'\"?+ ~wörd-Canary"
HIDDEN = (Hidden("key", VALUE, frozenset({"*"})),)


@pytest.fixture
def ticket(make_ticket: Callable[..., Ticket]) -> Ticket:
    return make_ticket("Look the address up")


def kept(execution: Execution) -> str:
    """All that is written down of it, in small letters."""
    rows = [*Execution.objects.filter(pk=execution.pk).values(), *JournalEntry.objects.values("data")]
    return json.dumps([*rows, *Ticket.objects.values("outcome")], default=str).lower()


@pytest.mark.parametrize(
    "text",
    [
        VALUE, VALUE.lower(), VALUE.upper(), quote(VALUE), quote_plus(VALUE),
        quote(VALUE, safe="").lower(), json.dumps(VALUE)[1:-1],
        json.dumps(VALUE).replace("/", "\\/")[1:-1], html.escape(VALUE), html.escape(VALUE).replace("&#x27;", "&#39;"),
        VALUE.encode().hex(), VALUE.encode().hex().upper(),
    ],
)  # fmt: skip
def test_a_secret_is_dots_however_it_is_written(text: str) -> None:
    assert masked(f"It was {text}, they say.", HIDDEN) == "It was ••••••, they say."
    assert masked_data({text: [text]}, HIDDEN) == {"••••••": ["••••••"]}


@pytest.mark.parametrize("around", [(b"", b""), (b"user:", b""), (b"ab", b"c"), (b"a", b"bc"), (b"me:", b"\n")])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_what_is_left_of_a_secret_in_base64_says_next_to_nothing(encode: Any, around: tuple[bytes, bytes]) -> None:
    """As in `Basic dXNlcjpwYXNz`: at most one sign at each end still has bits of it."""
    before, after = around
    text = encode(before + VALUE.encode() + after).decode()
    left = masked(f"Basic {text}", HIDDEN).removeprefix("Basic ")
    head, dots, tail = left.partition("••••••")
    assert dots
    assert len(head) <= -(-len(before) * 8 // 6) + 1
    assert len(tail.rstrip("=")) <= -(-len(after) * 8 // 6) + 1


def test_what_was_cut_off_within_a_secret_is_masked_as_well() -> None:
    for length in range(4, len(VALUE)):
        assert masked(f"Sent {VALUE[:length]}", HIDDEN) == "Sent ••••••"
    assert masked("Sent Pas", HIDDEN) == "Sent Pas"


def test_a_host_in_small_letters_does_not_tell_the_secret_in_it(ticket: Ticket, bob: User) -> None:
    hide("key", "S3cr3t-MiXeD-Canary", "api.example.org")
    switch("http_request")
    automation = give(ticket, bob, "http_request", {"url": "https://{{ secrets.key }}.example.org/"})
    for dry in (True, False):
        done = carried_out(automation, bob, dry=dry)
        assert "may not be sent" in f"{done.error}{done.output}"
        assert "canary" not in kept(done)


def test_a_dry_run_asks_nobody_where_a_name_is(ticket: Ticket, bob: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question alone would carry what is in the name to whoever answers for it, approved by nobody."""
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *rest, **more: asked.append(host))
    hide("key", "s3cr3t-canary")
    done = carried_out(give(ticket, bob, "http_request", {"url": "https://{{ secrets.key }}.example/"}), bob, dry=True)
    assert done.output == {"would": "Would send GET to ••••••.example:443, with 0 bytes."}
    assert asked == []


@pytest.mark.parametrize(
    ("url", "words"),
    [("http://127.0.0.1/", "no public address"), ("http://[::1]/", "no public address"),
     ("https://intel.example:8443/", "Port 8443 is not open")],
)  # fmt: skip
def test_a_dry_run_still_says_what_would_be_refused(url: str, words: str, ticket: Ticket, bob: User) -> None:
    done = carried_out(give(ticket, bob, "http_request", {"url": url}), bob, dry=True)
    assert words in done.output["would"]


def test_a_log_that_ends_within_a_secret_shows_nothing_of_it(ticket: Ticket, bob: User, settings: Any,
                                                             tmp_path: Path) -> None:  # fmt: skip
    settings.SCRIPTS_DIR = tmp_path
    script = tmp_path / "talks"
    script.write_text(
        "#!/usr/bin/env python3\nimport json, sys\nsys.stderr.write('x' * 3900 + json.load(sys.stdin)['input']['k'])\n"
        "print('{}')\n"
    )
    script.chmod(0o755)
    switch("script")
    hide("key", "Canary" * 100)
    done = carried_out(give(ticket, bob, "script", {"name": "talks", "input": {"k": "{{ secrets.key }}"}}), bob)
    assert (done.state, done.error) == ("done", "")
    assert "canary" not in kept(done)
