"""Deleting a branch for good, for admins alone."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from core import htmx
from core.access import guarded
from people.requests import UserRequest
from tickets.actions.purging import delete_branch
from tickets.forms.purging import DeleteForm
from tickets.models import Ticket
from tickets.queries.purging import contents
from tickets.views import answers


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "view")
def delete(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Name what would go, and delete it when the number is typed; whoever may see the incident and administers."""
    if "administer" not in request.user.rights:
        raise PermissionDenied
    form = DeleteForm(request.POST if request.method == "POST" else None, ticket=ticket)
    gone: list[int] = []
    if form.is_valid() and not answers.refused(form, lambda: gone.extend(_deleted(request, ticket, form))):
        htmx.toast(request, f"#{ticket.number} deleted for good ({len(gone)} ticket{'' if len(gone) == 1 else 's'}).")
        return htmx.done(request, answers.url("tree", ticket.incident))
    context = {"form": form, "ticket": ticket, "contents": contents(ticket)}
    return answers.page(request, ticket.incident, "delete", context, status=422 if form.is_bound else 200)


def _deleted(request: UserRequest, ticket: Ticket, form: DeleteForm) -> list[int]:
    data = form.cleaned_data
    closed = bool(data.get("closed"))
    return delete_branch(actor=request.user, ticket=ticket, reason=data["reason"], closed=closed)
