"""The rules of what people do with a ticket, the same for one and for many at once (`tickets.actions.bulk`)."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import markdown
from incidents.actions.incidents import clean_tags
from people.models import User
from tickets import clocks, tree
from tickets.actions.batches import Batch
from tickets.models import ENDED, Category, Disposition, Ticket, TicketPriority, TicketStatus
from tickets.models.vocabulary import FIRST

EDITABLE = frozenset(
    {"title", "description", "headline", "priority", "due_at", "time_limit", "shared", "outcome", "hypothesis"}
)
MOST_TAGS = 20  # on one ticket
TIMES = ("started_at", "finished_at", "paused_at", "paused_seconds")


@dataclass(frozen=True)
class Found:
    """What an entry that is taken back had found: the columns of `TIMES`, and what an ended clock was held to."""

    times: Mapping[str, Any]
    target: clocks.Target | None = None

    def times_for(self, category: str) -> dict[str, Any]:
        """The times, as far as they go with what the status means by now: admins may have given it another category."""
        fits = (self.times["finished_at"] is not None) == (category in ENDED)
        fits &= (self.times["paused_at"] is not None) == (category == Category.BLOCKED)
        return dict(self.times) if fits else {"started_at": self.times["started_at"]}


def held(ticket: Ticket) -> dict[str, Any]:
    """What an entry says of the targets that an ended ticket was held to, in seconds; its clock is wound anew now."""
    target = clocks.kept(ticket)
    return {"held": [None if span is None else int(span.total_seconds()) for span in (target.start, target.finish)]}


def held_by(data: Mapping[str, Any]) -> clocks.Target | None:
    """The targets that the entry with these data says the ticket was held to."""
    if "held" not in data:
        return None
    start, finish = (None if seconds is None else dt.timedelta(seconds=seconds) for seconds in data["held"])
    return clocks.Target(start=start, finish=finish)


def locked(ticket: Ticket) -> Ticket:
    """The ticket as it is now, with its incident locked and open."""
    return tree.fresh(tree.lock(ticket.incident_id), ticket.number)


def to_minute(moment: dt.datetime | None) -> dt.datetime | None:
    """A time as people give it; seconds would make every edit of another field look like a change of this one."""
    return moment.replace(second=0, microsecond=0) if moment else None


def undone(undoes: int | None) -> dict[str, Any]:
    """What an entry says that takes back another one: its sequence in the stream."""
    return {"undoes": undoes} if undoes else {}


def named(field: str, old: str, new: TicketStatus | TicketPriority, known: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry says of names as they are now: admins may give a code another one, or take it away."""
    before = known[old].name if old in known else old
    return {"words": {field: [before, new.name]}} if old != new.code else {}


def require_reason(reason: str) -> str:
    """The reason for dropping something, trimmed.

    Raises:
        ValidationError: there is none.
    """
    if not reason.strip():
        raise ValidationError({"reason": "Say why it is dropped: whoever reads the tree later will ask."})
    return reason.strip()


def status_fields(
    ticket: Ticket, status: TicketStatus, *, outcome: str = "", reason: str = "", waiting_for: str = ""
) -> dict[str, Any]:
    """What a status brings with it: when work began, stood still and ended, and why."""
    now, category = timezone.now(), status.category
    fields: dict[str, Any] = {"status": status.code, "category": category, **clocks.paused(ticket, category, now)}
    fields["waiting_for"] = waiting_for if category == Category.BLOCKED else ""
    fields["finished_at"] = (ticket.finished_at or now) if category in ENDED else None
    if category not in (Category.TODO, Category.DROPPED) and ticket.started_at is None:
        fields["started_at"] = now
    fields["dropped_reason"] = reason if category == Category.DROPPED else ""
    if outcome:
        fields["outcome"] = outcome
    return fields


def disposed(ticket: Ticket, disposition: str, reason: str) -> dict[str, Any]:
    """The result of a lead (empty: none yet), with when it got one.

    Raises:
        ValidationError: there is no such result, or it is parked without a reason.
    """
    if disposition and disposition not in Disposition.values:
        raise ValidationError({"disposition": "This is not a result of a lead."})
    if disposition == Disposition.PARKED and not reason:
        raise ValidationError({"disposition_reason": "Say why it is parked, and what would take it up again."})
    at = (ticket.disposed_at or timezone.now()) if disposition else None
    return {"disposition": disposition, "disposition_reason": reason if disposition else "", "disposed_at": at}


# -- Each decides about one ticket of a batch -------------------------------------------------------------------------
def assign(
    batch: Batch, ticket: Ticket, assignee: User | None, *, version: int | None = None, undoes: int | None = None
) -> None:
    """Give it to somebody, or to nobody; refusals as in `assign_ticket`."""
    batch.require_workers([assignee])
    fields = {"assignee_id": assignee.pk if assignee else None}
    changed = ticket.merged(version=version or ticket.version, submitted=fields)
    if not changed:
        return
    before = ticket.assignee_id
    batch.put(ticket, changed)
    batch.say("ticket.assigned", ticket, assignee=fields["assignee_id"], before=before, **undone(undoes))


def edit(batch: Batch, ticket: Ticket, fields: Mapping[str, Any], *, version: int) -> None:
    """Change fields that the editor saw in `version`; refusals as in `edit_ticket`."""
    if unknown := set(fields) - EDITABLE:
        raise ValidationError(f"These fields cannot be edited: {', '.join(sorted(unknown))}.")
    if "due_at" in fields:
        fields = {**fields, "due_at": to_minute(fields["due_at"])}
    changed = ticket.merged(version=version, submitted=fields)
    if not changed:
        return
    if "description" in changed:
        changed["description_html"] = markdown.stored(changed["description"], wiki=Ticket.wiki)
    words: dict[str, Any] = {}
    if "priority" in changed:
        priority = batch.priority(changed["priority"])
        changed["urgency"] = priority.urgency
        words = named("priority", ticket.priority, priority, batch.priorities)
    turned = batch.change(ticket, changed)
    batch.say("ticket.edited", ticket, **turned, **words)


def restate(
    batch: Batch,
    ticket: Ticket,
    status: str,
    *,
    version: int | None = None,
    outcome: str = "",
    reason: str = "",
    waiting_for: str = "",
    disposition: str = "",
    disposition_reason: str = "",
    found: Found | None = None,
    undoes: int | None = None,
) -> None:
    """Give it a status; arguments and refusals as in `set_status`."""
    to = batch.status(status)
    if to.category == Category.DROPPED:
        require_reason(reason)
    if to.category == Category.DONE and ticket.lead and not (disposition or ticket.disposition):
        raise ValidationError({"disposition": "Say what became of the lead: confirmed, ruled out or a dead end."})
    ticket.merged(version=version or ticket.version, submitted={"status": to.code})
    fields = status_fields(ticket, to, outcome=outcome.strip(), reason=reason.strip(), waiting_for=waiting_for.strip())
    if disposition or undoes:
        fields |= disposed(ticket, disposition, disposition_reason.strip())
    if undoes:
        fields["outcome"] = outcome
    if found:
        fields |= found.times_for(to.category)
    if all(getattr(ticket, name) == value for name, value in fields.items()):
        return
    ended, ends = ticket.is_ended, to.category in ENDED
    said = named("status", ticket.status, to, batch.statuses) | (held(ticket) if ended and not ends else {})
    turned = batch.change(ticket, fields, found.target if found and ends else None)
    free = batch.freed([ticket.pk]) if ends and not ended else {}
    result = {"disposition": disposition, "disposition_reason": disposition_reason.strip()} if disposition else {}
    said |= {**turned, **free, **result, **undone(undoes)}
    batch.say("ticket.status_changed", ticket, to=to.code, **said)


def tag(
    batch: Batch, ticket: Ticket, tags: Iterable[str], *, seen: Iterable[str] | None = None, undoes: int | None = None
) -> None:
    """Give it tags; arguments and refusals as in `set_tags`."""
    before = batch.tags_of(ticket)
    wanted = set(clean_tags(tags))
    known = set(before if seen is None else clean_tags(seen))
    names = sorted(set(before) - (known - wanted) | (wanted - known))
    if names == before:
        return
    if len(names) > MOST_TAGS:
        raise ValidationError({"tags": f"At most {MOST_TAGS} tags (#{ticket.number} would have {len(names)})."})
    batch.tag(ticket, names)
    batch.say("ticket.tagged", ticket, changed=False, old=before, new=names, **undone(undoes))


def drop_each(batch: Batch, rows: Iterable[Ticket], reason: str) -> dict[str, Any]:
    """Give these the status Dropped, whatever they have; what the one entry that names them says of clocks."""
    to = batch.status(FIRST[Category.DROPPED])
    return batch.change_all([(one, status_fields(one, to, reason=reason)) for one in rows])


def drop(batch: Batch, top: Ticket, rows: Sequence[Ticket], reason: str) -> None:
    """Drop a branch; `rows` is what is still open of it, in tree order. Where nothing is open nothing is said."""
    reason = require_reason(reason)
    if not rows:
        return
    turned = drop_each(batch, rows, reason)
    dropped = [one.number for one in rows]
    batch.say(
        "ticket.branch_dropped", top, changed=top.number in dropped, reason=reason, tickets=dropped, **turned,
        **batch.freed([one.pk for one in rows]),
    )  # fmt: skip
