"""Files: in by an upload that is hashed, out as a download; only a picture whose bytes say so is ever shown here."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST, require_safe

from core import htmx
from core.access import guarded
from core.files import Kept, keeping
from core.requests import takes_bytes
from incidents.models import Incident
from people.requests import UserRequest
from tickets.actions import attachments as actions
from tickets.forms.attachments import AttachForm
from tickets.models import Attachment, Ticket
from tickets.views import answers, comments

PICTURES = {  # how the bytes of a picture without any script in it begin: its type
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


@require_POST
@guarded(Ticket, "work")
def attach(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Keep a file on the ticket."""
    form = AttachForm(request.POST, request.FILES)
    found = _keep(form, lambda kept: actions.attach_file(actor=request.user, ticket=ticket, file=kept))
    if found is None:
        return answers.page(request, ticket.incident, "attach", {"form": form, "ticket": ticket}, status=422)
    return _told(answers.saved(request, ticket, f"File attached to #{ticket.number}."), found)


@require_POST
@guarded(Incident, "work")
def attach_here(request: UserRequest, incident: Incident) -> HttpResponse:
    """Keep a file on the incident as a whole."""
    form = AttachForm(request.POST, request.FILES)
    found = _keep(form, lambda kept: actions.attach_to_incident(actor=request.user, incident=incident, file=kept))
    if found is None:
        return answers.page(request, incident, "attach", {"form": form, "tab": "overview"}, status=422)
    htmx.toast(request, "File attached to the incident.")
    return _told(comments.talked(request, incident), found)


def _keep(form: AttachForm, act: Callable[[Kept], Attachment]) -> Attachment | None:
    done: list[Attachment] = []

    def keep() -> None:
        with keeping(form.cleaned_data["file"], "attachments", most=settings.ATTACHMENT_MAX_BYTES) as kept:
            done.append(act(kept))

    return done[0] if form.is_valid() and not answers.refused(form, keep) else None


def _told(response: HttpResponse, found: Attachment) -> HttpResponse:
    """The answer, with where the file is now: a script that sent it can write the address into a text."""
    parts = {"ticket": found.ticket.number, "attachment": found.pk}
    response["Content-Location"] = answers.url("download", found.ticket.incident, **parts)
    return response


@require_safe
@guarded(Attachment, "view")
def download(request: UserRequest, attachment: Attachment) -> HttpResponseBase:
    """The bytes as they came, to be saved, whatever the sender called them. Journalled.

    With `?inline=1` a PNG, JPEG, GIF or WebP is shown: its type is read from its bytes, and it runs nothing.
    """
    try:
        file = default_storage.open(attachment.key)
    except FileNotFoundError as gone:
        raise Http404 from gone
    kind = _picture(file) if request.GET.get("inline") == "1" else ""
    if takes_bytes(request):
        actions.note_download(actor=request.user, attachment=attachment, inline=bool(kind))
    response = FileResponse(
        file, as_attachment=not kind, filename=attachment.name, content_type=kind or "application/octet-stream"
    )
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _picture(file: File[bytes]) -> str:
    """The type that the first bytes tell; empty for everything that is not a picture of the four kinds."""
    head = file.read(16)
    file.seek(0)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in PICTURES.items() if head.startswith(start)), "")
