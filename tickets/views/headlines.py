"""Writing the headline of a branch."""

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from core.access import guarded
from core.models.versions import Conflict
from people.requests import UserRequest
from tickets.actions.headlines import set_headline
from tickets.forms.headlines import HeadlineForm
from tickets.models import Ticket
from tickets.queries.headlines import draft
from tickets.views import answers
from tickets.views.tickets import conflicted


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def headline(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """The one line; where there is none yet, those of the tickets below are its draft."""
    if request.method != "POST":
        offered = "" if ticket.headline else draft(ticket)
        form = HeadlineForm(initial={"version": ticket.version, "headline": ticket.headline or offered})
        return _page(request, ticket, form, is_draft=bool(offered))
    form = HeadlineForm(request.POST)
    done: list[Ticket] = []
    try:
        if form.is_valid() and not answers.refused(
            form, lambda: done.append(set_headline(actor=request.user, ticket=ticket, **form.cleaned_data))
        ):
            done[0].incident = ticket.incident
            return answers.saved(request, done[0], f"#{ticket.number}: headline saved.")
    except Conflict as conflict:
        return conflicted(request, ticket, form, conflict)
    return _page(request, ticket, form, status=422)


def _page(
    request: UserRequest, ticket: Ticket, form: HeadlineForm, *, is_draft: bool = False, status: int = 200
) -> HttpResponse:
    context = {"form": form, "ticket": ticket, "is_draft": is_draft}
    return answers.page(request, ticket.incident, "headline", context, status=status)
