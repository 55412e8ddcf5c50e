"""What Alice types is what the team reads, and no text stops the house."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template import Context, Engine

from core import markdown

PROJECT = Path(markdown.__file__).parent.parent
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def has_ended(pid: int) -> bool:
    """Whether the process is gone or only waits to be collected by whoever adopted it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.fixture
def renderer() -> Iterator[markdown.Renderer]:
    """A renderer of our own, so that what happens to it concerns no other test."""
    own = markdown.Renderer()
    yield own
    own.close()


def test_a_line_break_stays_a_line_break() -> None:
    assert markdown.render("host is down\nrestarting") == "<p>host is down<br>\nrestarting</p>"


def test_a_list_may_stand_right_under_a_sentence_and_nest_by_two_spaces() -> None:
    html = markdown.render("Steps:\n- isolate\n  - vlan 12\n- image")
    compact = html.replace("\n", "")
    assert compact == "<p>Steps:</p><ul><li>isolate<ul><li>vlan 12</li></ul></li><li>image</li></ul>"


def test_a_numbered_list_keeps_its_paragraphs() -> None:
    html = markdown.render("1. first\n\n   more\n2. second").replace("\n", "")
    assert html == "<ol><li><p>first</p><p>more</p></li><li><p>second</p></li></ol>"


def test_a_year_at_the_start_of_a_line_is_no_list() -> None:
    assert "<ol>" not in markdown.render("It began in\n2026. Then it spread.")


def test_a_table_is_a_table() -> None:
    html = markdown.render("|host|state|\n|:-|-:|\n|web1|down|").replace("\n", "")
    assert html == (
        "<table><thead><tr><th>host</th><th>state</th></tr></thead>"
        "<tbody><tr><td>web1</td><td>down</td></tr></tbody></table>"
    )


def test_code_in_a_fence_is_kept_to_the_letter() -> None:
    html = markdown.render("```powershell\nIEX <x> & [y](z)\n\n- no list\n```")
    assert html == "<pre><code>IEX &lt;x&gt; &amp; [y](z)\n\n- no list\n</code></pre>"


def test_headings_stand_below_those_of_the_page() -> None:
    assert markdown.render("# a\n\n## b\n\n##### c") == "<h3>a</h3>\n<h4>b</h4>\n<h6>c</h6>"


def test_a_ticket_number_at_the_start_of_a_line_is_no_heading() -> None:
    assert markdown.render("#109 is done") == "<p>#109 is done</p>"


def test_a_bare_address_is_a_link_without_the_punctuation_behind_it() -> None:
    html = markdown.render("see (https://a.example/x_y_z?q=(1)).")
    assert ">https://a.example/x_y_z?q=(1)</a>)." in html
    assert 'rel="noopener noreferrer nofollow" href="https://a.example/x_y_z?q=(1)"' in html
    assert "<a" not in markdown.render("`https://a.example`")


def test_html_in_a_text_is_shown_as_typed() -> None:
    assert markdown.render("<b>x</b>\n\n<table>") == "<p>&lt;b&gt;x&lt;/b&gt;</p>\n<p>&lt;table&gt;</p>"


def test_characters_that_nobody_can_type_are_gone_before_rendering() -> None:
    assert markdown.render("a\x00b\x02c\x1b[0m\ud800\r\nd\u2028e") == "<p>abc[0m\ufffd<br>\nd<br>\ne</p>"


def test_an_empty_text_is_nothing() -> None:
    assert markdown.render(" \n") == markdown.stored("") == markdown.html("", "") == ""


def test_a_text_over_the_limit_is_refused_at_the_door_and_shown_as_typed_behind_it() -> None:
    markdown.check("a" * markdown.LIMIT)
    with pytest.raises(ValueError, match="65536"):
        markdown.check("a" * (markdown.LIMIT + 1))
    assert markdown.render("*a* <b>" * markdown.LIMIT).endswith("*a* &lt;b&gt;</pre>")


def test_the_stored_form_is_shown_while_its_version_is_current() -> None:
    assert markdown.stored("*a*") == "1:<p><em>a</em></p>"
    assert markdown.html("*a*", "1:<p>kept</p>") == "<p>kept</p>"
    assert markdown.html("*a*", "0:<p>of an older renderer</p>") == "<p><em>a</em></p>"
    assert markdown.html("*a*", "") == "<p><em>a</em></p>"
    assert hasattr(markdown.html("*a*", ""), "__html__")


def test_a_template_shows_the_field_by_its_name() -> None:
    engine = Engine(libraries={"rendered": "core.templatetags.rendered"})
    template = engine.from_string('{% load rendered %}{{ incident|rendered:"summary" }}')
    incident = SimpleNamespace(summary="*a*", summary_html=markdown.stored("*a*"))
    assert template.render(Context({"incident": incident})) == "<p><em>a</em></p>"
    with pytest.raises(AttributeError):
        template.render(Context({"incident": SimpleNamespace(summary="*a*")}))


def test_the_first_words_come_without_marks_and_whole() -> None:
    text = "# Phishing\n\n- [x] **two** mailboxes of `web_1_a`, see [report](https://a.example/r)\n> 5 * 3 *.exe\n"
    assert markdown.plain(text) == "Phishing two mailboxes of web_1_a, see report 5 * 3 *.exe"
    assert markdown.plain("one two three four", length=12) == "one two…"
    assert markdown.plain("x" * 400, length=10) == "x" * 9 + "…"
    assert markdown.plain("<b>\x00x") == "<b>x"


TANGLED = {
    "open brackets": "[" * 5000,
    "open images": "![" * 5000,
    "open links": "[a](b" * 5000,
    "open addresses": "[a](" * 4000,
    "open tags": "<a " * 5000,
    "unclosed elements": "<div>" * 5000,
    "ampersands": "&" * 50_000,
    "a wide table": "|".join("a" * 200) + "\n" + "|".join("-" * 200) + "\n" + "a|b\n" * 5000,
    "definitions": "a\n: b\n\n" * 2000,
    "a deep list": "\n".join("  " * depth + "- a" for depth in range(200)),
    "a deep quote": ">" * 300 + "a",
    "a thousand headings": "# a\n" * 15_000,
    "underlined headings": "a\n=\n" * 10_000,
    "brackets in many blocks": "\n\n".join(["[" * 300] * 200),
    "emphasis": "a**b" * 4000,
    "backticks": " ".join("`" * length for length in range(1, 300)),
    "fences never closed": "".join("~" * length + "\n" for length in range(3, 340)),
    "one address a thousand times": "[a]: http://x/" + "y" * 30_000 + "\n\n" + "[a] " * 5000,
}


@pytest.mark.parametrize("text", TANGLED.values(), ids=TANGLED.keys())
def test_a_tangled_text_ends_as_html_or_as_typed_and_the_next_one_is_fine(text: str) -> None:
    html = markdown.render(text)
    assert html.startswith("<")
    assert markdown.stored("*next*") == "1:<p><em>next</em></p>"


def test_code_full_of_brackets_is_still_rendered() -> None:
    assert markdown.render("```\n" + "[x] " * 2000 + "\n```").startswith("<pre><code>")


def test_a_text_that_takes_too_long_ends_the_renderer_and_not_the_next_text(renderer: markdown.Renderer) -> None:
    renderer.render("a")
    first = renderer.pid
    with pytest.raises(markdown.Refused):
        renderer.render("[" * 60_000)
    assert first is not None
    assert renderer.pid is None
    with pytest.raises(ChildProcessError):
        os.waitpid(first, os.WNOHANG)  # collected: no zombie is left
    assert renderer.render("*a*") == "<p><em>a</em></p>"
    assert renderer.pid != first


@pytest.mark.parametrize("text", ["- " * 500 + "a", "\n".join("  " * depth + "- a" for depth in range(100))])
def test_a_text_nested_too_deeply_is_refused_and_the_renderer_lives(renderer: markdown.Renderer, text: str) -> None:
    renderer.render("\n".join("  " * depth + "- a" for depth in range(20)))
    first = renderer.pid
    with pytest.raises(markdown.Refused):
        renderer.render(text)
    assert renderer.pid == first


def test_a_renderer_killed_from_outside_is_replaced(renderer: markdown.Renderer) -> None:
    renderer.render("a")
    first = renderer.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
    assert renderer.render("*a*") == "<p><em>a</em></p>"
    assert renderer.pid != first


def test_while_no_renderer_can_start_texts_are_shown_as_typed_and_not_stored_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(markdown, "_renderer", markdown.Renderer())
    with monkeypatch.context() as broken:
        broken.setattr(sys, "executable", "/nonexistent/python")
        assert '<pre class="plain">*a*</pre>' in markdown.render("*a*")
        assert markdown.stored("*a*") == ""
    assert markdown.html("*a*", "") == "<p><em>a</em></p>"
    markdown._renderer.close()


def test_many_threads_get_each_their_own_text(renderer: markdown.Renderer) -> None:
    wrong: list[str] = []

    def write(name: str) -> None:
        for number in range(20):
            html = renderer.render(f"{name} {number}")
            if html != f"<p>{name} {number}</p>":
                wrong.append(html)

    threads = [threading.Thread(target=write, args=(f"writer {n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def run_apart(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=False)


def test_a_forked_worker_gets_a_renderer_of_its_own() -> None:
    result = run_apart(
        "import os\n"
        "from core import markdown\n"
        "markdown.render('a')\n"
        "first = markdown._renderer.pid\n"
        "worker = os.fork()\n"
        "if not worker:\n"
        "    right = markdown.render('*b*') == '<p><em>b</em></p>' and markdown._renderer.pid != first\n"
        "    markdown._renderer.close()\n"
        "    os._exit(0 if right else 1)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1]) == 0\n"
        "assert markdown.render('*c*') == '<p><em>c</em></p>' and markdown._renderer.pid == first\n"
    )
    assert result.returncode == 0, result.stderr


@LINUX
def test_the_renderer_ends_with_its_parent() -> None:
    result = run_apart(
        "import os, signal\n"
        "from core import markdown\n"
        "markdown.render('a')\n"
        "print(markdown._renderer.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert result.returncode == -signal.SIGKILL
    child = int(result.stdout)
    for _ in range(500):
        if has_ended(child):
            break
        time.sleep(0.02)
    assert has_ended(child)


@LINUX
def test_the_renderer_has_little_memory_and_no_secrets(
    monkeypatch: pytest.MonkeyPatch, renderer: markdown.Renderer
) -> None:
    monkeypatch.setenv("SECRET_KEY", "canary")
    renderer.render("a")
    process = Path(f"/proc/{renderer.pid}")
    limits = (process / "limits").read_text()
    assert str(512 * 1024 * 1024) in next(line for line in limits.splitlines() if line.startswith("Max address space"))
    assert b"canary" not in (process / "environ").read_bytes()
