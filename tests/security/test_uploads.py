"""G19: whatever is uploaded under whatever name, it lies under a key of ours and only ever leaves as a download."""

import hashlib
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from tickets.actions.attachments import DEVICES, safe_name
from tickets.models import Attachment

pytestmark = pytest.mark.security

RUN = "window.__pwn=1"
ACTIVE: dict[str, tuple[str, bytes]] = {  # ending: type as its sender claims it, content
    "html": ("text/html", f"<!doctype html><script>{RUN}</script>".encode()),
    "htm": ("text/html", f"<script>{RUN}</script>".encode()),
    "xhtml": (
        "application/xhtml+xml",
        f'<html xmlns="http://www.w3.org/1999/xhtml"><script>{RUN}</script></html>'.encode(),
    ),
    "svg": ("image/svg+xml", f'<svg xmlns="http://www.w3.org/2000/svg" onload="{RUN}"/>'.encode()),
    "svgz": ("image/svg+xml", b"\x1f\x8b\x08\x00"),
    "xml": (
        "text/xml",
        b'<?xml-stylesheet type="text/xsl" href="data:text/xml,&lt;x/&gt;"?><x xmlns="http://www.w3.org/1999/xhtml"/>',
    ),
    "xsl": ("text/xsl", b'<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>'),
    "mht": ("multipart/related", b"MIME-Version: 1.0\r\nContent-Type: text/html\r\n\r\n<script>1</script>"),
    "js": ("text/javascript", RUN.encode()),
    "mjs": ("text/javascript", RUN.encode()),
    "css": ("text/css", b"*{background:url(http://canary.example/)}"),
    "pdf": ("application/pdf", b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj"),
    "swf": ("application/x-shockwave-flash", b"CWS\x06"),
    "shtml": ("text/html", b'<!--#exec cmd="id" -->'),
    "php": ("application/x-httpd-php", b"<?php phpinfo();"),
    "hta": ("application/hta", b"<script>1</script>"),
    "webmanifest": ("application/manifest+json", b"{}"),
    "txt": ("text/plain", f"<html><script>{RUN}</script>".encode()),
    "json": ("application/json", f"<html><script>{RUN}</script>".encode()),
    "gif": ("image/gif", f"GIF89a/*<script>*/={RUN}//".encode()),
    "": ("", f"<script>{RUN}</script>".encode()),
}
NAMES = [  # PT-01
    "../../x", "..\\..\\x", "/abs", "C:\\x", "\\\\host\\share", "a/b", ".htaccess", "CON", "nul.txt", "a" * 400,
    "trailing.", "trailing ", "  ", "x\r\nSet-Cookie: a=b", 'x"; filename="y', "x\u202egpj.exe", "x%00.png", "x;.asp",
    "naïve – 名.html", "<img src=x onerror=1>", "..", ".", "x\x00.html", "%2e%2e%2fx", "-rf",
]  # fmt: skip


def named(file: SimpleUploadedFile, name: str) -> None:
    """Give the file this very name on the wire: Django's own setter would clean it."""
    vars(file)["_name"] = name


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()} if folder.exists() else set()


def outside_of_store() -> set[Path]:
    """Every file of the data folder that is neither in the store nor a database."""
    data = Path(settings.DATA_DIR)
    return {path for path in files_below(data) if not path.is_relative_to(data / "files") and "sqlite" not in path.name}


def is_inert(answer) -> bool:
    """Whether a browser can only save it: typed as bytes, attached, not to be sniffed, in an origin of its own."""
    return (
        answer["Content-Type"] == "application/octet-stream"
        and answer["Content-Disposition"].startswith("attachment")
        and answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        and answer["X-Content-Type-Options"] == "nosniff"
        and answer["Cross-Origin-Resource-Policy"] == "same-origin"
        and "no-store" in answer["Cache-Control"]
        and "\n" not in answer["Content-Disposition"]
    )


def shows_only(answer, kind: str) -> bool:
    """Whether a browser can only draw it: typed as this kind of picture, not to be sniffed, in an origin of its own."""
    return (
        answer["Content-Type"] == kind
        and answer["Content-Disposition"].startswith("inline")
        and answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
        and answer["X-Content-Type-Options"] == "nosniff"
        and answer["Cross-Origin-Resource-Policy"] == "same-origin"
        and "no-store" in answer["Cache-Control"]
    )


def test_active_files_under_hostile_names_are_only_ever_downloads(
    client_of, bob, incident, make_ticket, capsys
) -> None:
    make_ticket("Beacon")
    client: Client = client_of(bob)
    base = f"/incidents/{incident.number}/tickets/101/files/"
    before, sent, accepted = outside_of_store(), 0, 0
    inline, changed, refused = [], [], 0
    for number, (ending, (claimed, content)) in enumerate(ACTIVE.items()):
        # every type under its own name and three hostile ones in turn, so that each name meets several types
        names = [f"x.{ending}", *(NAMES[(number * 3 + step) % len(NAMES)] for step in range(3))]
        for name in names:
            sent += 1
            body = content + name.encode("utf-8", "replace")
            file = SimpleUploadedFile(f"x.{ending}", body, content_type=claimed)
            named(file, name)
            answer = client.post(f"{base}add/", {"file": file})
            if answer.status_code == 422:  # the name is none at all
                refused += 1
                continue
            kept = Attachment.objects.latest("created_at")
            accepted += 1
            download = client.get(f"{base}{kept.pk}/")
            received = b"".join(download)
            if hashlib.sha256(received).hexdigest() != kept.sha256 or received != body:
                changed.append(name)
            asked = client.get(f"{base}{kept.pk}/?inline=1")
            asked.close()
            is_gif = body.startswith(b"GIF89a")  # a picture by its bytes, whatever else is in it: shown as nothing else
            if not is_inert(download) or not (shows_only(asked, "image/gif") if is_gif else is_inert(asked)):
                inline.append((name, claimed))
    outside = outside_of_store() - before
    with capsys.disabled():
        print(
            f"\nG19 uploads: {len(ACTIVE)} active types x {len(NAMES)} names in {sent} uploads ({accepted} kept, "
            f"{refused} without a name refused), {len(inline)} rendered inline, {len(outside)} writes outside "
            f"the store, {accepted - len(changed)}/{accepted} hashes equal"
        )
    assert accepted + refused == sent
    assert accepted > 70
    assert (inline, changed, outside) == ([], [], set())


def test_every_stored_key_is_ours_and_every_name_is_fit_to_show(client_of, bob, incident, make_ticket) -> None:
    make_ticket("Beacon")
    base = f"/incidents/{incident.number}/tickets/101/"
    client = client_of(bob)
    for name in NAMES:
        file = SimpleUploadedFile("x", b"content")
        named(file, name)
        client.post(f"{base}files/add/", {"file": file})
    html = client.get(base).content.decode()
    for kept in Attachment.objects.all():
        assert kept.key == f"attachments/{kept.pk.hex[:2]}/{kept.pk.hex}"
        assert Path(default_storage.path(kept.key)).is_relative_to(Path(settings.DATA_DIR) / "files")
        assert not set(kept.name) & set("/\\\r\n\x00\u202e")
    assert "<img src=x" not in html


@pytest.mark.parametrize("place", ["/media/", "/files/", "/attachments/", "/static/../files/", "/static/..%2ffiles/"])
def test_the_store_has_no_address_of_its_own(client_of, bob, incident, make_ticket, place) -> None:
    make_ticket("Beacon")
    client = client_of(bob)
    client.post(
        f"/incidents/{incident.number}/tickets/101/files/add/", {"file": SimpleUploadedFile("x.html", b"content")}
    )
    assert client.get(f"{place}{Attachment.objects.get().key}").status_code == 404


@given_settings(max_examples=300, deadline=None)
@given(st.text(max_size=300))
def test_no_name_at_all_is_a_path_or_a_device(name) -> None:
    shown = safe_name(name)
    assert 1 <= len(shown) <= 200
    assert not set(shown) & set("/\\\x00\r\n")
    assert shown not in {".", ".."}
    assert shown.split(".")[0].casefold() not in DEVICES
    assert shown.isprintable()
