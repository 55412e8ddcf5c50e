"""Time spent on a ticket."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from core.access import guarded
from people.requests import UserRequest
from tickets.actions import times as actions
from tickets.durations import in_words
from tickets.forms.refusals import NoFields
from tickets.forms.times import TimeForm
from tickets.models import Ticket, TimeEntry
from tickets.views import answers


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def log_time(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Write down how long one worked on it."""
    form = TimeForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not answers.refused(
        form, lambda: actions.log_time(actor=request.user, ticket=ticket, **form.cleaned_data)
    ):
        return answers.saved(request, ticket, f"{in_words(form.cleaned_data['minutes'])} on #{ticket.number} noted.")
    context = {"form": form, "ticket": ticket}
    return answers.page(request, ticket.incident, "time", context, status=422 if form.is_bound else 200)


@require_POST
@guarded(TimeEntry, "work")
def remove_time(request: UserRequest, entry: TimeEntry) -> HttpResponse:
    """Take back time of one's own."""
    if entry.user_id != request.user.pk:
        raise PermissionDenied
    form, ticket = NoFields(request.POST), entry.ticket
    if answers.refused(form, lambda: actions.take_back_time(actor=request.user, entry=entry)):
        return answers.page(request, ticket.incident, "refused", {"form": form, "ticket": ticket}, status=422)
    return answers.saved(request, ticket, f"{in_words(entry.minutes)} on #{ticket.number} taken back.")
