"""Rows of the mechanism."""

from core.models.journal import JournalEntry, Stream
from core.models.versions import Versioned
from core.models.work import Reaction, Work

__all__ = ["JournalEntry", "Reaction", "Stream", "Versioned", "Work"]
