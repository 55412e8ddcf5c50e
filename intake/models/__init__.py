"""Alerts, and the jobs that bring them in."""

from intake.models.alerts import Alert, AlertState, AlertVersion
from intake.models.jobs import ImportJob, ImportProblem, RawPiece

__all__ = ["Alert", "AlertState", "AlertVersion", "ImportJob", "ImportProblem", "RawPiece"]
