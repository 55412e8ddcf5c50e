"""Talking on a ticket."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_POST

from core.access import guarded
from core.models.versions import Conflict
from people.requests import UserRequest
from tickets.actions import comments as actions
from tickets.forms.comments import CommentForm, EditCommentForm, ReportForm
from tickets.models import Comment, Ticket
from tickets.views import answers


@require_POST
@guarded(Ticket, "work")
def comment(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Say something; who is named with @ hears of it."""
    form = CommentForm(request.POST)
    if form.is_valid() and not answers.refused(
        form, lambda: actions.add_comment(actor=request.user, ticket=ticket, **form.cleaned_data)
    ):
        return answers.saved(request, ticket, f"Comment on #{ticket.number} added.")
    return answers.page(request, ticket.incident, "comment", {"form": form, "ticket": ticket}, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Comment, "work")
def edit_comment(request: UserRequest, comment: Comment) -> HttpResponse:
    """Change one's own words; the old ones stay in history."""
    if comment.author_id != request.user.pk:
        raise PermissionDenied
    ticket = comment.ticket
    if request.method != "POST":
        form = EditCommentForm(initial={name: getattr(comment, name) for name in ("version", "body", "shared")})
        return answers.page(request, ticket.incident, "comment", {"form": form, "ticket": ticket, "comment": comment})
    form = EditCommentForm(request.POST)
    context = {"form": form, "ticket": ticket, "comment": comment}
    try:
        if form.is_valid() and not answers.refused(
            form, lambda: actions.edit_comment(actor=request.user, comment=comment, **form.cleaned_data)
        ):
            return answers.saved(request, ticket, f"Comment on #{ticket.number} changed.")
    except Conflict as conflict:
        context |= {"conflict": conflict, "action": request.get_full_path(), "saved_at": conflict.theirs.updated_at}
        context |= {"who": str(request.user)}  # only the author edits: in another window
        return answers.page(request, ticket.incident, "conflict", context, status=409)
    return answers.page(request, ticket.incident, "comment", context, status=422)


@require_POST
@guarded(Comment, "work")
def report_comment(request: UserRequest, comment: Comment) -> HttpResponse:
    """Choose a comment for the report, or take it out."""
    form = ReportForm(request.POST)
    form.is_valid()
    chosen, ticket = form.cleaned_data["in_report"], comment.ticket
    if answers.refused(form, lambda: actions.choose_for_report(actor=request.user, comment=comment, in_report=chosen)):
        return answers.page(request, ticket.incident, "refused", {"form": form, "ticket": ticket}, status=422)
    return answers.saved(request, ticket, "It stands in the report." if chosen else "It is not in the report.")
