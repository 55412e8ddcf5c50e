"""What one shift writes down for the next. Once written it is never changed."""

import datetime as dt

from core import journal, markdown
from core.actions import action
from core.actors import Actor
from incidents.models import Incident
from incidents.models.guards import require_open
from tickets.models import ShiftHandover


@action
def write_shift(*, actor: Actor, incident: Incident, since: dt.datetime, body: str, watch: str = "") -> ShiftHandover:
    """Keep the document as it stands: `body` is all of it as Markdown, `watch` the part its author wrote.

    Raises:
        ValidationError: the incident is closed.
    """
    incident = Incident.objects.lock(incident.pk)
    require_open(incident)
    found = ShiftHandover.objects.create(
        incident=incident, author_id=actor.pk if actor.actor_kind == "user" else None, since=since, watch=watch,
        body=body, body_html=markdown.stored(body),
    )  # fmt: skip
    journal.record("shift.handed_over", actor=actor, subject=found, since=since, text=journal.shown(watch))
    return found
