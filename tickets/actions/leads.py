"""Leads: what must be investigated until it is resolved, where it came from, and what became of it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from tickets import tree
from tickets.actions.steps import disposed, locked
from tickets.models import Category, Ticket


@action
def mark_lead(
    *,
    actor: Actor,
    ticket: Ticket,
    lead: bool,
    disposition: str = "",
    disposition_reason: str = "",
    hypothesis: str | None = None,
    origin: int | None = None,
    version: int | None = None,
) -> Ticket:
    """Make it a lead, write its result, or say it is no lead after all (which takes the result away).

    `hypothesis` None leaves it; `origin` is the number of the ticket it grew from, None leaves it.

    Raises:
        Conflict: somebody else wrote another result since `version`.
        ValidationError: the result is none, or the ticket has ended and its lead would stay open.
    """
    ticket = locked(ticket)
    if lead and not disposition and ticket.is_ended and ticket.category != Category.DROPPED:
        raise ValidationError({"disposition": f"#{ticket.number} is done: say what became of the lead."})
    fields: dict[str, Any] = {"lead": lead, "lead_at": (ticket.lead_at or timezone.now()) if lead else None}
    fields |= disposed(ticket, disposition if lead else "", disposition_reason.strip())
    if hypothesis is not None:
        fields["hypothesis"] = hypothesis
    if origin:
        fields["origin_id"] = _origin(ticket, origin).pk
    changed = ticket.merged(version=version or ticket.version, submitted=fields)
    if not changed:
        return ticket
    ticket.apply(changed)
    tree.recount(ticket.incident)
    journal.record(
        "ticket.lead_resolved" if disposition else "ticket.lead_marked", actor=actor, subject=ticket, lead=lead
    )
    return ticket


def _origin(ticket: Ticket, number: int) -> Ticket:
    """The ticket a lead grew from; lineage has no circles."""
    found = tree.fresh(ticket.incident, number)
    step: Ticket | None = found
    seen = {ticket.pk}
    while step is not None:
        if step.pk in seen:
            raise ValidationError({"origin": f"#{number} grew from #{ticket.number} itself."})
        seen.add(step.pk)
        step = Ticket.objects.filter(pk=step.origin_id).first() if step.origin_id else None
    return found
