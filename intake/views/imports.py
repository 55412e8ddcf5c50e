"""Uploading a file and following its import."""

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from core.access import guarded, open_to
from core.files import keeping
from core.htmx import done, not_modified, render
from core.lists import listing
from intake.actions import imports as actions
from intake.forms.imports import UploadForm
from intake.models import ImportJob
from people.requests import UserRequest

SHOWN_PROBLEMS = 100


@require_http_methods(["GET", "HEAD", "POST"])
@open_to("team")
def imports(request: UserRequest) -> HttpResponse:
    """Past imports; responders hand in a new file."""
    may_import = "respond" in request.user.rights
    if request.method == "POST" and not may_import:
        return HttpResponse(status=403)
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        try:
            with keeping(file, "imports", most=settings.IMPORT_MAX_BYTES) as kept:
                job = actions.request_import(
                    actor=request.user,
                    file=kept,
                    name=file.name or "file",
                    format=form.cleaned_data["format"],
                    sensor=form.cleaned_data["sensor"],
                )
        except ValidationError as refused:
            form.add_error("file", refused)
        else:
            return done(request, job.get_absolute_url())
    jobs = ImportJob.objects.visible_to(request.user).select_related("uploaded_by")
    context = {"form": form, "jobs": listing(request, jobs, size=25), "may_import": may_import}
    return render(request, "intake/imports/list.html", context, status=422 if form.is_bound else 200)


@require_safe
@guarded(ImportJob, "view")
def job(request: UserRequest, job: ImportJob) -> HttpResponse:
    """How an import goes: polled while it runs."""
    tag = f"{job.state}-{job.position}-{job.attempts}"
    if unchanged := not_modified(request, tag):
        return unchanged
    problems = list(job.problem_rows.defer("raw")[:SHOWN_PROBLEMS])
    context = {"job": job, "problems": problems, "tag": tag, "more": max(0, job.problems - len(problems))}
    return render(request, "intake/imports/detail.html", context, fragment="intake/imports/_job.html")


def _lines(job: ImportJob) -> Iterator[bytes]:
    for raw in job.problem_rows.values_list("raw", flat=True).iterator(chunk_size=200):
        yield bytes(raw).rstrip(b"\r\n") + b"\n"


@require_safe
@guarded(ImportJob, "view")
def errors(request: UserRequest, job: ImportJob) -> StreamingHttpResponse:
    """The lines that could not be read, as they were, to be mended and handed in again."""
    response = StreamingHttpResponse(_lines(job), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="not-imported-{job.pk}.txt"'
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


@require_POST
@guarded(ImportJob, "work")
def cancel(request: UserRequest, job: ImportJob) -> HttpResponse:
    """Stop it."""
    try:
        actions.cancel_import(actor=request.user, job=job)
    except ValidationError:
        return redirect(job)
    return done(request, job.get_absolute_url())
