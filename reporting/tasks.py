"""Doors for workers: make a report. What is read, laid out and kept is decided elsewhere; here it is put in order."""

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from celery import shared_task
from django.contrib.staticfiles import finders
from django.core.files.storage import default_storage
from django.template.loader import render_to_string

from core.actors import SYSTEM
from core.models.work import MAX_ATTEMPTS
from core.snapshots import one_moment
from reporting import pdf
from reporting.actions.reports import LeaseLost, Made, fail_report, keep_report, key_of
from reporting.models import ReportJob
from reporting.models.reports import Step
from reporting.queries.reports import collect

RENEW_SECONDS = 10.0


@dataclass
class Watch:
    """Keeps the lease while pages are laid out, and says how far it is, at most once a second."""

    job: ReportJob
    looked: float = 0.0
    renewed: float = 0.0

    def __call__(self, page: int) -> bool:
        now = time.monotonic()
        if now - self.looked < 1:
            return True
        self.looked = now
        if now - self.renewed > RENEW_SECONDS:
            self.renewed = now
            if not self.job.renew():
                return False
        return say(self.job, Step.LAYING_OUT, page)


def say(job: ReportJob, step: Step, page: int = 0) -> bool:
    """Write down how far it is; False if the job is not ours any more (cancelled, or another worker has it)."""
    mine = ReportJob.objects.filter(pk=job.pk, state="running", attempts=job.attempts)
    return bool(mine.update(step=step, page=page))


def style() -> str:
    """The one style sheet that a report has; no part of it comes from an incident."""
    return Path(str(finders.find("css/report.css"))).read_text(encoding="utf-8")


def _made(job: ReportJob) -> Made:
    if not say(job, Step.COLLECTING):
        raise pdf.Unwanted
    with one_moment():
        report = collect(job.incident_id, job.comments)
        html = render_to_string("reporting/pdf/report.html", {"report": report, "version": job.version_number})
    if not say(job, Step.LAYING_OUT):
        raise pdf.Unwanted
    done = pdf.make(html, css=style(), progress=Watch(job))
    if not say(job, Step.STORING):
        raise pdf.Unwanted
    return Made(content=done.content, pages=done.pages, head=report.head, as_of=report.as_of)


@shared_task
def make_report(pk: int) -> None:
    """Make one report, unless another worker has it or it was cancelled."""
    job = ReportJob.claim(pk)
    if job is None:
        return
    for attempt in range(1, job.attempts):  # files of attempts whose worker died before their end was written
        default_storage.delete(key_of(job, attempt))
    asker = job.requested_by
    if asker is not None and "work" not in job.incident.permissions_for(asker):
        fail_report(actor=SYSTEM, job=job, reason=f"{asker} may not make reports of this incident any more.")
        return
    try:
        keep_report(actor=SYSTEM, job=job, made=_made(job))
    except pdf.Refused as problem:
        fail_report(actor=SYSTEM, job=job, reason=str(problem))
    except (pdf.Died, OSError) as problem:
        if job.attempts >= MAX_ATTEMPTS:
            fail_report(actor=SYSTEM, job=job, reason=f"Given up after {MAX_ATTEMPTS} attempts. {problem}")
        else:
            job.put_back(error=str(problem), delay=timedelta(seconds=10 * job.attempts))
    except (pdf.Unwanted, LeaseLost):
        return
