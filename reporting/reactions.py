"""Who waits for a report hears of its end by the bell, because they may have left the page."""

from comms.actions.notifications import notify
from comms.models import Kind
from core.models import JournalEntry
from core.reactions import on
from reporting.models import ReportJob


@on("report.made", "report.failed")
def tell_who_asked(entry: JournalEntry) -> None:
    """The report is there, or will never be."""
    job = ReportJob.objects.select_related("incident", "requested_by").get(pk=entry.target_id)
    if job.requested_by is None:
        return
    end = "is ready" if entry.verb == "report.made" else "could not be made"
    notify(
        entry=entry, users=[job.requested_by], incident=job.incident, kind=Kind.REPORT, place="reporting:report",
        text=f"Report version {job.version_number} of {job.incident} {end}",
    )  # fmt: skip
