"""Active content in Markdown: every known hostile string comes out inert, and the detector is shown to detect."""

import json
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown import Markdown  # noqa: TID251  the control needs it without our door

from core import markdown, markdown_process

pytestmark = pytest.mark.security

PAYLOADS: dict[str, str] = {
    entry["id"]: entry["payload"]
    for entry in json.loads(Path(__file__).with_name("payloads.json").read_text(encoding="utf-8"))
    if entry["group"] == "markdown_html_xss"
}

# Written down once more: a tag added to the product's list must be added here by a second thought.
INERT_TAGS = {
    "a", "p", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "del", "br", "hr",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
OUR_CLASSES = {'<p class="plain-note">', '<pre class="plain">'}
OUR_REL = "noopener noreferrer nofollow"
# Stricter than any parser: "<" may stand at the start of one of these forms and nowhere else.
TAG = re.compile(r"<(/?)([a-z0-9]+)((?: [a-z]+=\"[^\"<>]*\")*)>")
ATTRIBUTE = re.compile(r" ([a-z]+)=\"([^\"]*)\"")
SAFE_ADDRESS = re.compile(r"https?://[^/\s\\@][^\s\\]*|mailto:[^\s?]+@[^\s?]+|/(?![/\\])[^\s\\]*", re.IGNORECASE)


def leftovers(html: str) -> list[str]:
    """Every piece of markup in `html` that is not on the narrow list."""
    found = []
    position = html.find("<")
    while position != -1:
        match = TAG.match(html, position)
        if not match:
            found.append(html[position : position + 40])
        elif match[0] not in OUR_CLASSES:
            found += _wrong_parts(match)
        position = html.find("<", position + 1)
    return found


def _wrong_parts(match: re.Match[str]) -> list[str]:
    closing, tag, attributes = match.groups()
    if tag not in INERT_TAGS or (closing and attributes):
        return [match[0]]
    wrong = []
    values = dict(ATTRIBUTE.findall(attributes))
    for name, value in values.items():
        if tag != "a" or name not in {"href", "title", "rel"}:
            wrong.append(f"{tag}[{name}]")
        if name == "href" and not SAFE_ADDRESS.fullmatch(unescape(value)):
            wrong.append(f"href {value}")
    if tag == "a" and not closing and values.get("rel") != OUR_REL:
        wrong.append("link without rel")
    return wrong


class ActiveContent(HTMLParser):
    """Collects what would run, load, overlay or clobber in a page."""

    TAGS = frozenset({
        "script", "style", "iframe", "object", "embed", "svg", "math", "form", "input", "button", "meta", "base",
        "link", "img", "video", "audio", "source", "picture", "template", "slot", "dialog", "textarea", "noscript",
        "noembed", "body", "marquee", "isindex", "title",
    })  # fmt: skip
    ATTRIBUTES = re.compile(r"on|style$|id$|name$|srcdoc$|(data-)?hx-|_$|popover|formaction$|background$|autofocus$")

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.TAGS:
            self.found.append(tag)
        for name, value in attrs:
            address = re.sub(r"[\x00-\x20\u200b\ufeff]", "", value or "").lower()
            if self.ATTRIBUTES.match(name) or address.startswith(("javascript:", "vbscript:", "data:", "file:")):
                self.found.append(f"{tag}[{name}]")


def active_content(html: str) -> list[str]:
    detector = ActiveContent()
    detector.feed(html)
    detector.close()
    return detector.found


def unclean(text: str) -> str:
    """What markdown alone makes of the text: its raw HTML untouched, as it stands in the package."""
    return Markdown(extensions=["tables", "fenced_code"]).convert(text)


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_a_hostile_comment_of_mallory_is_inert(payload: str) -> None:
    html = markdown.render(payload)
    assert leftovers(html) == []
    assert active_content(html) == []


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_the_sanitizer_alone_would_hold_if_raw_html_came_through(payload: str) -> None:
    html = markdown_process.clean(unclean(payload))
    assert leftovers(html) == []
    assert active_content(html) == []


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_a_hostile_comment_shown_as_typed_is_inert(payload: str) -> None:
    html = markdown.render(payload + "\n" + "[" * 400)
    assert '<pre class="plain">' in html
    assert leftovers(html) == []


def test_without_the_sanitizer_the_same_strings_are_active(capsys: pytest.CaptureFixture[str]) -> None:
    control = sum(bool(active_content(unclean(payload))) for payload in PAYLOADS.values())
    active = sum(bool(active_content(markdown.render(payload))) for payload in PAYLOADS.values())
    with capsys.disabled():
        print(f"\nG15 markup: {len(PAYLOADS)} payloads, {active} active, control {control}")
    assert len(PAYLOADS) >= 100
    assert control >= 50
    assert active == 0


MARKS = st.sampled_from([
    "[", "](", ")", "<", ">", "![", '"', "'", "`", "```\n", "*", "_", "|", "\n", "\n\n", "- ", "# ", "&#106;", "&lt;",
    "javascript:", "http://a.example", "//b.example", "<img src=x onerror=y>", "<a href=", "]: ", "\\", "\x02",
    "\ud800",
])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(MARKS, st.text(max_size=8)), max_size=30).map("".join))
def test_no_text_at_all_gives_foreign_markup(text: str) -> None:
    html = markdown.render(text)
    assert leftovers(html) == []
    assert active_content(html) == []


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(MARKS, st.text(max_size=8)), max_size=30).map("".join))
def test_no_html_at_all_passes_the_sanitizer_as_foreign_markup(html: str) -> None:
    assert leftovers(markdown_process.clean(html)) == []


@pytest.mark.parametrize(
    "address",
    [
        "javascript:x", "JaVaScRiPt:x", " javascript:x", "java\tscript:x", "java\nscript:x", "\x01javascript:x",
        "java\u200bscript:x", "java\u00adscript:x", "\ufeffjavascript:x", "&#106;avascript:x", "javascript&colon;x",
        "java&Tab;script:x", "&#x6A;avascript:x", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:x",
        "feed:javascript:x", "//evil.example", "/\\evil.example", "/&#47;evil.example", "/&sol;evil.example",
        "/\t/evil.example", "/..//evil.example", "\\\\evil.example", "http:evil.example", "https:javascript:x",
        "http://a@evil.example", "http://bank.example%40x@evil.example", "http://", "http://a:b:c", "mailto:",
        "mailto:a@b.example?bcc=c@d.example", "#x", "?x", "x", "", "http://a.example/\u202egpj.exe",
    ],
)  # fmt: skip
def test_an_address_that_is_not_plainly_safe_is_no_link(address: str) -> None:
    assert not markdown_process.is_safe_address(address)
    assert "href" not in markdown_process.clean(f'<a href="{address}">x</a>')


@pytest.mark.parametrize(
    "address",
    [
        "http://a.example", "https://a.example:8443/b?c=d&amp;e=//f#g", "HTTPS://A.example/", "https://a.example/ü",
        "mailto:alice@a.example", "/incidents/IR-2026-1120-001/", "/", "/search?q=http://x/y", "http://[::1]:80/",
    ],
)  # fmt: skip
def test_a_plain_address_is_a_link(address: str) -> None:
    assert f'href="{address}"' in markdown_process.clean(f'<a href="{address}">x</a>')


def test_an_image_is_a_link_and_tells_nobody_that_it_was_seen() -> None:
    assert markdown.render("![diagram](http://canary.example/p.png)") == (
        f'<p><a rel="{OUR_REL}" href="http://canary.example/p.png">diagram</a></p>'
    )
    linked = markdown.render("[![diagram](http://canary.example/p.png)](https://a.example)")
    assert "canary" not in linked
    assert "diagram" in linked


def test_a_link_defined_in_one_comment_is_unknown_in_the_next() -> None:
    markdown.render("[x]: https://a.example\n\n[x]")
    assert markdown.render("[x]") == "<p>[x]</p>"
