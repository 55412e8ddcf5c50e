"""Whatever shows something of a restricted incident is written down: the guard calls this after the view."""

import datetime as dt
from typing import Any

from django.conf import settings
from django.utils import timezone

from core.access import when_shown
from incidents.actions.reading import has_viewed, note_view
from incidents.models import Incident
from people.requests import UserRequest

HOUR = dt.timedelta(hours=1)


@when_shown
def note(request: UserRequest, found: Any) -> None:
    """Once an hour for each person and incident, in a chain of its own, so that reading moves nobody's page.

    A poll follows an opening of the same session, so it is written down only where there was none for as long as a
    session can last: who merely says that they poll stays no more unseen than who lets the page stand open.
    If the entry cannot be written, the page is not shown.
    """
    incident = _incident_of(found)
    if incident is None or not incident.restricted:
        return
    polls = "HX-PTag" in request.headers
    since = timezone.now() - (dt.timedelta(seconds=settings.SESSION_COOKIE_AGE) if polls else HOUR)
    if not has_viewed(request.user, incident, since=since):  # without a lock: nearly always somebody has
        note_view(actor=request.user, incident=incident, since=since)


def _incident_of(found: Any) -> Incident | None:
    """The root of what was shown, or the incident that it was put into."""
    root = found.access_root
    incident = root if isinstance(root, Incident) else getattr(found, "incident", None)
    return incident if isinstance(incident, Incident) else None
