"""Watching a ticket."""

from django.http import HttpResponse
from django.views.decorators.http import require_POST

from core.access import guarded
from people.requests import UserRequest
from tickets.actions import watches as actions
from tickets.forms.watches import WatchForm
from tickets.models import Ticket
from tickets.views import answers


@require_POST
@guarded(Ticket, "view")
def watch(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Hear of the ticket, or (without `watch`) no more."""
    form = WatchForm(request.POST)
    form.is_valid()
    wanted = form.cleaned_data["watch"]
    act = actions.watch_ticket if wanted else actions.unwatch_ticket
    if answers.refused(form, lambda: act(actor=request.user, ticket=ticket)):
        return answers.page(request, ticket.incident, "refused", {"form": form, "ticket": ticket}, status=422)
    words = f"You hear of #{ticket.number} now." if wanted else f"You hear of #{ticket.number} no more."
    return answers.saved(request, ticket, words)
