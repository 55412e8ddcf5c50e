"""Tickets, what is said on them and what is attached."""

from tickets.models.attachments import Attachment
from tickets.models.comments import Comment
from tickets.models.tickets import Disposition, Priority, Ticket, TicketStatus

__all__ = ["Attachment", "Comment", "Disposition", "Priority", "Ticket", "TicketStatus"]
