"""Runs of runbooks in an incident: how far they are, and how they ended."""

from django.http import HttpResponse
from django.views.decorators.http import require_http_methods, require_safe

from core import htmx
from core.access import guarded
from core.lists import listing
from incidents.models import Incident
from people.requests import UserRequest
from runbooks.actions.runs import rate_run, stop_run
from runbooks.forms.runs import FinishForm, StopForm
from runbooks.models import Run, RunState
from runbooks.queries import runs as queries
from tickets.queries import frame as frames
from tickets.views import answers


@require_safe
@guarded(Incident, "view")
def runs(request: UserRequest, incident: Incident) -> HttpResponse:
    """All of them, the newest first."""
    frame = frames.frame(incident)
    context = {
        "incident": incident, "tab": "tree", "team": frame.team, "tag": frame.tag,
        "listing": listing(request, queries.runs_of(incident)), "can_work": "work" in request.permissions,
    }  # fmt: skip
    return htmx.render(request, "runbooks/runs.html", context)


@require_safe
@guarded(Run, "view")
def run(request: UserRequest, run: Run) -> HttpResponse:
    """Its steps, what of them was skipped or changed, and what was said at the end."""
    incident = run.incident
    frame = frames.frame(incident)
    found = queries.counted(Run.objects.filter(pk=run.pk, incident=incident)).get()
    lines = queries.lines_of(found)
    context = {
        "incident": incident, "tab": "tree", "team": frame.team, "tag": frame.tag, "run": found, "lines": lines,
        "changed": sum(bool(line.changed) for line in lines), "suggestions": queries.suggestions_of(found),
        "can_work": "work" in request.permissions, "is_running": found.state == RunState.RUNNING,
    }  # fmt: skip
    return htmx.render(request, "runbooks/run.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Run, "work")
def finish(request: UserRequest, run: Run) -> HttpResponse:
    """Rate it; one that still goes on is over by that."""
    initial = {"version": run.version, "rating": run.rating, "notes": run.notes}
    initial["worked"] = {True: "yes", False: "no"}.get(run.worked) if run.worked is not None else None
    form = FinishForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid() and not answers.refused(
        form, lambda: rate_run(actor=request.user, run=run, **form.cleaned_data)
    ):
        htmx.toast(request, "Thank you: the next version can learn from it.")
        return htmx.done(request, run.get_absolute_url())
    context = {"run": run, "form": form, "open_steps": queries.open_steps(run)}
    status = 422 if form.is_bound else 200
    return answers.page(request, run.incident, "runbooks/_finish.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@guarded(Run, "work")
def stop(request: UserRequest, run: Run) -> HttpResponse:
    """Track it no longer, with a reason."""
    form = StopForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and not answers.refused(
        form, lambda: stop_run(actor=request.user, run=run, **form.cleaned_data)
    ):
        htmx.toast(request, f"The run of “{run.of.document.title}” is stopped. Its tickets stay.")
        return htmx.done(request, run.get_absolute_url())
    context = {"run": run, "form": form}
    return answers.page(
        request, run.incident, "runbooks/_stop.html", context, status=422 if form.is_bound else 200
    )  # fmt: skip
