"""Changes of one ticket or of two hundred: what the rules ask for is read once, what they decide is written at the end.

The rules (`tickets.actions.steps`) decide ticket by ticket and know nothing of that. So they are the same for one and
for many, and the number of queries does not grow with the tickets.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import Any, Self, TypeVar

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import keep_together, save_together
from core.actors import Actor
from incidents.models import Incident, Tag
from incidents.models.team import holders
from people.models import User
from tickets import clocks, tree
from tickets.actions.waits import Waits
from tickets.models import ENDED, Ticket, TicketPriority, TicketStatus

TURNED = ("category", "due_at", "time_limit", "priority", "lead", "disposition")
"""Columns that the counts of the incident follow from."""
Word = TypeVar("Word", TicketStatus, TicketPriority)


class Batch:
    """What is done with these tickets of a locked, open incident; written when the `with` block ends without error.

    Until then `change` and `tag` alter the rows in memory alone, so that a later rule sees what an earlier one decided.
    """

    def __init__(self, actor: Actor, incident: Incident, tickets: Iterable[Ticket] = ()) -> None:
        self.actor, self.incident = actor, incident
        self._tickets = {ticket.pk: ticket for ticket in tickets}
        self._altered: dict[int, Ticket] = {}
        self._columns: set[str] = set()
        self._past: list[Ticket] = []  # each as it was after each of its changes: rows of history to be
        self._said: list[tuple[journal.Draft, slice]] = []
        self._new_tags: dict[int, list[str]] = {}
        self._workers: set[int] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if kind is None:
            self._write()

    # -- What the rules ask for -------------------------------------------------------------------------------------
    @cached_property
    def statuses(self) -> dict[str, TicketStatus]:
        """All of them, given or not, by code."""
        return {status.code: status for status in TicketStatus.objects.all()}

    @cached_property
    def _held(self) -> dict[str, tuple[TicketPriority, clocks.Target]]:
        return clocks.held(self.incident.severity)

    @cached_property
    def priorities(self) -> dict[str, TicketPriority]:
        """All of them, given or not, by code."""
        return {code: priority for code, (priority, _) in self._held.items()}

    @cached_property
    def _waits(self) -> Waits:
        return Waits(self._tickets)

    @cached_property
    def _ties(self) -> dict[int, dict[str, int]]:
        """The tags of each ticket by name, with the key of the row that ties them."""
        found: dict[int, dict[str, int]] = {pk: {} for pk in self._tickets}
        rows = Ticket.tags.through.objects.filter(ticket__in=list(self._tickets))
        for pk, name, key in rows.values_list("ticket", "tag__name", "pk"):
            found[pk][name] = key
        return found

    def status(self, code: str) -> TicketStatus:
        """The status with this code.

        Raises:
            ValidationError: there is none, or it is no longer given.
        """
        return _still_given(self.statuses.get(code), "status")

    def priority(self, code: str) -> TicketPriority:
        """The priority with this code.

        Raises:
            ValidationError: there is none, or it is no longer given.
        """
        return _still_given(self.priorities.get(code), "priority")

    def target(self, priority: str) -> clocks.Target:
        """What tickets of this priority are held to."""
        return self._held[priority][1] if priority in self._held else clocks.NO_TARGET

    def require_workers(self, people: Iterable[User | None]) -> None:
        """Refuse who may not work tickets of this incident; None is nobody, who may.

        Raises:
            ValidationError: says so by name.
        """
        asked = {person.pk: person for person in people if person is not None and person.pk not in self._workers}
        if asked:
            able = holders(self.incident, "work").filter(pk__in=asked).values_list("pk", flat=True)
            self._workers.update(able)
        for pk, person in asked.items():
            if pk not in self._workers:
                raise ValidationError(
                    f"{person} has no role in this incident that works tickets: add them to the team first."
                )

    def tags_of(self, ticket: Ticket) -> list[str]:
        """Their names, in order."""
        return sorted(self._new_tags.get(ticket.pk, self._ties[ticket.pk]))

    def freed(self, ended: Iterable[int]) -> dict[str, Any]:
        """What an entry says of open tickets that waited for one of these (keys), now for nothing: their numbers."""
        return {"freed": numbers} if (numbers := self._waits.freed(ended)) else {}

    # -- What they decide -------------------------------------------------------------------------------------------
    def change(self, ticket: Ticket, fields: Mapping[str, Any], target: clocks.Target | None = None) -> dict[str, Any]:
        """Set columns of a ticket, and wind its clock; gives what the entry says of the clock, if that turned.

        What has ended and stays ended is held to the targets that it ended with.
        """
        before = ticket.clock_state
        if ticket.is_ended and fields.get("category", ticket.category) in ENDED:
            target = clocks.kept(ticket)
        elif target is None:
            target = self.target(fields.get("priority", ticket.priority))
        self.put(ticket, {**fields, **clocks.wound(ticket, target, **fields)})
        return {} if ticket.clock_state == before else {"clock": [before, ticket.clock_state]}

    def change_all(self, changes: Iterable[tuple[Ticket, Mapping[str, Any]]]) -> dict[str, Any]:
        """Change several for one entry; gives what it says of the clocks that turned, by number."""
        said = {ticket.number: self.change(ticket, fields) for ticket, fields in changes}
        turned = {number: one["clock"] for number, one in said.items() if one}
        return {"clocks": turned} if turned else {}

    def put(self, ticket: Ticket, fields: Mapping[str, Any]) -> None:
        """Set columns on which no clock depends."""
        self._columns |= set(ticket.put(fields))
        self._touch(ticket)
        self._past.append(copy.copy(ticket))

    def tag(self, ticket: Ticket, names: Iterable[str]) -> None:
        """Give the ticket exactly these tags. Its version stays."""
        self._new_tags[ticket.pk] = sorted(names)
        self._columns.add("updated_at")
        self._touch(ticket)

    def say(self, verb: str, subject: Ticket | Incident, *, changed: bool = True, **data: Any) -> None:
        """Have an entry written that answers for all that was changed since the last one."""
        begin = self._said[-1][1].stop if self._said else 0
        self._said.append((journal.Draft(verb, subject, data, changed), slice(begin, len(self._past))))

    def _touch(self, ticket: Ticket) -> None:
        ticket.updated_at = timezone.now()
        self._altered[ticket.pk] = ticket

    # -- Writing it -------------------------------------------------------------------------------------------------
    def _write(self) -> None:
        save_together(list(self._altered.values()), self._columns)
        written = keep_together(self._past, changed=True)
        self._write_tags()
        if self._columns & {*TURNED}:
            tree.recount(self.incident)
        drafts = [replace(draft, written=written[part]) for draft, part in self._said]
        journal.record_many(drafts, actor=self.actor, stream=self.incident.journal_stream)

    def _write_tags(self) -> None:
        if not self._new_tags:
            return
        new = [(pk, name) for pk, names in self._new_tags.items() for name in names if name not in self._ties[pk]]
        gone = [
            key for pk, names in self._new_tags.items() for name, key in self._ties[pk].items() if name not in names
        ]
        rows = Ticket.tags.through.objects
        if gone:
            rows.filter(pk__in=gone).delete()
        if new:
            keys = ready({name for _, name in new})
            rows.bulk_create([Ticket.tags.through(ticket_id=pk, tag_id=keys[name]) for pk, name in new])


def _still_given(found: Word | None, field: str) -> Word:
    if found is None or not found.active:
        raise ValidationError({field: f"This is not a {field}."})
    return found


def ready(names: Iterable[str]) -> dict[str, int]:
    """The keys of these clean tags, after adding those that there are not yet (inside an action that journals its use).

    All at once and in order, before any of them is used: two transactions that add the same names in different orders,
    ticket by ticket, would wait for each other.
    """
    wanted = sorted(set(names))
    keys = dict(Tag.objects.filter(name__in=wanted).values_list("name", "pk"))
    new = [Tag(name=name) for name in wanted if name not in keys]
    if new:  # somebody else may add the same at this moment: then theirs is taken, which tells its key
        Tag.objects.bulk_create(new, update_conflicts=True, unique_fields=["name"], update_fields=["name"])
    return keys | {tag.name: tag.pk for tag in new}
