"""Documents and their versions, runs of runbooks, automations, escalation."""

from runbooks.models.automations import (
    ActionSwitch,
    AllowedHost,
    Automation,
    Execution,
    Secret,
    Trigger,
    Waiting,
)
from runbooks.models.documents import Document, DocumentKind, DocumentLink, Review, ReviewCycle
from runbooks.models.escalations import Escalation, EscalationRule
from runbooks.models.runs import Run, RunState, RunStep, Suggestion, SuggestionState
from runbooks.models.versions import Approval, Version, VersionState

__all__ = [
    "ActionSwitch",
    "AllowedHost",
    "Approval",
    "Automation",
    "Document",
    "DocumentKind",
    "DocumentLink",
    "Escalation",
    "EscalationRule",
    "Execution",
    "Review",
    "ReviewCycle",
    "Run",
    "RunState",
    "RunStep",
    "Secret",
    "Suggestion",
    "SuggestionState",
    "Trigger",
    "Version",
    "VersionState",
    "Waiting",
]
