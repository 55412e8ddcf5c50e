"""Reports."""

from reporting.models.reports import ReportJob

__all__ = ["ReportJob"]
