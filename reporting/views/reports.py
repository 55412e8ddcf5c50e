"""The report of an incident: what goes in, making it, and the versions made so far."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from core.access import guarded
from core.htmx import done, is_htmx, not_modified, render
from core.lists import Listing, listing
from core.models.work import WorkState
from core.requests import takes_bytes
from incidents.models import Incident
from incidents.queries.incidents import head
from people.requests import UserRequest
from reporting.actions import reports as actions
from reporting.forms.reports import ReportForm
from reporting.models import ReportJob
from reporting.queries.reports import outline

PAGE = "reporting/reports/report.html"
CARD = "reporting/reports/_job.html"


def _versions(request: UserRequest, incident: Incident) -> Listing[ReportJob]:
    jobs = ReportJob.objects.filter(incident=incident).select_related("requested_by", "incident")
    ended = jobs.exclude(pk__in=jobs.unfinished().values("pk"))  # the one being made has a card of its own
    return listing(request, ended, size=20)


def _page(request: UserRequest, incident: Incident, form: ReportForm, status: int = 200) -> HttpResponse:
    jobs = ReportJob.objects.filter(incident=incident).select_related("requested_by", "incident")
    context: dict[str, Any] = {
        **head(incident, "report"),
        "form": form, "parts": outline(incident, comments=form.marked),
        "listing": _versions(request, incident), "waiting": jobs.unfinished().first(),
    }  # fmt: skip
    return render(request, PAGE, context, status=status)


@require_safe
@guarded(Incident, "view")
def report(request: UserRequest, incident: Incident) -> HttpResponse:
    """What the report would say, and the versions made so far."""
    return _page(request, incident, ReportForm(incident=incident))


@require_POST
@guarded(Incident, "work")
def make(request: UserRequest, incident: Incident) -> HttpResponse:
    """Ask for the next version: 202 with a card that follows it, or back to the page."""
    form = ReportForm(request.POST, incident=incident)
    page = reverse("reporting:report", kwargs={"number": incident.number})
    if not form.is_valid():
        return done(request, page) if is_htmx(request) else _page(request, incident, form, status=422)
    try:
        job = actions.request_report(actor=request.user, incident=incident, comments=form.cleaned_data["comments"])
    except ValidationError as problem:
        waiting = ReportJob.objects.filter(incident=incident).unfinished().first()
        if is_htmx(request) and waiting:  # pressed twice, or somebody was faster: follow that one
            return render(request, CARD, {"job": waiting, "incident": incident}, status=202)
        form.add_error(None, problem)
        return _page(request, incident, form, status=409)
    if is_htmx(request):
        return render(request, CARD, {"job": job, "incident": incident}, status=202)
    return done(request, page)


@require_safe
@guarded(ReportJob, "view")
def job(request: UserRequest, job: ReportJob) -> HttpResponse:
    """How far it is; asked again and again until it ends."""
    if not is_htmx(request):
        return done(request, reverse("reporting:report", kwargs={"number": job.incident.number}))
    context: dict[str, Any] = {"job": job, "incident": job.incident}
    if job.is_finished:
        context |= {"listing": _versions(request, job.incident), "is_fragment": True}
    return not_modified(request, job.tag) or render(request, CARD, context)


@require_POST
@guarded(ReportJob, "work")
def cancel(request: UserRequest, job: ReportJob) -> HttpResponse:
    """Stop it; where it ended meanwhile, show how."""
    try:
        actions.cancel_report(actor=request.user, job=job)
    except ValidationError:
        job.refresh_from_db()
    return done(request, reverse("reporting:report", kwargs={"number": job.incident.number}))


@require_safe
@guarded(ReportJob, "view")
def pdf(request: UserRequest, job: ReportJob) -> HttpResponseBase:
    """The file, never shown inside the site; who took it is written down."""
    if job.state != WorkState.DONE or not job.key:
        raise Http404
    try:
        file = default_storage.open(job.key)
    except FileNotFoundError as gone:
        raise Http404 from gone
    if takes_bytes(request):
        actions.note_download(actor=request.user, job=job)
    response = FileResponse(file, as_attachment=True, filename=job.filename, content_type="application/pdf")
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["X-Content-Type-Options"] = "nosniff"
    return response
