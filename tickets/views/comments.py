"""Talking on a ticket, and on the incident as a whole: there the comments hang on the root of its tree."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import htmx
from core.access import guarded
from core.models.versions import Conflict
from incidents.models import Incident
from incidents.queries.incidents import fetched_tag, tag_of, tagged
from people.requests import UserRequest
from people.views.drafts import drafted
from tickets.actions import comments as actions
from tickets.forms.comments import CommentForm, EditCommentForm, ReportForm
from tickets.models import Comment, Ticket
from tickets.queries import panel as panels
from tickets.queries.panel import said_before
from tickets.views import answers


@require_POST
@guarded(Ticket, "work")
@drafted("body")
def comment(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Say something; who is named with @ hears of it."""
    form = CommentForm(request.POST)
    if form.is_valid() and not answers.refused(
        form, lambda: actions.add_comment(actor=request.user, ticket=ticket, **form.cleaned_data)
    ):
        return answers.saved(request, ticket, f"Comment on #{ticket.number} added.{_hint(form, ticket.incident)}")
    return answers.page(request, ticket.incident, "comment", {"form": form, "ticket": ticket}, status=422)


@require_POST
@guarded(Incident, "work")
@drafted("body")
def say(request: UserRequest, incident: Incident) -> HttpResponse:
    """Say something on the incident."""
    form = CommentForm(request.POST)
    if form.is_valid() and not answers.refused(
        form, lambda: actions.comment_on_incident(actor=request.user, incident=incident, **form.cleaned_data)
    ):
        htmx.toast(request, f"Comment added.{_hint(form, incident)}")
        return talked(request, incident)
    return answers.page(request, incident, "comment", {"form": form, "tab": "overview"}, status=422)


def _hint(form: CommentForm | EditCommentForm, incident: Incident) -> str:
    """Who was called and is not there, as a sentence."""
    names = [f"@{name}" for name in actions.strangers(form.cleaned_data["body"], incident)[:5]]
    if not names:
        return ""
    return f" {' and '.join([', '.join(names[:-1]), names[-1]] if names[1:] else names)} {_nobody(len(names))}."


def _nobody(count: int) -> str:
    return "is nobody in this incident" if count == 1 else "are nobody in this incident"


@require_safe
@guarded(Incident, "view", along=tagged())
def talk(request: UserRequest, incident: Incident) -> HttpResponse:
    """What is said on the incident as a whole: the card on its overview, polled, or a page."""
    unchanged = htmx.not_modified(request, fetched_tag(incident)) if htmx.is_htmx(request) else None
    return unchanged or _talk_page(request, incident)


def _talk_page(request: UserRequest, incident: Incident, *, toasts: bool = False) -> HttpResponse:
    tag = tag_of(incident)
    said = panels.talk_of(incident, request.user)
    can_work = "work" in request.permissions and incident.is_open
    context = {"talk": said, "can_work": can_work, "tag": tag, "toasts": toasts, "tab": "overview"}
    response = answers.page(request, incident, "talk", context)
    response["HX-PTag"] = tag
    return response


def talked(request: UserRequest, incident: Incident) -> HttpResponse:
    """After something was said on the incident."""
    if not htmx.is_htmx(request):
        return HttpResponseRedirect(htmx.safe_next(request, answers.url("talk", incident)))
    if request.headers.get("HX-Target", "").endswith("#talk"):
        return _talk_page(request, incident, toasts=True)
    return htmx.render(request, "components/toasts.html")


def _saved(request: UserRequest, ticket: Ticket, text: str) -> HttpResponse:
    """Back to where the comment stands."""
    if ticket.parent_id:
        return answers.saved(request, ticket, text)
    htmx.toast(request, text)
    return talked(request, ticket.incident)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Comment, "work")
@drafted("body")
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
            return _saved(request, ticket, f"Comment on {_place(ticket)} changed.{_hint(form, ticket.incident)}")
    except Conflict as conflict:
        context |= {"conflict": conflict, "action": request.get_full_path(), "saved_at": conflict.theirs.updated_at}
        context |= {"who": str(request.user)}  # only the author edits: in another window
        return answers.page(request, ticket.incident, "conflict", context, status=409)
    return answers.page(request, ticket.incident, "comment", context, status=422)


def _place(ticket: Ticket) -> str:
    return f"#{ticket.number}" if ticket.parent_id else "the incident"


@require_safe
@guarded(Comment, "view")
def comment_history(request: UserRequest, comment: Comment) -> HttpResponse:
    """What a comment said before, and since when it says what it says."""
    context = {"comment": comment, "ticket": comment.ticket, "texts": said_before(comment)}
    return answers.page(request, comment.ticket.incident, "history", context)


@require_POST
@guarded(Comment, "work")
def report_comment(request: UserRequest, comment: Comment) -> HttpResponse:
    """Choose a comment for the report, or take it out."""
    form = ReportForm(request.POST)
    form.is_valid()
    chosen, ticket = form.cleaned_data["in_report"], comment.ticket
    if answers.refused(form, lambda: actions.choose_for_report(actor=request.user, comment=comment, in_report=chosen)):
        return answers.page(request, ticket.incident, "refused", {"form": form, "ticket": ticket}, status=422)
    return _saved(request, ticket, "It stands in the report." if chosen else "It is not in the report.")
