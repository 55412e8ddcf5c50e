"""Hostile documents on their way to a PDF: nothing is fetched, nothing is read, too much ends only itself."""

import base64
import io
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from pypdf import PdfReader

from core.characters import SURROGATES
from core.models.work import WorkState
from incidents.models import Incident
from people.models import User
from reporting import pdf, tasks
from reporting.actions import reports as actions
from reporting.models import ReportJob
from tests.servers import skip_or_fail
from tickets.actions import comments
from tickets.models import Ticket

pytestmark = pytest.mark.security

CANARY = "canary-7f3a91c2e5"
PROGRAM = Path(pdf.__file__).with_name("pdf_process.py")
PAYLOADS: list[str] = [
    entry["payload"]
    for entry in json.loads(Path(__file__).with_name("payloads.json").read_text(encoding="utf-8"))
    if entry["group"] == "markdown_html_xss"
]
# What weasyprint really fetches, each with ADDRESS in place of the address.
VECTORS = {
    "img": '<img src="ADDRESS">',
    "stylesheet": '<link rel="stylesheet" href="ADDRESS">',
    "import": '<style>@import url("ADDRESS");</style>',
    "background": '<p style="background:url(ADDRESS)">x</p>',
    "font": '<style>@font-face{font-family:f;src:url("ADDRESS")}p{font-family:f}</style><p>x</p>',
    "object": '<object data="ADDRESS" type="image/png"></object>',
    "embed": '<embed src="ADDRESS" type="image/svg+xml">',
    "svg": '<svg width="9" height="9"><image href="ADDRESS" width="9" height="9"/><use href="ADDRESS#a"/></svg>',
    "link attachment": '<link rel="attachment" href="ADDRESS">',
    "a attachment": '<a rel="attachment" href="ADDRESS">x</a>',
    "base": '<base href="ADDRESS"><img src="a.png"><link rel="stylesheet" href="b.css">',
    "content": '<style>p::before{content:url("ADDRESS")}</style><p>x</p>',
    "list": '<ul style="list-style-image:url(ADDRESS)"><li>x</li></ul>',
    "border": '<p style="border:3px solid;border-image:url(ADDRESS) 3">x</p>',
    "colours": '<style>@color-profile --a{src:url("ADDRESS")}</style><p>x</p>',
}
COMPLEX = {
    "colspan": "<table><tr><td colspan=100000>x</td></tr></table>",
    "rowspan": "<table>" + "<tr><td rowspan=60000>x</td></tr>" * 400 + "</table>",
    "columns": "<table><tr>" + "<td>x</td>" * 20000 + "</tr></table>",
    "paragraph": f"<p style='overflow-wrap:anywhere'>{'a&shy;' * 250_000}</p>",
    "spans": f"<p>{'a<b>b' * 6000}</p>",
    "quotes": "<blockquote>" * 300,
    "boxes": "<div>" * 4000,
}
DRIVER = """
import base64, importlib.util, json, sys
spec = importlib.util.spec_from_file_location("pdf_process", sys.argv[1])
process = importlib.util.module_from_spec(spec)
spec.loader.exec_module(process)
documents = json.load(sys.stdin.buffer)
assert process.prepare(300)
for html in documents:
    content, word = process.outcome(html, "p { color: red }")
    print(json.dumps([word, base64.b64encode(content).decode()]), flush=True)
"""


@pytest.fixture(autouse=True)
def libraries() -> None:
    if not pdf.available():
        skip_or_fail(pdf.MISSING)


@pytest.fixture
def bait() -> Iterator[tuple[int, list[bytes]]]:
    """A port that counts who calls: its number, and what was said."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def listen() -> None:
            server.settimeout(0.1)
            while not stop.is_set():
                try:
                    caller, _ = server.accept()
                except TimeoutError:
                    continue
                with caller:
                    caller.settimeout(1)
                    heard.append(caller.recv(200))
                    caller.sendall(b"HTTP/1.0 404 no\r\n\r\n")

        listener = threading.Thread(target=listen)
        listener.start()
        yield server.getsockname()[1], heard
        stop.set()
        listener.join()


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file whose text must be in no document."""
    file = tmp_path / "canary.txt"
    file.write_text(f"{CANARY}\n")
    return file


def addresses(port: int, file: Path) -> list[str]:
    """One place on the network and one file, in the spellings that get past filters."""
    host = f"127.0.0.1:{port}"
    inner = f"<image href='http://{host}/e'/><image href='file://{file}'/>"
    return [
        f"http://{host}/a", f"HTTP://{host}/b", f"ftp://{host}/c", f"//{host}/d", f"file://{file}", f"FILE://{file}",
        f"file://localhost{file}", f"file:{file}", f"file://{file}?x", str(file), f"../../../../../../../../..{file}",
        f"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'>{inner}</svg>",
    ]  # fmt: skip


def laid_out(documents: list[str]) -> list[tuple[dict[str, object], bytes]]:
    """What the laying-out process (one for all, with its doors closed) makes of raw HTML that no filter saw."""
    ran = subprocess.run(
        [sys.executable, "-I", "-c", DRIVER, str(PROGRAM)],
        input=json.dumps(documents).encode(), capture_output=True, check=False, cwd="/", env=pdf.environment(),
    )  # fmt: skip
    lines = ran.stdout.splitlines()
    assert len(lines) == len(documents), ran.stderr[-2000:]
    return [(word, base64.b64decode(content)) for word, content in map(json.loads, lines)]


def words_of(content: bytes) -> str:
    """The text of all pages without line ends; the reader puts zeros between letters of some fonts."""
    words = "".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return words.replace("\x00", "").replace("\n", "")


def gives_away(content: bytes) -> bool:
    """Whether the canary's text is in the file: on a page, attached, or anywhere in its objects."""
    reader = PdfReader(io.BytesIO(content))
    words = words_of(content)
    attached = b"".join(data for files in reader.attachments.values() for data in files)
    return CANARY in words or CANARY.encode() in attached + content


def is_clean(word: dict[str, object], content: bytes) -> bool:
    """A file without the canary, or a word that there is none."""
    return word.get("refused") == "broken" if not content else not gives_away(content)


def test_raw_hostile_html_fetches_and_reads_nothing(bait: tuple[int, list[bytes]], canary: Path) -> None:
    port, heard = bait
    documents = list(PAYLOADS)
    for vector in VECTORS.values():
        documents += [vector.replace("ADDRESS", address) for address in addresses(port, canary)]
    documents.append(
        f'<link rel=attachment href="file://{canary}"><style>@import "http://127.0.0.1:{port}/loop"</style>'
    )
    made = laid_out(documents)
    dirty = [html for html, (word, content) in zip(documents, made, strict=True) if not is_clean(word, content)]
    assert dirty == []
    assert heard == []
    files = sum(bool(content) for _, content in made)
    assert files > len(documents) * 0.8
    print(f"G17 pdf: {len(documents)} documents, {len(heard)} fetches, {files} files, {len(documents) - files} refused")


def test_the_detector_detects(bait: tuple[int, list[bytes]], canary: Path) -> None:
    """The library as it comes fetches what is asked for, so the silence above is ours."""
    port, heard = bait
    html = f'<img src="http://127.0.0.1:{port}/a"><link rel=attachment href="file://{canary}">'
    script = "import sys, weasyprint; sys.stdout.buffer.write(weasyprint.HTML(string=sys.argv[1]).write_pdf())"
    ran = subprocess.run([sys.executable, "-c", script, html], capture_output=True, check=True, env=pdf.environment())
    assert len(heard) == 1
    assert gives_away(ran.stdout)


def test_the_process_refuses_by_itself_what_gets_past_the_fetcher(
    bait: tuple[int, list[bytes]], canary: Path, tmp_path: Path
) -> None:
    port, heard = bait
    tries = {
        "connect": f"import socket; socket.create_connection(('127.0.0.1', {port}))",
        "read": f"open({str(canary)!r}).read()",
        "list the people": "open('/etc/passwd').read()",
        "climb": f"open(sys.prefix + '/../../../../../..{canary}').read()",
        "write": f"open({str(tmp_path / 'new')!r}, 'w')",
        "write where reading is fine": "open(sys.prefix + '/new', 'w')",
        "run": "import subprocess; subprocess.run(['true'])",
        "shell": "import os; os.system('true')",
    }
    script = DRIVER.split("documents =", maxsplit=1)[0] + "assert process.prepare(20)\n"
    for name, line in tries.items():
        code = f"{script}try:\n    {line}\nexcept PermissionError:\n    print('refused')\n"
        ran = subprocess.run(
            [sys.executable, "-I", "-c", code, str(PROGRAM)],
            capture_output=True,
            text=True,
            check=False,
            env=pdf.environment(),
        )
        assert ran.stdout.strip() == "refused", (name, ran.stderr[-500:])
    assert heard == []


def test_secrets_of_the_server_are_not_in_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child is started with an empty environment: it is looked at while it works."""
    monkeypatch.setenv("SECRET_CANARY", CANARY)
    seen: list[bytes] = []

    def look(_: int) -> bool:
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if b"pdf_process.py" in (entry / "cmdline").read_bytes():
                    seen.append((entry / "environ").read_bytes())
            except OSError:
                continue
        return True

    if not Path("/proc/self/environ").exists():
        skip_or_fail("This machine has no /proc.")
    pdf.make("<p>words</p>" * 500, css="", progress=look)
    assert seen
    assert CANARY.encode() not in b"".join(seen)
    assert b"SECRET_KEY" not in b"".join(seen)


def test_traced_by_the_system_it_opens_no_file_but_programs_and_fonts(canary: Path, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None:
        skip_or_fail("strace is not installed (Debian: apt-get install strace).")
        return
    everything = "".join(
        vector.replace("ADDRESS", address) for vector in VECTORS.values() for address in addresses(9, canary)
    )
    log = tmp_path / "calls"
    tracing = [strace, "-f", "-qq", "-e", "trace=open,openat,connect", "-o", str(log)]
    ran = subprocess.run(
        [*tracing, sys.executable, "-I", str(PROGRAM), "60"],
        input=json.dumps({"html": everything, "css": ""}).encode(),
        capture_output=True, check=False, cwd="/", env=pdf.environment(),
    )  # fmt: skip
    if not log.exists() or not log.stat().st_size:
        skip_or_fail(f"strace may not trace here: {ran.stderr[-200:]!r}")
    calls = log.read_text(errors="replace")
    programs = (
        sys.prefix,
        sys.base_prefix,
        "/usr/",
        "/lib",
        "/bin/",
        "/proc/",
        "/dev/",
        "/sys/",
        "/opt/",
        str(PROGRAM),
    )
    fonts = ("/etc/fonts", "/var/cache/fontconfig", "/etc/ld.so", "/etc/localtime", "/etc/mime.types", "/etc/ssl/")
    opened = set(re.findall(r'open(?:at)?\((?:AT_FDCWD, )?"([^"]+)".* = \d+', calls))
    outside = sorted(path for path in opened if path.startswith("/") and not path.startswith(programs + fonts))
    assert [path for path in outside if path != "/"] == []
    assert len(re.findall(r"connect\(.*AF_INET", calls)) == 0
    assert opened
    print(f"G17 pdf: {len(opened)} files opened, {len(outside)} outside programs and fonts, 0 connects (strace)")


ROOT = Path(__file__).resolve().parents[2]


def lay_out(name: str) -> None:
    """Print how it ended and the most memory of a child in MB: in a process that has no other children."""
    try:
        end = f"{pdf.make(COMPLEX[name], css=tasks.style(), seconds=6).pages} pages"
    except pdf.Refused as refused:
        end = str(refused)
    print(json.dumps([end, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024]))


@pytest.mark.parametrize("name", COMPLEX)
def test_what_is_too_complex_is_stopped_within_its_limits(name: str) -> None:
    program = f"import django; django.setup(); from {__name__} import lay_out; lay_out({name!r})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    end, largest = json.loads(done.stdout.splitlines()[-1])
    assert end == pdf.TOO_COMPLEX or end.endswith("pages")
    end = "stopped" if end == pdf.TOO_COMPLEX else end
    assert largest <= 512
    if name in {"colspan", "quotes", "spans"}:
        assert end == "stopped"
    print(f"G17 pdf: {name} {end}, children at most {largest} MB")


# -- Through the product ---------------------------------------------------------------------------------------------
def report_of(incident: Incident, user: User) -> ReportJob:
    keys = list(incident.tickets.values_list("comments__pk", flat=True))
    job = actions.request_report(actor=user, incident=incident, comments=[key for key in keys if key])
    tasks.make_report(job.pk)
    job.refresh_from_db()
    return job


def test_hostile_texts_in_every_field_make_a_report_and_no_fetch(
    alice: User, incident: Incident, make_ticket: Callable[..., Ticket], bait: tuple[int, list[bytes]], canary: Path
) -> None:
    port, heard = bait
    vectors = [vector.replace("ADDRESS", address) for vector in VECTORS.values() for address in addresses(port, canary)]
    # Half characters are refused by every form and importer (core.text); no database takes them.
    texts = [SURROGATES.sub("", text) for text in [*PAYLOADS, *vectors]]
    for text in texts:
        ticket = make_ticket(text[:200])
        comments.add_comment(actor=alice, ticket=ticket, body=f"{text}\n\n![x]({addresses(port, canary)[0]})")
    Incident.objects.filter(pk=incident.pk).update(
        title="".join(texts)[:200], situation="\n\n".join(texts[:60]), root_cause="\n\n".join(vectors),
        summary="\n\n".join(texts[: len(PAYLOADS)]), affected_systems=vectors[:20],
    )  # fmt: skip
    job = report_of(incident, alice)
    assert job.state == WorkState.DONE, job.error
    with default_storage.open(job.key) as file:
        content = file.read()
    assert not gives_away(content)
    assert PdfReader(io.BytesIO(content)).attachments == {}
    assert heard == []
    assert "<script>window.__pwn=1</script>" in words_of(content)  # shown as typed
    print(f"G17 pdf: {3 * len(texts)} hostile texts in one report of {job.pages} pages, {len(heard)} fetches")


@pytest.mark.parametrize("title", ['../../etc/"x"\r\nSet-Cookie: a=b', "<b>" * 60, "\u202egnp.exe"])
def test_a_hostile_title_reaches_neither_file_name_nor_header(
    alice: User, incident: Incident, client_of: Callable[..., object], title: str
) -> None:
    Incident.objects.filter(pk=incident.pk).update(title=title)
    job = report_of(incident, alice)
    browser = client_of(alice)
    found = browser.get(f"/incidents/{incident.number}/report/{job.uuid}/pdf/")  # type: ignore[attr-defined]
    assert found["Content-Disposition"] == f'attachment; filename="{incident.number}-report-1.pdf"'
    assert "Set-Cookie" not in found.headers


def test_too_complex_a_comment_fails_its_report_and_the_next_one_is_made(
    alice: User, incident: Incident, make_ticket: Callable[..., Ticket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "SECONDS", 5)
    ticket = make_ticket()
    for _ in range(8):
        comments.add_comment(actor=alice, ticket=ticket, body="a*b*" * 12_000)
    failed = report_of(incident, alice)
    assert (failed.state, failed.error, failed.attempts) == (WorkState.FAILED, pdf.TOO_COMPLEX, 1)
    job = actions.request_report(actor=alice, incident=incident)
    tasks.make_report(job.pk)
    job.refresh_from_db()
    assert job.state == WorkState.DONE
