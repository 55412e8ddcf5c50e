"""The rendering process: Markdown in, cleaned HTML out; run by core/markdown.py as a program, never on its own.

It holds no Django, no settings and no database: whoever finds a hole in a parser here finds an empty room. A text gets
CPU_SECONDS of processor time, counted by the kernel, so the same text ends the same way on a busy machine.

Frames on standard input, a socket, both ways: four bytes of length (big-endian), then UTF-8 JSON. The first frame is
`{}` (ready); then for each `{"text": …, "wiki": …}` one `{"html": …}` or `{"refused": reason}`.
"""

import contextlib
import html as entities
import json
import os
import re
import resource
import select
import signal
import socket
import struct
import sys
import unicodedata
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

from bleach.sanitizer import Cleaner
from markdown import Markdown
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor

CPU_SECONDS = 0.8
MEMORY_BYTES = 512 * 1024 * 1024
OUTPUT_LIMIT = 1024 * 1024
"""Characters of HTML for one text: a reference link used a thousand times multiplies its address."""

DEPTH_LIMIT = 60
"""Elements inside each other, about thirty levels of a list: a report's renderer fails from 300 on."""

TAGS = frozenset(
    {"a", "p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "del", "br", "hr"}
    | {"table", "thead", "tbody", "tr", "th", "td"}
)
PROTOCOLS = frozenset({"http", "https", "mailto"})
REL = "noopener noreferrer nofollow"

_ITEM = re.compile(r"(?P<indent> *)(?P<marker>[-*+]|[0-9]{1,9}\.) +\S")
_NESTING_TAG = re.compile(r"<(/?)(?!br>|hr>)[a-z]")
_RULE = re.compile(r" {0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$")
_HEADING = re.compile(r"(?:^|\n)(?P<level>#{1,6})(?P<header>[ \t](?:\\.|[^\\])*?)#*(?:\n|$)")
_MAIL = re.compile(r"mailto:[^\s?&/\\:@]{1,64}@[^\s?&/\\:@]{1,255}", re.IGNORECASE)


class ListPreprocessor(Preprocessor):
    """Lists as people type them: right under a sentence, and nested by two spaces (python-markdown wants four)."""

    def run(self, lines: list[str]) -> list[str]:
        self.out: list[str] = []
        self.columns: list[int] = []  # the column of the marker of each open level
        self.in_paragraph = False  # whether a paragraph of its own stands inside the item
        for line in lines:
            after_text = bool(self.out and self.out[-1].strip())
            item = None if _RULE.match(line) else _ITEM.match(line)
            if item and self._is_item(item, after_text):
                self._add_item(line, len(item["indent"]), after_text)
            elif self.columns and line.strip() and not after_text:
                self._add_paragraph(line)
            else:
                self.out.append(line)
        return self.out

    def _is_item(self, item: re.Match[str], after_text: bool) -> bool:
        if self.columns:
            return True
        # "it began in↵2026. Then it spread" is a sentence.
        return len(item["indent"]) < 4 and (not after_text or item["marker"] in {"-", "*", "+", "1."})

    def _add_item(self, line: str, indent: int, after_text: bool) -> None:
        if after_text and (self.in_paragraph or not self.columns):
            self.out.append("")
        self.in_paragraph = False
        while self.columns and self.columns[-1] > indent:
            self.columns.pop()
        if not self.columns or indent >= self.columns[-1] + 2:
            self.columns.append(indent)
        self.out.append("    " * (len(self.columns) - 1) + line.lstrip(" "))

    def _add_paragraph(self, line: str) -> None:
        indent = len(line) - len(line.lstrip(" "))
        if indent < self.columns[0] + 2:
            self.columns.clear()
        elif indent < 4 * len(self.columns):
            self.in_paragraph = True
            line = "    " * len(self.columns) + line.lstrip(" ")
        self.out.append(line)


class BareAddress(InlineProcessor):
    """`https://…` in running text becomes a link; punctuation at its end stays text."""

    ANCESTOR_EXCLUDES = ("a",)

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[Element | None, int | None, int | None]:
        address = m[0].rstrip(".,;:!?'*_")
        while address.endswith(")") and address.count(")") > address.count("("):
            address = address[:-1].rstrip(".,;:!?'*_")
        link = Element("a", {"href": address})
        link.text = address
        return link, m.start(0), m.start(0) + len(address)


class MailAddress(InlineProcessor):
    """`<name@host>` becomes a mailto link, without the entity games of the original."""

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[Element | None, int | None, int | None]:
        link = Element("a", {"href": f"mailto:{m[1]}"})
        link.text = m[1]
        return link, m.start(0), m.end(0)


class WikiLink(InlineProcessor):
    """`[[name]]` and `[[name|words]]` lead to the name, in small letters, below a path of this site."""

    ANCESTOR_EXCLUDES = ("a",)
    NAME = r"(?<!!)\[\[[ \t]*([A-Za-z0-9][A-Za-z0-9_-]{0,79})[ \t]*(?:\|([^\[\]|\n]{1,200}))?\]\]"

    def __init__(self, base: str, md: Markdown) -> None:
        super().__init__(self.NAME, md)
        self.base = base

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[Element | None, int | None, int | None]:
        link = Element("a", {"href": f"{self.base}{m[1].lower()}/"})
        link.text = (m[2] or m[1]).strip() or m[1]
        return link, m.start(0), m.end(0)


class OurElements(Treeprocessor):
    """Headings go below those of the page; an image becomes a link, because loading it would tell its owner."""

    def run(self, root: Element) -> None:
        linked = {inner for link in root.iter("a") for inner in link.iter("img")}
        for element in root.iter():
            if element.tag == "img":
                source, text = element.get("src", ""), element.get("alt", "")
                element.attrib.clear()
                element.text = text or ("image" if element in linked else source)
                element.tag = "em" if element in linked else "a"
                if element.tag == "a":
                    element.set("href", source)
            elif element.tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
                element.tag = f"h{min(int(element.tag[1]) + 2, 6)}"


class OurMarkdown(Extension):
    """HTML in a text is text: shown as typed, so a pasted phishing page can be read and does nothing."""

    def extendMarkdown(self, md: Markdown) -> None:
        md.preprocessors.deregister("html_block")
        md.inlinePatterns.deregister("html")
        md.preprocessors.register(ListPreprocessor(md), "lists", 20)  # after fenced code (25) is taken out
        md.inlinePatterns.register(MailAddress(r"<([^<>\s@!]{1,64}@[^<>\s@]{1,255})>", md), "automail", 110)
        md.inlinePatterns.register(BareAddress(r"\bhttps?://[^\s<>\"`\x02\x03]+", md), "bare_address", 105)
        md.treeprocessors.register(OurElements(md), "our_elements", 15)  # after inline (20), before unescape (0)
        # "#109 is done" speaks of a ticket: a heading needs a space after its marks.
        md.parser.blockprocessors["hashheader"].RE = _HEADING  # type: ignore[attr-defined]


def convert(text: str, wiki: str = "") -> str:
    """Markdown to HTML, not yet clean. A new parser each time: definitions of one text are unknown to the next."""
    parser = Markdown(extensions=["tables", "fenced_code", "nl2br", OurMarkdown()])
    if wiki:
        parser.inlinePatterns.register(WikiLink(wiki, parser), "wiki", 175)  # after code (190) and escapes (180)
    return parser.convert(text)


def is_safe_address(address: str) -> bool:
    """Whether a link may lead there: absolute http(s), a plain mailto, or a path of this site.

    `address` is an attribute value as it stands in HTML: what it says must hold before and after entities are decoded.
    """
    decoded = entities.unescape(address)
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zs", "Zl", "Zp"} or char in "\\`" for char in decoded):
        return False
    if address.startswith("/"):
        return "//" not in decoded.partition("?")[0].partition("#")[0]
    if address.lower().startswith("mailto:"):
        return bool(_MAIL.fullmatch(decoded))
    if not address.lower().startswith(("http://", "https://")):
        return False
    try:
        parts = urlsplit(decoded)
        return bool(parts.hostname) and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        return False


def _keep_attribute(tag: str, name: str, value: str) -> bool:
    return tag == "a" and (name == "title" or (name == "href" and is_safe_address(value)))


def clean(html: str) -> str:
    """HTML of any origin to HTML with TAGS, a[href, title, rel] and nothing else; other markup becomes visible text."""
    cleaner = Cleaner(tags=TAGS, attributes=_keep_attribute, protocols=PROTOCOLS, strip=False, strip_comments=True)
    # In what bleach writes, "<" stands only at the start of an allowed tag: it escapes it in text and in attributes.
    return re.sub(r"<a(?=[ >])", f'<a rel="{REL}"', cleaner.clean(html))


def depth(cleaned: str) -> int:
    """How many elements stand inside each other at most."""
    level = deepest = 0
    for tag in _NESTING_TAG.finditer(cleaned):
        level += -1 if tag[1] else 1
        deepest = max(deepest, level)
    return deepest


def answer(text: str, wiki: str = "") -> dict[str, str]:
    """One text's reply. Other errors end the process: the parent shows the text plain and starts a new one."""
    try:
        html = convert(text, wiki)
        if len(html) > OUTPUT_LIMIT:
            return {"refused": "output too long"}
        html = clean(html)
        return {"html": html} if depth(html) <= DEPTH_LIMIT else {"refused": "nested too deeply"}
    except RecursionError:
        return {"refused": "nested too deeply"}


def _confine() -> None:
    limits = (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)
    for kind, most in limits:
        with contextlib.suppress(ValueError, OSError):  # macOS knows the name RLIMIT_AS and refuses the limit
            resource.setrlimit(kind, (most, most))


def _receive(channel: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        part = channel.recv(size - len(data))
        if not part:
            sys.exit(0)
        data += part
    return bytes(data)


def _send(channel: socket.socket, message: dict[str, str]) -> None:
    body = json.dumps(message).encode()
    channel.sendall(struct.pack(">I", len(body)) + body)


def serve(channel: socket.socket, parent: int) -> None:
    """Answer until the other end closes or the parent process is gone.

    The second is asked for, because a process forked past Python's knowledge may hold the other end open. (PDEATHSIG
    would not do: it follows the *thread* that started us, and request threads end.)
    """
    _send(channel, {})
    waiting = select.poll()
    waiting.register(channel, select.POLLIN)
    while os.getppid() == parent:
        if not waiting.poll(30_000):
            continue
        (size,) = struct.unpack(">I", _receive(channel, 4))
        asked = json.loads(_receive(channel, size))
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)  # SIGPROF, not handled: ends us even inside one long regex
        reply = answer(asked["text"], asked["wiki"])
        signal.setitimer(signal.ITIMER_PROF, 0)
        _send(channel, reply)


if __name__ == "__main__":
    _confine()
    serve(socket.socket(fileno=sys.stdin.fileno()), parent=int(sys.argv[1]))
