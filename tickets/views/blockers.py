"""What a ticket waits for."""

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from core.access import guarded
from people.requests import UserRequest
from tickets.actions import blockers as actions
from tickets.forms.blockers import BlockForm
from tickets.forms.refusals import NoFields
from tickets.models import Blocker, Ticket
from tickets.queries.places import MOST_PLACES
from tickets.views import answers


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def block(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Let the ticket wait for another one of its incident."""
    form = BlockForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not answers.refused(
        form, lambda: actions.block_ticket(actor=request.user, ticket=ticket, by=form.cleaned_data["by"])
    ):
        return answers.saved(request, ticket, f"#{ticket.number} waits for #{form.cleaned_data['by']}.")
    others = Ticket.objects.visible_to(request.user).filter(incident=ticket.incident).exclude(pk=ticket.pk)
    context = {"form": form, "ticket": ticket, "others": others.order_by("lft").only("number", "title")[:MOST_PLACES]}
    return answers.page(request, ticket.incident, "block", context, status=422 if form.is_bound else 200)


@require_POST
@guarded(Blocker, "work")
def unblock(request: UserRequest, blocker: Blocker) -> HttpResponse:
    """Let it wait no more."""
    form, ticket, number = NoFields(request.POST), blocker.ticket, blocker.by.number
    if answers.refused(form, lambda: actions.unblock_ticket(actor=request.user, blocker=blocker)):
        return answers.page(request, ticket.incident, "refused", {"form": form, "ticket": ticket}, status=422)
    return answers.saved(request, ticket, f"#{ticket.number} need not wait for #{number}.")
