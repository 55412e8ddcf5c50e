"""Opening and editing an incident."""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal, markdown
from core.actions import action
from core.actors import Actor
from incidents.actions.team import begin_role
from incidents.models import DayCounter, Incident, Role, Severity, Tag
from incidents.models.guards import require_open
from incidents.models.incidents import POST_MORTEM
from incidents.models.lifecycle import IncidentType, Tlp
from people.models import Customer, User

BEFORE_A_TAG = re.compile(r"\A[#\s]+")
MARKDOWN = ("summary", "situation", "business_impact", "root_cause", "contributing_factors", "lessons_learned")
EDITABLE = frozenset(
    {
        "title", "summary", "situation", "type", "tlp", "occurred_at", "detected_at", "customer", "detection_source",
        "affected_systems", "affected_services", "data_types", "affected_users", "financial_amount",
        "financial_currency",
        "business_impact", "root_cause", "contributing_factors", "lessons_learned",
    }
)  # fmt: skip


class AlreadyOpened(Exception):
    """The same form was sent before: `incident` is what came of it."""

    def __init__(self, incident: Incident) -> None:
        super().__init__(f"{incident.number} was opened by the same form")
        self.incident = incident


def folded_text(incident: Incident, tags: Iterable[str]) -> str:
    """What search looks in: case-folded, with tags as #tag."""
    customer = incident.customer.name if incident.customer else ""
    words = [incident.number, incident.title, customer, incident.summary, *(f"#{tag} " for tag in tags)]
    return "\n".join(words).casefold()


def _number(now: dt.datetime, once: str) -> str:
    # Whoever counts holds the day's counter until commit, so of two clicks the second one sees what the first one made.
    number = DayCounter.next_number(now.astimezone(dt.UTC).date())
    first = Incident.objects.filter(once_key=once).first() if once else None
    if first is not None:
        raise AlreadyOpened(first)
    return number


@action
def open_incident(
    *,
    actor: Actor,
    title: str,
    reporter: User | None,
    commander: User | None = None,
    type: str = IncidentType.OTHER,
    severity: str = Severity.MEDIUM,
    assessed: bool = True,
    summary: str = "",
    customer: Customer | None = None,
    tlp: str = Tlp.AMBER,
    restricted: bool = False,
    exercise: bool = False,
    detected_at: dt.datetime | None = None,
    occurred_at: dt.datetime | None = None,
    detection_source: str = "",
    tags: Iterable[str] = (),
    once: str = "",
) -> Incident:
    """Declare an incident: it gets its number, and the reporter (and commander) as first members.

    `assessed` says whether a person chose the severity; one taken from a tool is assessed later. `once` names the form
    that was sent. Times are kept to the second, as forms show them: an edit that leaves them alone changes nothing.

    Raises:
        AlreadyOpened: the form named by `once` made an incident before.
    """
    now = timezone.now()
    incident = Incident(
        number=_number(now, once), once_key=once or None, title=title, type=type, severity=severity,
        severity_assessed_at=now if assessed else None, summary=summary, summary_html=markdown.stored(summary),
        customer=customer, tlp=tlp, restricted=restricted, exercise=exercise,
        detected_at=(detected_at or now).replace(microsecond=0),
        occurred_at=occurred_at.replace(microsecond=0) if occurred_at else None, reporter=reporter,
        commander=commander, detection_source=detection_source,
    )  # fmt: skip
    names = clean_tags(tags)
    incident.folded = folded_text(incident, names)
    incident.save()
    keep_tags(incident, names)
    team = {}
    if commander:
        team[begin_role(incident, commander, Role.COMMANDER, now).role] = commander.pk
    if reporter and reporter != commander:
        team[begin_role(incident, reporter, Role.MEMBER, now).role] = reporter.pk
    journal.record("incident.opened", actor=actor, subject=incident, severity=severity, tags=names, team=team)
    return incident


def clean_tags(names: Iterable[str]) -> list[str]:
    """Tags as they are kept: lower case, no spaces, no # before them, each once, in order."""
    found = ("-".join(BEFORE_A_TAG.sub("", name).casefold().split())[:40] for name in names)
    return sorted({name for name in found if name})


def keep_tags(incident: Incident, names: list[str]) -> None:
    """Make the incident's tags exactly these (inside an action that journals them)."""
    Tag.objects.bulk_create([Tag(name=name) for name in names], ignore_conflicts=True)
    incident.tags.set(Tag.objects.filter(name__in=names))


def _wanted_tags(before: list[str], tags: Iterable[str], seen: Iterable[str] | None) -> list[str]:
    wanted = set(clean_tags(tags))
    known = set(before if seen is None else clean_tags(seen))
    return sorted(set(before) - (known - wanted) | (wanted - known))


@action
def edit_incident(
    *,
    actor: Actor,
    incident: Incident,
    version: int,
    fields: Mapping[str, Any],
    tags: Iterable[str] | None = None,
    seen_tags: Iterable[str] | None = None,
) -> Incident:
    """Change fields that the editor saw in `version`; fields others changed meanwhile stay.

    With `seen_tags` only the difference between them and `tags` is applied, so tags that others added stay as well.

    Raises:
        Conflict: somebody else changed the same field first.
        ValidationError: the incident is closed, or a field is not one that may be edited.
    """
    incident = Incident.objects.lock(incident.pk)
    require_open(incident)
    if unknown := set(fields) - EDITABLE:
        raise ValidationError(f"These fields cannot be edited: {', '.join(sorted(unknown))}.")
    changed = incident.merged(version=version, submitted=fields)
    before = sorted(incident.tags.values_list("name", flat=True)) if tags is not None else []
    names = _wanted_tags(before, tags, seen_tags) if tags is not None else before
    if not changed and names == before:
        return incident
    changed |= {f"{name}_html": markdown.stored(changed[name]) for name in MARKDOWN if name in changed}
    if "situation" in changed:
        changed |= {"situation_at": timezone.now(), "situation_by_id": actor.pk if actor.actor_kind == "user" else None}
    if set(POST_MORTEM) & changed.keys() and incident.post_mortem_approved_at:
        changed |= {"post_mortem_approved_at": None, "post_mortem_approved_by": None}
    incident.apply(changed)
    if names != before:
        keep_tags(incident, names)
    refold(incident)
    extra: dict[str, Any] = {"tags": [before, names]} if names != before else {}
    journal.record("incident.edited", actor=actor, subject=incident, changed=bool(changed), **extra)
    return incident


def refold(incident: Incident) -> None:
    """Keep what search looks in; a derived column, so it is no change of its own."""
    names = list(incident.tags.values_list("name", flat=True))
    Incident.objects.filter(pk=incident.pk).update(folded=folded_text(incident, names))


@action
def restrict_incident(*, actor: Actor, incident: Incident, restricted: bool, reason: str) -> Incident:
    """Hide the incident from everybody without a role in it, or open it to all responders."""
    incident = Incident.objects.lock(incident.pk)
    if incident.restricted == restricted:
        return incident
    incident.apply({"restricted": restricted})
    verb = "incident.restricted" if restricted else "incident.unrestricted"
    journal.record(verb, actor=actor, subject=incident, reason=reason)
    return incident
