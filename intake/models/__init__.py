"""Alerts, and the jobs that bring them in."""

from intake.models.alerts import Alert, AlertState
from intake.models.jobs import ImportJob, ImportProblem

__all__ = ["Alert", "AlertState", "ImportJob", "ImportProblem"]
