"""What a ticket does by itself: its part of the panel, its form, and the list of an incident."""

from dataclasses import replace
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core import htmx
from core.access import guarded
from core.lists import Listing, listing
from core.models.versions import Conflict
from incidents.models import Incident
from incidents.queries.incidents import tag_of
from people.requests import UserRequest
from runbooks.actions import automations as actions
from runbooks.forms.automations import AnswerForm, AutomationForm, BothForm, ParametersForm
from runbooks.models import Automation, Execution, Waiting
from runbooks.queries import automations as queries
from runbooks.queries.escalations import open_of
from runbooks.registry import ACTIONS
from tickets.models import Ticket
from tickets.queries import frame as frames
from tickets.views import answers


def part(request: UserRequest, ticket: Ticket, *, status: int = 200, **extra: Any) -> HttpResponse:
    """The automation of a ticket: alone for htmx, or on a page of its own."""
    incident, automation = ticket.incident, queries.automation_of(ticket)
    context: dict[str, Any] = {
        "incident": incident, "ticket": ticket, "automation": automation, "tab": "tree",
        "can_work": "work" in request.permissions and incident.is_open,
        "can_lead": "lead" in request.permissions and incident.is_open,
    }  # fmt: skip
    if automation is not None:
        automation.ticket = ticket
        pending = queries.pending_of(automation)
        context |= {
            "rule": queries.rule_of(automation), "listing": _executions(request, automation), "pending": pending,
            "may_approve": pending is not None and pending.may_be_approved_by(request.user),
            "is_own": pending is not None and pending.requester_id == request.user.pk,
        }  # fmt: skip
        if pending is not None and pending.waiting == Waiting.ANSWER:
            context["answer_form"] = AnswerForm(question=pending.question)
    if not htmx.is_htmx(request):
        frame = frames.frame(incident)
        context |= {"team": frame.team, "tag": frame.tag}
    else:
        context["tag"] = tag_of(incident)
    return htmx.render(
        request, "runbooks/automations/automation.html", {**context, **extra},
        fragment="runbooks/automations/_automation.html", status=status,
    )  # fmt: skip


def _executions(request: UserRequest, automation: Automation) -> Listing[Execution]:
    """A page of what it did; the others are on the page of the automation, wherever this part of it stands."""
    found = listing(request, queries.executions_of(automation), size=queries.MOST_SHOWN)
    for one in found.rows:
        queries.read(one, automation)
    ticket = automation.ticket
    here = reverse("runbooks:automation", kwargs={"number": ticket.incident.number, "ticket": ticket.number})
    return replace(
        found, previous_url=here + found.previous_url if found.previous_url else "",
        next_url=here + found.next_url if found.next_url else "",
    )  # fmt: skip


@require_safe
@guarded(Ticket, "view")
def automation(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """What it is, what it waits for, and what it did, the newest first."""
    return part(request, ticket)


@require_safe
@guarded(Incident, "view")
def automations(request: UserRequest, incident: Incident) -> HttpResponse:
    """All of the incident's tickets."""
    frame = frames.frame(incident)
    found = listing(request, queries.of_incident(incident))
    queries.add_last(found.rows)
    context = {
        "incident": incident, "tab": "tree", "team": frame.team, "tag": frame.tag, "listing": found,
    }  # fmt: skip
    return htmx.render(request, "runbooks/automations/list.html", context)


@require_safe
@guarded(Incident, "view")
def escalations(request: UserRequest, incident: Incident) -> HttpResponse:
    """What has got so bad that somebody else has to know: a part of the overview, or a page."""
    context = {"incident": incident, "tab": "overview", "escalations": open_of(incident)}
    if not htmx.is_htmx(request):
        frame = frames.frame(incident)
        context |= {"team": frame.team, "tag": frame.tag}
    return htmx.render(
        request, "runbooks/escalations/list.html", context, fragment="runbooks/escalations/_escalations.html"
    )


def _chosen(request: HttpRequest, known: str) -> str:
    """The action whose parameters the form shows."""
    asked = request.POST.get("action") or request.GET.get("action") or known
    return asked if asked in ACTIONS else next(iter(ACTIONS))


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Ticket, "work")
def edit(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """The form. Another action is chosen first (`choose`), since each has parameters of its own."""
    found = queries.automation_of(ticket)
    name = _chosen(request, found.action if found else "")
    saves = request.method == "POST" and "choose" not in request.POST
    stands = found.parameters if found and found.action == name else {}
    first = {**AutomationForm.initial_of(found), "action": name}
    form = AutomationForm(request.POST if saves else None, initial={**first, **_kept(request), "fields_of": name})
    parameters = ParametersForm(request.POST if saves else None, kind=ACTIONS[name], given=stands)
    if saves:
        is_theirs = found is not None and found.action == name != request.POST.get("fields_of", name)
        if all([form.is_valid(), is_theirs or parameters.is_valid()]):
            given = stands if is_theirs else parameters.parameters
            if (answer := _save(request, ticket, form, parameters, given)) is not None:
                return answer
    context = {"ticket": ticket, "automation": found, "form": form, "parameters": parameters, "kind": ACTIONS[name]}
    status = 422 if saves else 200
    return answers.page(request, ticket.incident, "runbooks/automations/_edit.html", context, status=status)


def _save(
    request: UserRequest, ticket: Ticket, form: AutomationForm, parameters: ParametersForm, given: dict[str, Any]
) -> HttpResponse | None:
    """Keep it. Where somebody else was first, 409 with both texts; None where it is refused, the form says why."""
    fields = {name: value for name, value in form.cleaned_data.items() if name not in ("version", "fields_of")}
    fields["parameters"], version = given, form.cleaned_data["version"]
    try:
        if answers.refused(
            form, lambda: actions.set_automation(actor=request.user, ticket=ticket, version=version, fields=fields)
        ):
            return None
    except Conflict as conflict:
        both = BothForm(form, parameters, conflict)
        who, at = queries.last_set(conflict.theirs)
        context = {"conflict": both.conflict, "form": both, "action": request.path, "who": who, "saved_at": at}
        return answers.page(request, ticket.incident, "components/conflict.html", context, status=409)
    htmx.toast(request, f"#{ticket.number} can carry out: {parameters.kind.label}.")
    return htmx.done(request, ticket.get_absolute_url())


def _kept(request: HttpRequest) -> dict[str, Any]:
    """What was typed before another action was chosen."""
    if "choose" not in request.POST:
        return {}
    names = ("trigger", "condition", "name", "retries")
    return {name: request.POST[name] for name in names if name in request.POST}


@require_POST
@guarded(Ticket, "work")
def remove(request: UserRequest, ticket: Ticket) -> HttpResponse:
    """Take it away."""
    form, found = Form({}), queries.automation_of(ticket)
    if found is not None and answers.refused(
        form, lambda: actions.remove_automation(actor=request.user, automation=found)
    ):
        return part(request, ticket, status=422, form=form)
    htmx.toast(request, f"#{ticket.number} carries nothing out by itself any more.")
    return htmx.done(request, ticket.get_absolute_url())
