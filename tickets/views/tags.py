"""The words a ticket is found by."""

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from core.access import guarded
from people.requests import UserRequest
from tickets.actions.tags import set_tags, tags_of
from tickets.forms.tags import TagsForm
from tickets.models import Ticket
from tickets.queries.tags import tags_around
from tickets.views import answers


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def tags(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Give the ticket tags, or take them away."""
    if request.method != "POST":
        names = tags_of(ticket)
        form = TagsForm(initial={"tags": names, "seen": names})
        return _page(request, ticket, form)
    form = TagsForm(request.POST)
    if form.is_valid() and not answers.refused(
        form, lambda: set_tags(actor=request.user, ticket=ticket, **form.cleaned_data)
    ):
        return answers.saved(request, ticket, f"Tags of #{ticket.number} saved.")
    return _page(request, ticket, form, status=422)


def _page(request: UserRequest, ticket: Ticket, form: TagsForm, status: int = 200) -> HttpResponse:
    context = {"form": form, "ticket": ticket, "known": tags_around(ticket.incident)}
    return answers.page(request, ticket.incident, "tagging", context, status=status)
