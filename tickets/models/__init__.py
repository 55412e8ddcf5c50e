"""Tickets, the words they are described in, what is said on them, attached to them and handed over."""

from tickets.models.attachments import Attachment
from tickets.models.blockers import Blocker
from tickets.models.chores import Chore, ChoreKind
from tickets.models.clocks import ClockState, ClockTarget
from tickets.models.comments import Comment
from tickets.models.handovers import Handover, HandoverState
from tickets.models.shifts import ShiftHandover
from tickets.models.tickets import Disposition, Ticket
from tickets.models.times import TimeEntry
from tickets.models.vocabulary import ENDED, Category, TicketPriority, TicketStatus
from tickets.models.watches import Watch

__all__ = [
    "ENDED",
    "Attachment",
    "Blocker",
    "Category",
    "Chore",
    "ChoreKind",
    "ClockState",
    "ClockTarget",
    "Comment",
    "Disposition",
    "Handover",
    "HandoverState",
    "ShiftHandover",
    "Ticket",
    "TicketPriority",
    "TicketStatus",
    "TimeEntry",
    "Watch",
]
