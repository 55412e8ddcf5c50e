"""The one door from text that people typed to HTML that a page may show.

A text is rendered when it is saved (`stored`), by one child process for each process of ours, and shown from the column
`<name>_html` (`html`). What is too long, too tangled, too slow or kills the renderer is shown as typed.
"""

import atexit
import json
import logging
import os
import re
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

from django.utils.safestring import SafeString, mark_safe

from core.characters import CONTROLS, SURROGATES

RENDERER = "1"
"""Version of the renderer: raise it when the same text gives other HTML, and every stored form is rendered anew."""
LIMIT = 64 * 1024
"""Characters of one text."""

START_SECONDS = 10.0
WALL_SECONDS = 3.0
"""For one text, in case the processor time that the child allows itself (0.8 s) is not to be had."""
REPLY_LIMIT = 8 * 1024 * 1024
"""Bytes of one reply: OUTPUT_LIMIT characters of the child, escaped at their worst."""

BRACKETS_PER_BLOCK = 300
HEADINGS_PER_BLOCK = 100
CELLS_PER_TABLE = 10_000

_RENDERED_HEADING = re.compile(r"<h([3-6])>(.*?)</h\1>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_NEWLINES = re.compile("\r\n?|[\u2028\u2029]")
_FENCE = re.compile(r"(~{3,}|`{3,})(.*)")
_HEADING = re.compile(r"[> ]*(#{1,6}[ \t]|=+ *$|-+ *$)")

logger = logging.getLogger(__name__)


class Refused(Exception):
    """The text is what it is: rendering it again would end the same way."""


class Unavailable(Exception):
    """The renderer could not work; the text may be fine."""


def check(text: str) -> None:
    """Raise ValueError with a sentence for the person who typed it if the text is longer than LIMIT."""
    if len(text) > LIMIT:
        raise ValueError(f"The text has {len(text)} characters; {LIMIT} are the most.")


def render(text: str, *, wiki: str = "") -> str:
    """Safe HTML for a Markdown text; the escaped text in `<pre class="plain">` with a note where that must not be.

    With `wiki`, a path of this site, `[[name]]` and `[[name|words]]` are links to that path and the name.
    Never raises for any `str`.
    """
    try:
        return _rendered(text, wiki)
    except (Refused, Unavailable):
        return _plain_form(text)


def stored(text: str, *, wiki: str = "") -> str:
    """What belongs in a `<name>_html` column: version, colon, HTML; empty for an empty text. `wiki` as in `render`.

    Empty as well while the renderer cannot work: then `html` tries again whenever the text is shown.
    """
    if not text.strip():
        return ""
    try:
        return f"{RENDERER}:{_rendered(text, wiki)}"
    except Refused:
        return f"{RENDERER}:{_plain_form(text)}"
    except Unavailable:
        return ""


def html(text: str, stored_value: str, *, wiki: str = "") -> SafeString:
    """HTML for a page: the stored form, or a new rendering if that is missing or of another version."""
    if not text.strip():
        return mark_safe("")
    version, _, kept = stored_value.partition(":")
    return mark_safe(kept if version == RENDERER else render(text, wiki=wiki))


@dataclass(frozen=True)
class Heading:
    """A heading of a rendered text: its level from 1, the id it has been given, its words as plain text."""

    level: int
    anchor: str
    words: str


def with_contents(text: SafeString, prefix: str = "part") -> tuple[SafeString, list[Heading]]:
    """Rendered text whose headings can be linked to, and the list of them.

    The ids are numbers of ours: what a writer puts into a heading never becomes one.
    """
    found: list[Heading] = []

    def number(match: re.Match[str]) -> str:
        anchor = f"{prefix}-{len(found) + 1}"
        found.append(Heading(int(match[1]) - 2, anchor, unescape(_TAG.sub("", match[2])).strip()))
        return f'<h{match[1]} id="{anchor}">{match[2]}</h{match[1]}>'

    return mark_safe(_RENDERED_HEADING.sub(number, text)), found


def wiki_names(text: SafeString, wiki: str) -> set[str]:
    """What a rendered text links to below this path."""
    return set(_wiki_link(wiki).findall(text))


def with_missing(text: SafeString, *, wiki: str, missing: Collection[str], write: str) -> SafeString:
    """Rendered text in which links to what does not exist are words, followed by a link to write it: `write` and name.

    Names are what `wiki_names` found: letters, digits, - and _.
    """

    def replace(match: re.Match[str]) -> str:
        if match[1] not in missing:
            return match[0]
        link = f'<a href="{escape(write)}{match[1]}">write it</a>'
        return f'<em class="is-missing" title="Not written yet">{match[2]}</em> ({link})'

    return mark_safe(re.sub(_wiki_link(wiki).pattern + r"(.*?)</a>", replace, text, flags=re.DOTALL))


def _wiki_link(wiki: str) -> re.Pattern[str]:
    return re.compile(rf'<a rel="[a-z ]*" href="{re.escape(wiki)}([a-z0-9][a-z0-9_-]*)/"(?: title="[^"]*")?>')


def plain(text: str, length: int = 160) -> str:
    """The first words without marks, on one line, for lists and mails; plain text that still needs escaping."""
    text = _without_controls(text[: 4 * length + 400])
    for pattern, replacement in _MARKS:
        text = pattern.sub(replacement, text)
    words = " ".join(text.split())
    if len(words) <= length:
        return words
    head = words[: length - 1]
    return (head.rpartition(" ")[0] or head).rstrip(" ,;:") + "…"


_MARKS = (
    (re.compile(r"^ {0,3}(?:```|~~~).*$", re.MULTILINE), ""),
    (re.compile(r"^[ >]{0,40}(?:#{1,6} +|[-*+] +(?:\[[ xX]\] +)?|[0-9]{1,9}\. +)?", re.MULTILINE), ""),
    (re.compile(r"^[ |:=-]{3,}$", re.MULTILINE), ""),
    (re.compile(r"!?\[([^\[\]\n]{0,300})\]\([^()\s]{0,500}(?: +\"[^\"\n]{0,200}\")?\)"), r"\1"),
    (re.compile(r"<((?:https?://|mailto:)[^\s<>]{1,500})>"), r"\1"),
    (re.compile(r"(\*{1,3}|`{1,3}|~~)(?=\S)([^*`~\n]{1,300})(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<!\w)(_{1,3})(?=\S)([^_\n]{1,300})(?<=\S)\1(?!\w)"), r"\2"),
)


def _without_controls(text: str) -> str:
    return SURROGATES.sub("\ufffd", CONTROLS.sub("", _NEWLINES.sub("\n", text)))


def _plain_form(text: str) -> str:
    return (
        '<p class="plain-note">This text could not be formatted and is shown as it was typed.</p>\n'
        f'<pre class="plain">{escape(_without_controls(text))}</pre>'
    )


def _rendered(text: str, wiki: str) -> str:
    if not text.strip():
        return ""
    if len(text) > LIMIT:
        raise Refused("too long")
    text = _without_controls(text)
    if _is_tangled(text):
        raise Refused("tangled")
    return _renderer.render(text, wiki)


def _is_tangled(text: str) -> bool:
    """Whether a block has more marks than people type and python-markdown takes in a second (measured per block)."""
    for block in _blocks(text.split("\n")):
        joined = "".join(block)
        if joined.count("[") > BRACKETS_PER_BLOCK:
            return True
        if sum(1 for line in block if _HEADING.match(line)) > HEADINGS_PER_BLOCK:
            return True
        if len(block) > 1 and (block[0].count("|") + 1) * len(block) > CELLS_PER_TABLE and set(block[1]) <= set("|:- "):
            return True
    return False


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Runs of lines between empty ones, without those inside closed code fences."""
    block: list[str] = []
    fence, fenced = "", []
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            fenced.append(line)
            if mark and mark[1] == fence and not mark[2].strip():
                fence, fenced = "", []
        elif mark:
            yield block
            block, fence, fenced = [], mark[1], [line]
        elif line.strip():
            block.append(line)
        else:
            yield block
            block = []
    yield block
    yield [line for line in fenced if line.strip()]  # never closed: not a fence


class Renderer:
    """The child process of this process, started with the first text; one text at a time, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the child, if there is one."""
        return self._process.pid if self._process else None

    def render(self, text: str, wiki: str = "") -> str:
        """HTML from the child.

        Raises:
            Refused: the text is nested too deeply, took too much time or memory, or ended the child.
            Unavailable: no child could be started, or the machine gave it no time.
        """
        with self._lock:
            try:
                channel = self._ready_channel()
            except (OSError, EOFError) as error:
                self._end()
                logger.warning("The Markdown renderer does not start: %s", error)
                raise Unavailable from error
            try:
                channel.settimeout(WALL_SECONDS)
                _send(channel, {"text": text, "wiki": wiki})
                reply = _receive(channel)
            except TimeoutError as error:
                self._end()
                logger.warning("The Markdown renderer gave no answer in %s s", WALL_SECONDS)
                raise Unavailable from error
            except (OSError, EOFError) as error:
                self._end()
                logger.warning("A text of %d characters ended the Markdown renderer", len(text))
                raise Refused("renderer ended") from error
        if "html" not in reply:
            raise Refused(reply["refused"])
        return reply["html"]

    def forget(self) -> None:
        """In a forked process: the child belongs to the parent, and its lock may be held by a thread left behind."""
        if self._process:
            self._process.returncode = 0  # not ours to wait for
        if self._channel:
            self._channel.close()
        self._process = self._channel = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the child and wait for it."""
        with self._lock:
            self._end()

    def _ready_channel(self) -> socket.socket:
        if self._process and self._channel and self._process.poll() is None:
            return self._channel
        self._end()
        ours, theirs = socket.socketpair()
        self._channel = ours
        program = Path(__file__).with_name("markdown_process.py")
        with theirs:
            # -I: no PYTHON* variables, and no core/ on the import path, where our markdown.py would hide the library.
            self._process = subprocess.Popen(
                [sys.executable, "-I", str(program), str(os.getpid())],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                # No secrets where hostile text is parsed; only what a Python built elsewhere needs to start.
                env={name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"},
            )
        ours.settimeout(START_SECONDS)
        _receive(ours)
        return ours

    def _end(self) -> None:
        if self._channel:
            self._channel.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._process = self._channel = None


def _send(channel: socket.socket, message: dict[str, str]) -> None:
    body = json.dumps(message).encode()
    channel.sendall(struct.pack(">I", len(body)) + body)


def _receive(channel: socket.socket) -> dict[str, str]:
    (size,) = struct.unpack(">I", _exactly(channel, 4))
    if size > REPLY_LIMIT:
        raise EOFError("reply too long")
    reply: dict[str, str] = json.loads(_exactly(channel, size))
    return reply


def _exactly(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = channel.recv(min(size - len(data), 1 << 20))
        if not part:
            raise EOFError("the renderer closed the channel")
        data += part
    return bytes(data)


_renderer = Renderer()
os.register_at_fork(after_in_child=_renderer.forget)
atexit.register(_renderer.close)
