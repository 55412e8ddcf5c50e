"""Leads: what must be investigated until it is resolved, where it came from, and what became of it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.models import Incident
from tickets import tree
from tickets.actions.steps import disposed, locked
from tickets.models import Category, Ticket

LEAD_FIELDS = ("lead", "lead_at", "disposition", "disposition_reason", "disposed_at", "hypothesis", "origin_id")


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

    `hypothesis` None leaves it; `origin` is the number of the ticket it grew from, None leaves it, 0 takes it away.

    Raises:
        Conflict: somebody else wrote another result since `version`.
        ValidationError: the result is none, or the ticket has ended and its lead would stay open; the origin is gone
            or grew from this very ticket.
    """
    ticket = locked(ticket)
    fields: dict[str, Any] = {"lead": lead, "lead_at": (ticket.lead_at or timezone.now()) if lead else None}
    fields |= disposed(ticket, disposition if lead else "", disposition_reason.strip())
    if hypothesis is not None:
        fields["hypothesis"] = hypothesis
    if origin is not None:
        fields["origin_id"] = grown_from(ticket.incident, origin, ticket).pk if origin else None
    changed = ticket.merged(version=version or ticket.version, submitted=fields)
    return _write(actor, ticket, changed) if changed else ticket


def put_back(*, actor: Actor, ticket: Ticket, fields: dict[str, Any], undoes: int) -> Ticket:
    """Give a locked ticket the lead's columns that it had before an entry; part of undoing that entry.

    Raises:
        ValidationError: the ticket has ended meanwhile and its lead would stay open, or the origin cannot be it again.
    """
    if fields["origin_id"] and fields["origin_id"] != ticket.origin_id:
        number = Ticket.objects.filter(pk=fields["origin_id"]).values_list("number", flat=True).first()
        fields = {**fields, "origin_id": grown_from(ticket.incident, number, ticket).pk if number else None}
    return _write(actor, ticket, fields, undoes=undoes)


def _write(actor: Actor, ticket: Ticket, fields: dict[str, Any], **more: Any) -> Ticket:
    """Set the columns of a lead, and say so in one entry."""
    lead = fields.get("lead", ticket.lead)
    disposition = fields.get("disposition", ticket.disposition)
    if lead and not disposition and ticket.is_ended and ticket.category != Category.DROPPED:
        raise ValidationError({"disposition": f"#{ticket.number} is done: say what became of the lead."})
    ticket.apply(fields)
    tree.recount(ticket.incident)
    if disposition:
        more |= {"disposition": disposition, "disposition_reason": ticket.disposition_reason}
    verb = "ticket.lead_resolved" if disposition else "ticket.lead_marked"
    journal.record(verb, actor=actor, subject=ticket, lead=lead, **more)
    return ticket


def grown_from(incident: Incident, number: int, ticket: Ticket | None = None) -> Ticket:
    """The ticket of this incident that a lead (`ticket`, unless it is new) grew from; lineage has no circles.

    Raises:
        ValidationError: it is gone, it is the incident itself, or it grew from the ticket.
    """
    found = Ticket.objects.filter(incident=incident, number=number, parent__isnull=False).first()
    if found is None:
        raise ValidationError({"origin": f"#{number} is not a ticket of this incident."})
    if ticket is not None:
        origins = dict(Ticket.objects.filter(incident=incident, origin__isnull=False).values_list("pk", "origin_id"))
        origins.pop(ticket.pk, None)
        step: int | None = found.pk
        while step is not None and step != ticket.pk:
            step = origins.get(step)
        if step == ticket.pk:
            words = "itself" if found.pk == ticket.pk else f"#{number}, which grew from it"
            raise ValidationError({"origin": f"#{ticket.number} cannot have grown from {words}."})
    return found
