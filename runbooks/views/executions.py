"""Carrying out: asking for it, trying it dry, agreeing, answering, cancelling; and reading what came of it."""

from collections.abc import Callable

from django.forms import Form
from django.http import HttpResponse
from django.views.decorators.http import require_POST, require_safe

from core import htmx
from core.access import guarded
from people.requests import UserRequest
from runbooks.actions import executions as actions
from runbooks.forms.automations import AnswerForm, ApproveForm, DeclineForm
from runbooks.models import Execution
from runbooks.queries import automations as queries
from runbooks.registry import label_of
from runbooks.views.automations import part
from tickets.models import Ticket
from tickets.queries import frame as frames
from tickets.views import answers


def _ask(request: UserRequest, ticket: Ticket, *, dry: bool) -> HttpResponse:
    automation, form = queries.automation_of(ticket), Form({})
    if automation is None:
        form.add_error(None, "This ticket carries nothing out: say first what it should do.")
        return part(request, ticket, status=422, form=form)
    automation.ticket = ticket
    rule, (shown, _) = queries.rule_of(automation), queries.preview(automation)
    return _done(
        request, ticket, form,
        lambda: actions.ask(
            actor=request.user, automation=automation, needs_approval=rule.needs_approval, shown=shown, dry=dry
        ),
        "It waits for somebody who agrees." if rule.needs_approval and not dry else "It is on its way.",
    )  # fmt: skip


def _done(request: UserRequest, ticket: Ticket, form: Form, act: Callable[[], object], words: str) -> HttpResponse:
    """Do it, and show the part of the panel with what became of it."""
    if (form.is_bound and not form.is_valid()) or answers.refused(form, act):
        return part(request, ticket, status=422, form=form)
    htmx.toast(request, words)
    if htmx.is_htmx(request):
        return part(request, ticket, toasts=True)
    return htmx.done(request, ticket.get_absolute_url())


@require_POST
@guarded(Ticket, "work")
def run(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Set it off."""
    return _ask(request, ticket, dry=False)


@require_POST
@guarded(Ticket, "work")
def dry_run(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Say what it would do."""
    return _ask(request, ticket, dry=True)


@require_safe
@guarded(Execution, "view")
def execution(request: UserRequest, execution: Execution) -> HttpResponse:
    """One time that it was carried out: input, output, log."""
    ticket = execution.automation.ticket
    frame = frames.frame(ticket.incident)
    context = {
        "incident": ticket.incident, "tab": "tree", "team": frame.team, "tag": frame.tag, "ticket": ticket,
        "one": queries.read(execution, execution.automation), "label": label_of(execution.automation.action),
    }  # fmt: skip
    return htmx.render(request, "runbooks/automations/execution.html", context)


@require_POST
@guarded(Execution, "lead")
def approve(request: UserRequest, execution: Execution) -> HttpResponse:
    """Let it go on, as it is shown."""
    form = ApproveForm(request.POST)
    return _done(
        request, execution.automation.ticket, form,
        lambda: actions.approve(actor=request.user, execution=execution, **form.cleaned_data), "It is on its way.",
    )  # fmt: skip


@require_POST
@guarded(Execution, "lead")
def decline(request: UserRequest, execution: Execution) -> HttpResponse:
    """Say no."""
    form = DeclineForm(request.POST)
    return _done(
        request, execution.automation.ticket, form,
        lambda: actions.decline(actor=request.user, execution=execution, **form.cleaned_data), "It will not be done.",
    )  # fmt: skip


@require_POST
@guarded(Execution, "work")
def answer(request: UserRequest, execution: Execution) -> HttpResponse:
    """Say what was asked."""
    form = AnswerForm(request.POST, question=execution.question)
    ticket = execution.automation.ticket
    if not form.is_valid():
        return part(request, ticket, status=422, answer_form=form)
    return _done(
        request, ticket, form,
        lambda: actions.answer(actor=request.user, execution=execution, answers=form.answers), "Thank you.",
    )  # fmt: skip


@require_POST
@guarded(Execution, "work")
def cancel(request: UserRequest, execution: Execution) -> HttpResponse:
    """It is not wanted any more."""
    return _done(
        request, execution.automation.ticket, Form({}),
        lambda: actions.cancel(actor=request.user, execution=execution), "It is cancelled.",
    )  # fmt: skip
