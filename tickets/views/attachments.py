"""Files: in by an upload that is hashed, out only as a download that no browser opens here."""

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST, require_safe

from core.access import guarded
from core.files import keeping
from core.requests import takes_bytes
from people.requests import UserRequest
from tickets.actions import attachments as actions
from tickets.forms.attachments import AttachForm
from tickets.models import Attachment, Ticket
from tickets.views import answers


@require_POST
@guarded(Ticket, "work")
def attach(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Keep a file on the ticket."""
    form = AttachForm(request.POST, request.FILES)

    def keep() -> None:
        with keeping(form.cleaned_data["file"], "attachments", most=settings.ATTACHMENT_MAX_BYTES) as kept:
            actions.attach_file(actor=request.user, ticket=ticket, file=kept)

    if form.is_valid() and not answers.refused(form, keep):
        return answers.saved(request, ticket, f"File attached to #{ticket.number}.")
    return answers.page(request, ticket.incident, "attach", {"form": form, "ticket": ticket}, status=422)


@require_safe
@guarded(Attachment, "view")
def download(request: UserRequest, attachment: Attachment) -> HttpResponseBase:
    """The bytes as they came, to be saved; never shown, whatever the sender called them. Journalled."""
    try:
        file = default_storage.open(attachment.key)
    except FileNotFoundError as gone:
        raise Http404 from gone
    if takes_bytes(request):
        actions.note_download(actor=request.user, attachment=attachment)
    response = FileResponse(file, as_attachment=True, filename=attachment.name, content_type="application/octet-stream")
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["X-Content-Type-Options"] = "nosniff"
    return response
