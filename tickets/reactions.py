"""What follows in the tickets from what happens below: clocks are held to new targets, offers nobody can answer end."""

from typing import Any

from django.db.models import QuerySet

from core.actors import SYSTEM
from core.models import JournalEntry
from core.reactions import on
from core.work import wake
from incidents.models import Incident, RoleAssignment
from tickets.actions.clocks import wind_clocks
from tickets.actions.handovers import withdraw_handover
from tickets.models import Chore, ChoreKind, ClockTarget, Handover, TicketPriority


@on("incident.severity_assessed")
def hold_to_the_new_severity(entry: JournalEntry) -> None:
    """Each severity has targets of its own."""
    incident = Incident.objects.get(pk=entry.target_id)
    wind_clocks(actor=SYSTEM, incident=incident, reason=f"The severity is {incident.get_severity_display()}.")


@on("incident.reopened")
def hold_to_the_targets_of_now(entry: JournalEntry) -> None:
    """Targets that changed while it was closed were kept from it."""
    wind_clocks(actor=SYSTEM, incident=Incident.objects.get(pk=entry.target_id), reason="Reopened.")


@on("clocktarget.added", "clocktarget.changed", "clocktarget.deleted")
def hold_to_the_new_target(entry: JournalEntry) -> None:
    """Open tickets are held to the targets of today; incident by incident, since there may be many."""
    history: Any = ClockTarget.history
    pairs = history.filter(id=entry.target_id).order_by().values_list("severity", "priority").distinct()
    for severity, priority in pairs:
        _leave(ChoreKind.TARGET, severity=severity, priority=priority)


@on("ticketpriority.changed")
def follow_the_priority(entry: JournalEntry) -> None:
    """Tickets carry the urgency of their priority, for lists to sort by."""
    priority = TicketPriority.objects.filter(pk=entry.target_id).first()
    if priority is not None and "urgency" in entry.data.get("changes", {}):
        _leave(ChoreKind.URGENCY, priority=priority.code)


def _leave(kind: ChoreKind, **data: str) -> None:
    wake(Chore.objects.create(kind=kind, data=data))


# -- Offers that nobody can answer any more ---------------------------------------------------------------------------
def _withdraw(offers: QuerySet[Handover], why: str) -> None:
    for offer in offers:
        withdraw_handover(actor=SYSTEM, handover=offer, answer=why)


@on("incident.closed", "incident.merged")
def withdraw_offers_of_the_closed(entry: JournalEntry) -> None:
    """Nobody takes over work in an incident that is closed; it may be open again by now."""
    incident = Incident.objects.get(pk=entry.target_id)
    if not incident.is_open:
        why = "The incident was merged." if incident.merged_into_id else "The incident was closed."
        _withdraw(Handover.objects.waiting().filter(incident=incident), why)


@on("person.disabled")
def withdraw_offers_to_the_disabled(entry: JournalEntry) -> None:
    """Who is locked out cannot answer. What they offered themselves stands: somebody else may still take it over."""
    waiting = Handover.objects.waiting().filter(receiver_id=int(entry.target_id), receiver__is_active=False)
    _withdraw(waiting, "The receiver's account was disabled.")


@on("role.ended")
def withdraw_offers_to_who_left(entry: JournalEntry) -> None:
    """Who can no longer work in the incident cannot take over work in it."""
    role = RoleAssignment.objects.select_related("incident", "user").get(pk=entry.target_id)
    if "work" not in role.incident.permissions_for(role.user):
        waiting = Handover.objects.waiting().filter(incident=role.incident, receiver=role.user)
        _withdraw(waiting, "The receiver has left the team.")
