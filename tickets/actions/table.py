"""What leaves the table as a file is written down."""

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident


@action
def note_table_export(*, actor: Actor, incident: Incident, rows: int, asked: str) -> None:
    """Write down that somebody took the table of tickets: how many rows of it, and by which query string."""
    journal.record("tickets.exported", actor=actor, subject=incident, changed=False, rows=rows, asked=asked[:500])
