"""Saving a branch as a runbook, and what a run taught as the next version, both looked over before they are kept."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods

from core import htmx
from core.access import guarded
from core.compare import difference
from core.models.versions import Conflict
from people.requests import UserRequest
from runbooks.actions.documents import write_document
from runbooks.actions.versions import edit_draft
from runbooks.forms.branches import SaveForm, UpdateForm
from runbooks.models import DocumentKind, Run, Version
from runbooks.queries import branches as queries
from tickets.models import Ticket
from tickets.views import answers

WRITERS = frozenset({"respond", "oversee", "administer"})


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def save_branch(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """The ticket and all below it as a draft of a new runbook; `?dropped=out` leaves dropped tickets out."""
    if not request.user.rights & WRITERS:
        raise PermissionDenied
    leaves_out = request.GET.get("dropped") == "out"
    if request.method != "POST":
        draft, refused = _made(lambda: queries.draft_of_branch(ticket, dropped=not leaves_out))
        initial = {"title": ticket.title, "slug": slugify(ticket.title)[:80], "body": draft.text}
        context = {
            "form": SaveForm(initial=initial), "ticket": ticket, "leaves_out": leaves_out, "refused": refused,
            "notes": draft.notes,
        }  # fmt: skip
        return answers.page(request, ticket.incident, "runbooks/_save.html", context)
    form, made = SaveForm(request.POST), list[Version]()
    if form.is_valid() and not answers.refused(
        form,
        lambda: made.append(write_document(actor=request.user, kind=DocumentKind.RUNBOOK, **form.cleaned_data)),
    ):
        htmx.toast(request, f"“{made[0].document.title}” is a draft now. It can be run once it was approved.")
        return htmx.done(request, ticket.get_absolute_url())
    context = {"form": form, "ticket": ticket, "leaves_out": leaves_out}
    return answers.page(request, ticket.incident, "runbooks/_save.html", context, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Run, "work")
def update_runbook(request: UserRequest, run: Run) -> HttpResponse:
    """How the branch stands now as the next draft, with what differs from the last one; `?dropped=out` as above."""
    document = run.of.document
    if "write" not in document.permissions_for(request.user):
        raise PermissionDenied
    base = queries.next_base(run)
    leaves_out = request.GET.get("dropped") == "out"
    if request.method != "POST":
        draft, refused = _made(lambda: queries.draft_of_run(run, dropped=not leaves_out))
        note = f"After a run in {run.incident.number}" if not run.incident.restricted else "After a run"
        initial = {"body": draft.text, "change_note": note, "version": base.version if base.state == "draft" else None}
        context = {"form": UpdateForm(initial=initial), "body": draft.text, "refused": refused, "notes": draft.notes}
        return _page(request, run, base, {**context, "leaves_out": leaves_out})
    form = UpdateForm(request.POST)
    body = request.POST.get("body", "").replace("\r\n", "\n")
    if (
        form.is_valid()
        and "preview" not in request.POST
        and not answers.refused(form, lambda: _draft(request, run, form.cleaned_data))
    ):
        htmx.toast(request, f"The next version of “{document.title}” is a draft now.")
        return htmx.done(request, run.get_absolute_url())
    status = 422 if form.errors else 200
    return _page(request, run, base, {"form": form, "body": body, "leaves_out": leaves_out}, status=status)


def _draft(request: UserRequest, run: Run, data: dict[str, Any]) -> None:
    try:
        edit_draft(actor=request.user, document=run.of.document, **data)
    except Conflict as conflict:
        words = "Somebody else wrote on the draft meanwhile: look at the difference below, then save again."
        raise ValidationError(words) from conflict


def _made(make: Callable[[], queries.Draft]) -> tuple[queries.Draft, list[str]]:
    """The draft, or why there is none."""
    try:
        return make(), []
    except ValidationError as error:
        return queries.Draft("", []), error.messages


def _page(request: UserRequest, run: Run, base: Version, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    pieces = difference(queries.compared(base), context["body"])
    context = {"run": run, "base": base, "pieces": pieces, **context}
    return answers.page(request, run.incident, "runbooks/_update.html", context, status=status)
