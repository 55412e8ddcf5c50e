"""What people (and a rule for the worst) do with alerts: open an incident, join one, dismiss."""

from collections.abc import Iterable
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone

from core import journal
from core.access import granted
from core.actions import action
from core.actors import Actor
from core.models import JournalEntry
from incidents.actions.incidents import open_incident
from incidents.models import Incident, Severity
from incidents.models.guards import require_open
from intake.models import Alert, AlertState
from people.models import User

SAME_FIRE = timedelta(hours=24)  # an equal alert within this time belongs to the incident that is open already
MOST_MERGES = 20  # one after another that are followed
OPENS = ("alert", "incident")  # kinds of record that may open an incident by themselves


def story(alert: Alert) -> str:
    """The summary of an incident made from an alert: where it came from, and the tool's words as they are."""
    words = "\n".join(f"    {line}" for line in alert.description.splitlines()[:60])
    return f"Opened from an alert of {alert.product} (line {alert.line} of its import).\n\n{words}".strip()


def _open(actor: Actor, alert: Alert, *, reporter: User | None, commander: User | None = None) -> Incident:
    return open_incident(
        actor=actor, title=alert.title[:200], reporter=reporter, commander=commander,
        severity=alert.severity or Severity.MEDIUM, assessed=False, summary=story(alert),
        detected_at=alert.detected_at if alert.detected_at and alert.detected_at <= timezone.now() else None,
        detection_source=alert.product[:120],
    )  # fmt: skip


def _put_into(actor: Actor, alerts: Iterable[Alert], incident: Incident) -> None:
    found = list(alerts)
    Alert.objects.filter(pk__in=[alert.pk for alert in found]).update(
        state=AlertState.INCIDENT, incident=incident, reason=""
    )
    names = [{"id": alert.pk, "title": alert.title, "product": alert.product} for alert in found[:50]]
    journal.record("alert.joined", actor=actor, subject=incident, changed=False, alerts=names, count=len(found))


def _joinable(reporter: User | None) -> QuerySet[Incident]:
    """The open incidents that alerts of this person's imports may join: a hidden one must not answer to strangers."""
    if reporter is None:
        return Incident.objects.none()
    works = Q(restricted=False) | Q(pk__in=granted(reporter, Incident, "work"))
    return Incident.objects.visible_to(reporter).open().filter(works)


def _heirs(pks: set[int]) -> dict[int, int]:
    """For each incident the one it was merged into in the end, or itself."""
    found = {pk: pk for pk in pks}
    for _ in range(MOST_MERGES):
        merged = Incident.objects.filter(pk__in=set(found.values())).exclude(merged_into=None)
        steps = dict(merged.values_list("pk", "merged_into_id"))
        if not steps:
            break
        found = {pk: steps.get(now, now) or now for pk, now in found.items()}
    return found


def _burning(group_keys: set[str], reporter: User | None) -> dict[str, int]:
    """For each kind of alert the open incident that an equal one went into lately, if the reporter's may join it."""
    since = timezone.now() - SAME_FIRE
    rows = Alert.objects.filter(group_key__in=group_keys, state=AlertState.INCIDENT, created_at__gte=since)
    pairs = list(rows.order_by("pk").values_list("group_key", "incident_id"))
    heirs = _heirs({pk for _, pk in pairs})
    open_ = set(_joinable(reporter).filter(pk__in=set(heirs.values())).values_list("pk", flat=True))
    return {key: heirs[pk] for key, pk in pairs if heirs[pk] in open_}


def _lock(burning: dict[str, int], also: set[int], reporter: User | None) -> dict[str, Incident]:
    """Lock every incident that is written to, in order; what was closed or hidden in the meantime burns no more."""
    Incident.objects.lock_all(*burning.values(), *also)
    still = {incident.pk: incident for incident in _joinable(reporter).filter(pk__in=set(burning.values()))}
    return {key: still[pk] for key, pk in burning.items() if pk in still}


def open_for_critical(*, actor: Actor, alerts: Iterable[Alert], reporter: User | None, also: Iterable[int] = ()) -> int:
    """Critical alerts open incidents by themselves; equal ones join the one that is open. Gives how many were opened.

    Part of the import's own transaction, which holds the stream "intake". Incidents `also` (keys) are locked with
    those that are joined, as the caller writes to their streams.
    """
    groups: dict[str, list[Alert]] = {}
    for alert in alerts:
        if alert.severity == Severity.CRITICAL and alert.kind in OPENS:
            groups.setdefault(alert.group_key, []).append(alert)
    burning = _lock(_burning(set(groups), reporter), set(also), reporter)
    for key, incident in sorted(burning.items(), key=lambda pair: pair[1].pk):
        _put_into(actor, groups[key], incident)
    for key, found in groups.items():
        if key not in burning:
            _put_into(actor, found, _open(actor, found[0], reporter=reporter))
    return len(groups.keys() - burning.keys())


def _waiting(alert: Alert, *, alike: bool) -> list[Alert]:
    """The alert, locked, and with `alike` all that say the same and wait as well."""
    rows = Alert.objects.select_for_update().filter(state=AlertState.NEW).order_by("pk")
    found = list(rows.filter(group_key=alert.group_key) if alike else rows.filter(pk=alert.pk))
    if alert.pk not in {one.pk for one in found}:
        raise ValidationError("Somebody was faster: this alert has been dealt with already.")
    return found


@action
def promote_alert(*, actor: User, alert: Alert, alike: bool = True) -> Incident:
    """Open an incident from the alert (and all that say the same); who does it commands it.

    Raises:
        ValidationError: somebody dealt with it already.
    """
    journal.hold("intake")
    found = _waiting(alert, alike=alike)
    incident = _open(actor, alert, reporter=actor, commander=actor)
    _put_into(actor, found, incident)
    journal.record("alert.promoted", actor=actor, subject=alert, incident=incident.pk, alerts=[one.pk for one in found])
    return incident


@action
def join_alert(*, actor: Actor, alert: Alert, incident: Incident, alike: bool = True) -> Incident:
    """Put the alert into an open incident.

    Raises:
        ValidationError: somebody dealt with it already, or the incident is closed.
    """
    journal.hold("intake")
    found = _waiting(alert, alike=alike)
    incident = Incident.objects.lock(incident.pk)
    require_open(incident)
    _put_into(actor, found, incident)
    return incident


@action
def dismiss_alert(*, actor: Actor, alert: Alert, reason: str, alike: bool = True) -> JournalEntry:
    """Say why it needs no incident; gives the entry, whose `alerts` are the keys of those dismissed.

    Raises:
        ValidationError: there is no reason, or somebody dealt with it already.
    """
    journal.hold("intake")
    if not reason.strip():
        raise ValidationError({"reason": "Say why it needs no incident: it may come back."})
    found = _waiting(alert, alike=alike)
    ids = [one.pk for one in found]
    Alert.objects.filter(pk__in=ids).update(state=AlertState.DISMISSED, reason=reason.strip()[:300])
    return journal.record("alert.dismissed", actor=actor, subject=alert, reason=reason.strip(), alerts=ids)


def _dismissed_with(alert: Alert, seq: int) -> set[int]:
    """The alerts that entry `seq` says were dismissed together with this one, less those dismissed anew since."""
    entries = JournalEntry.objects.filter(stream=alert.journal_stream, verb="alert.dismissed")
    entry = entries.filter(seq=seq, target_type=alert._meta.label, target_id=str(alert.pk)).first()
    if entry is None:
        raise ValidationError("There is nothing to take back.")
    later = entries.filter(seq__gt=seq).values_list("data", flat=True)
    return set(entry.data["alerts"]).difference(*(data["alerts"] for data in later))


@action
def reopen_alert(*, actor: Actor, alert: Alert, entry: int | None = None) -> Alert:
    """Put a dismissed alert back to be triaged; with the number of the `entry` that dismissed it, all that went along.

    Raises:
        ValidationError: none of them is dismissed any more, or the entry is not about this alert.
    """
    journal.hold("intake")
    wanted = {alert.pk} if entry is None else _dismissed_with(alert, entry)
    ids = list(
        Alert.objects.filter(pk__in=wanted, state=AlertState.DISMISSED).order_by("pk").values_list("pk", flat=True)
    )
    if not ids:
        raise ValidationError("Only a dismissed alert can be put back.")
    Alert.objects.filter(pk__in=ids).update(state=AlertState.NEW, reason="")
    alert = Alert.objects.get(pk=alert.pk)
    journal.record("alert.put_back", actor=actor, subject=alert, alerts=ids)
    return alert
