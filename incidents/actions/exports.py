"""What leaves the incident as a file is written down."""

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident


@action
def note_journal_export(*, actor: Actor, incident: Incident, rows: int, verb: str, who: str) -> None:
    """Write down that somebody took the journal, how many lines of it, and by which filter."""
    journal.record(
        "incident.journal_exported",
        actor=actor,
        subject=incident,
        changed=False,
        rows=rows,
        only_verb=verb,
        only_actor=who,
    )
