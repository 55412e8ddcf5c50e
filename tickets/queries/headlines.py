"""What a headline could begin with."""

from tickets.models import Ticket

MOST = 200


def draft(ticket: Ticket) -> str:
    """The headlines of the tickets just below, in their order, cut to the length of one; empty without any."""
    below = Ticket.objects.filter(parent_id=ticket.pk).exclude(headline="").order_by("lft")
    joined = "; ".join(below.values_list("headline", flat=True)[:MOST])
    return joined if len(joined) <= MOST else f"{joined[: MOST - 1].rstrip()}…"
