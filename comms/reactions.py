"""Who is told of what. The people a thing concerns stand in its journal entry; whether they may see it is asked now."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from comms.actions.notifications import notify
from comms.models import Kind
from comms.queries.several import told_of
from core.models import JournalEntry
from core.reactions import on
from incidents.models import Incident, IncidentGrant, Role, RoleAssignment
from people.models import User
from runbooks.models import Document, Execution, Run, Version
from tickets.models import ClockState, Comment, Handover, Ticket, TicketStatus


def _who(entry: JournalEntry) -> str:
    return entry.actor_name.split(" <")[0]


def _ticket(entry: JournalEntry) -> Ticket | None:
    """What the entry is about, unless it was deleted since."""
    return Ticket.objects.select_related("incident").filter(pk=entry.target_id).first()


def _comment(entry: JournalEntry) -> Comment | None:
    """As for tickets."""
    return Comment.objects.select_related("ticket__incident").filter(pk=entry.target_id).first()


def _people(pks: list[Any]) -> list[User]:
    return list(User.objects.active().filter(pk__in=[pk for pk in pks if pk]))


def _tickets(entries: Iterable[JournalEntry]) -> dict[str, Ticket]:
    """What the entries are about, by `target_id`, without those that were deleted since."""
    rows = Ticket.objects.filter(pk__in={int(one.target_id) for one in entries})
    return {str(row.pk): row for row in rows.select_related("incident").prefetch_related("watches")}


def _tell_each(
    entry: JournalEntry, theirs: Mapping[int, list[Ticket]], kind: Kind, words: Callable[[Ticket, int], str]
) -> None:
    """One line for each person, however many tickets it is about: `words` of the first, and of how many more."""
    for user in _people(list(theirs)):
        first, *more = sorted(theirs[user.pk], key=lambda ticket: ticket.number)
        text = words(first, len(more))
        notify(entry=entry, users=[user], incident=first.incident, ticket=first, kind=kind, text=text)


def _several(first: Ticket, more: int) -> str:
    return f"{first} and {more} more" if more else str(first)


@on("ticket.added", "ticket.assigned", "tickets.changed", "tickets.change_undone")
def tell_the_assignee(entry: JournalEntry) -> None:
    """Somebody was given a ticket, or several at once."""
    given: dict[int, list[Ticket]] = {}
    parts = [one for one in told_of(entry) if one.verb in ("ticket.added", "ticket.assigned")]
    tickets = _tickets(parts)
    for one in parts:
        if one.target_id in tickets and one.data.get("assignee"):
            given.setdefault(one.data["assignee"], []).append(tickets[one.target_id])
    _tell_each(entry, given, Kind.ASSIGNED, lambda first, more: f"{_who(entry)} gave you {_several(first, more)}")


@on("tickets.planted")
def tell_the_assignees(entry: JournalEntry) -> None:
    """A branch was made from a text: who was given tickets in it hears of it once, with the first of them."""
    found = {one.number: one for one in Ticket.objects.select_related("incident").filter(
        incident=int(entry.target_id), number__in=[number for number, _ in entry.data["assigned"]]
    )}  # fmt: skip
    given: dict[int, list[Ticket]] = {}
    for number, user in entry.data["assigned"]:
        if number in found:
            given.setdefault(user, []).append(found[number])
    _tell_each(entry, given, Kind.ASSIGNED, lambda first, more: f"{_who(entry)} gave you {_several(first, more)}")


@on("comment.added", "comment.edited")
def tell_the_mentioned(entry: JournalEntry) -> None:
    """Somebody was called by name in a comment."""
    if (comment := _comment(entry)) is None:
        return
    ticket: Ticket | None = comment.ticket
    incident, on_it = comment.ticket.incident, str(ticket)
    if comment.ticket.parent_id is None:  # said of the incident itself
        ticket, on_it = None, incident.number
    notify(
        entry=entry, users=_people(entry.data.get("mentions", [])), incident=incident, ticket=ticket,
        kind=Kind.MENTIONED, text=f"{_who(entry)} mentioned you on {on_it}",
    )  # fmt: skip


@on("role.assigned")
def tell_the_new_member(entry: JournalEntry) -> None:
    """Somebody was put on the team of an incident."""
    assignment = RoleAssignment.objects.select_related("incident").get(pk=entry.target_id)
    role = Role(assignment.role).label
    notify(
        entry=entry, users=_people([entry.data.get("user")]), incident=assignment.incident, kind=Kind.ROLE,
        text=f"{_who(entry)} made you {role} of {assignment.incident}",
    )  # fmt: skip


def _leaders(incident: Incident) -> list[User]:
    """Who may lead it; where nobody can, everybody on the team."""
    grants = IncidentGrant.objects.filter(content_object=incident, permission__codename="lead")
    team = RoleAssignment.objects.filter(incident=incident, until=None)
    return _people(list(grants.values_list("user_id", flat=True))) or _people(
        list(team.values_list("user_id", flat=True).distinct())
    )


@on("incident.glass_broken")
def tell_who_leads(entry: JournalEntry) -> None:
    """An administrator looked into a restricted incident: who leads it must know, and why."""
    incident = RoleAssignment.objects.select_related("incident").get(pk=entry.target_id).incident
    notify(
        entry=entry, users=_leaders(incident), incident=incident, kind=Kind.GLASS,
        text=f"{_who(entry)} opened {incident.number} as an administrator: {entry.data.get('reason', '')}",
    )  # fmt: skip


# -- Tickets one has or watches ---------------------------------------------------------------------------------------
def _follow(entry: JournalEntry, ticket: Ticket, text: str, *, but: list[int] | None = None) -> None:
    """Tell the assignee and the watchers, each once; `but` hear of it in another way."""
    mine = [ticket.assignee_id] if ticket.assignee_id and ticket.assignee_id not in (but or []) else []
    watches = ticket.watches.exclude(user_id__in=[*(but or []), ticket.assignee_id or 0])
    for kind, people in ((Kind.YOURS, mine), (Kind.WATCHED, list(watches.values_list("user_id", flat=True)))):
        notify(entry=entry, users=_people(people), incident=ticket.incident, ticket=ticket, kind=kind, text=text)


@on("ticket.status_changed", "tickets.changed", "tickets.change_undone")
def tell_who_follows_the_status(entry: JournalEntry) -> None:
    """The status of a ticket is another one, or that of several at once: to who has them, and to who watches them."""
    parts = [one for one in told_of(entry) if one.verb == "ticket.status_changed"]
    tickets = _tickets(parts)
    mine: dict[int, list[Ticket]] = {}
    watched: dict[int, list[Ticket]] = {}
    for ticket in (tickets[one.target_id] for one in parts if one.target_id in tickets):
        if ticket.assignee_id:
            mine.setdefault(ticket.assignee_id, []).append(ticket)
        for watch in ticket.watches.all():
            if watch.user_id != ticket.assignee_id:
                watched.setdefault(watch.user_id, []).append(ticket)
    to = {one.data.get("to") for one in parts}
    names = list(TicketStatus.objects.filter(code__in=to).values_list("name", flat=True))

    def words(first: Ticket, more: int) -> str:
        name = names[0] if names else first.status_words
        to_what = f"to {name}" if len(to) == 1 or not more else "back to what they were"
        return f"{_who(entry)} set {_several(first, more)} {to_what}"

    _tell_each(entry, mine, Kind.YOURS, words)
    _tell_each(entry, watched, Kind.WATCHED, words)


@on("ticket.clock_changed", "ticket.unblocked")
def tell_who_follows(entry: JournalEntry) -> None:
    """Something happened to a ticket: its clock ran out, it need not wait any more."""
    if (ticket := _ticket(entry)) is None:
        return
    if entry.verb == "ticket.unblocked":
        _follow(entry, ticket, f"{ticket} need not wait for #{entry.data.get('by')}")
    elif (entry.data.get("clock") or [""])[-1] == ClockState.BREACHED:
        _follow(entry, ticket, f"The time of {ticket} is over")


def _late(entry: JournalEntry) -> list[Ticket]:
    """The tickets whose time has run out, as the entry says: one by itself, or several by other targets."""
    clocks = [one.data.get("clocks", {}) for one in told_of(entry)]
    late = [key for states in clocks for key, (_, now) in states.items() if now == ClockState.BREACHED]
    rows = Ticket.objects.filter(incident__pk=int(entry.stream.partition(":")[2]), number__in=late)
    if entry.verb == "ticket.clock_changed" and (entry.data.get("clock") or [""])[-1] == ClockState.BREACHED:
        rows = Ticket.objects.filter(pk=entry.target_id)
    return list(rows.select_related("incident").order_by("number"))


@on(
    "ticket.clock_changed", "ticket.clocks_wound", "ticket.restated", "incident.absorbed", "ticket.branch_restored",
    "ticket.all_restored", "ticket.branch_dropped", "tickets.dropped", "tickets.change_undone",
)  # fmt: skip
def tell_of_late_tickets(entry: JournalEntry) -> None:
    """Whoever commands must know, and who has the ticket where nobody told them as a follower: one line for each."""
    theirs: dict[int, list[Ticket]] = {}
    for ticket in _late(entry):
        commander = ticket.incident.commander_id
        people = (
            {commander} - {ticket.assignee_id}
            if entry.verb == "ticket.clock_changed"
            else {commander, ticket.assignee_id}
        )
        for person in people - {None}:
            theirs.setdefault(person, []).append(ticket)  # type: ignore[arg-type]  # None was taken out
    _tell_each(
        entry, theirs, Kind.CLOCK,
        lambda first, more: f"The time of {first}{f' and of {more} more' if more else ''} is over",
    )  # fmt: skip


@on(
    "ticket.status_changed", "ticket.branch_dropped", "ticket.deleted", "tickets.uprooted", "tickets.changed",
    "tickets.dropped", "tickets.change_undone",
)  # fmt: skip
def tell_who_waited(entry: JournalEntry) -> None:
    """Tickets that waited for what has ended wait for nothing now: one line for each person, however many they have."""
    freed = {number for one in told_of(entry) for number in one.data.get("freed", [])}
    rows = Ticket.objects.filter(incident__pk=int(entry.stream.partition(":")[2]), number__in=freed)
    theirs: dict[int, list[Ticket]] = {}
    for ticket in rows.select_related("incident").prefetch_related("watches").order_by("number"):
        for person in {ticket.assignee_id, *(watch.user_id for watch in ticket.watches.all())} - {None}:
            theirs.setdefault(person, []).append(ticket)  # type: ignore[arg-type]  # None was taken out
    _tell_each(entry, theirs, Kind.FREED, lambda first, more: f"{_several(first, more)} need not wait any more")


@on("comment.added")
def tell_who_follows_the_talk(entry: JournalEntry) -> None:
    """Somebody said something on a ticket; who is called by name hears of it as a mention."""
    if (comment := _comment(entry)) is None:
        return
    ticket = comment.ticket
    _follow(entry, ticket, f"{_who(entry)} commented on {ticket}", but=entry.data.get("mentions", []))


@on("run.finished")
def ask_for_a_rating(entry: JournalEntry) -> None:
    """The last ticket of a run has ended: who started it says how it went; where it started by itself, who commands."""
    run = Run.objects.select_related("incident", "of__document").filter(pk=entry.target_id).first()
    if run is None or run.rating is not None:
        return
    notify(
        entry=entry, users=_people([run.started_by_id or run.incident.commander_id]), incident=run.incident,
        kind=Kind.RUN, place="runbooks:runs", text=f"The run of “{run.of.document.title}” is through: say how it went",
    )  # fmt: skip


@on("run.prevented")
def tell_who_counts_on_it(entry: JournalEntry) -> None:
    """A runbook should have started by itself: who commands, else who leads, has to do without or start another."""
    incident = Incident.objects.get(pk=entry.target_id)
    notify(
        entry=entry, users=_people([incident.commander_id]) or _leaders(incident), incident=incident,
        kind=Kind.AUTOMATION, place="runbooks:palette",
        text=f"The runbook “{entry.data['runbook']}” did not start by itself: {entry.data['reason']}",
    )  # fmt: skip


# -- Handovers --------------------------------------------------------------------------------------------------------
HANDED: dict[str, tuple[str, str]] = {  # what the receiver and the giver are told, whichever of them did not do it
    "handover.offered": ("{who} offers you {what}", "{who} offers your {what} to {receiver}"),
    "handover.accepted": ("{who} accepted {what} for you", "{receiver} took over {what}"),
    "handover.declined": ("{who} declined {what} for you", "{receiver} does not take over {what}"),
    "handover.withdrawn": ("The offer of {what} was taken back", "Your offer of {what} to {receiver} was taken back"),
}


@on("handover.offered", "handover.accepted", "handover.declined", "handover.withdrawn")
def tell_both_sides(entry: JournalEntry) -> None:
    """Tickets are offered, or an offer was answered."""
    handover = Handover.objects.select_related("incident", "giver", "receiver").get(pk=entry.target_id)
    first = handover.tickets.select_related("incident").order_by("number").first()
    words = {"who": _who(entry), "what": entry.data.get("named", ""), "receiver": str(handover.receiver)}
    hidden = handover.incident.restricted or (first is not None and first.incident.restricted)
    reason = f": {entry.data['reason']}" if entry.data.get("reason") and not hidden else ""
    for user, text in zip((handover.receiver, handover.giver), HANDED[entry.verb], strict=True):
        notify(
            entry=entry, users=_people([user.pk]), incident=handover.incident, ticket=first, kind=Kind.HANDOVER,
            text=text.format_map(words) + reason,
        )  # fmt: skip


# -- Escalation and automations ---------------------------------------------------------------------------------------
@on("escalation.fired")
def tell_who_it_escalates_to(entry: JournalEntry) -> None:
    """Whoever holds the role that is named, and who commands."""
    incident = Incident.objects.get(pk=int(entry.stream.partition(":")[2]))
    held = RoleAssignment.objects.filter(incident=incident, until=None, role=entry.data.get("role") or "")
    people = _people([*held.values_list("user_id", flat=True), incident.commander_id])
    text = f"{incident.number} escalates ({entry.data.get('condition', '')}): {entry.data.get('what', '')}"
    notify(entry=entry, users=people, incident=incident, kind=Kind.ESCALATION, text=text)


@on("automation.asked", "automation.waits")
def tell_who_can_agree(entry: JournalEntry) -> None:
    """An automation waits for somebody who leads, and agrees; or, where it asks something, for who has the ticket."""
    execution = Execution.objects.select_related("automation__ticket__incident").filter(pk=entry.target_id).first()
    if execution is None or execution.state != "queued" or execution.waiting not in ("approval", "answer"):
        return
    ticket = execution.automation.ticket
    incident = ticket.incident
    if execution.waiting == "approval":
        grants = IncidentGrant.objects.filter(content_object=incident, permission__codename="lead")
        people = [pk for pk in grants.values_list("user_id", flat=True) if pk != execution.asked_by_id]
    else:
        people = [ticket.assignee_id or execution.asked_by_id or incident.commander_id]
    words = "waits for somebody who agrees" if execution.waiting == "approval" else "asks something"
    notify(
        entry=entry, users=_people(people), incident=incident, ticket=ticket, kind=Kind.AUTOMATION,
        text=f"The automation of {ticket} {words}",
    )  # fmt: skip


@on("automation.failed")
def tell_whose_automation_failed(entry: JournalEntry) -> None:
    """It is not tried any more: who has the ticket and who asked for it know; where nobody is either, who commands."""
    execution = Execution.objects.select_related("automation__ticket__incident").filter(pk=entry.target_id).first()
    if execution is None or execution.dry:
        return
    ticket = execution.automation.ticket
    people = _people([ticket.assignee_id, execution.asked_by_id]) or _people([ticket.incident.commander_id])
    notify(
        entry=entry, users=people, incident=ticket.incident, ticket=ticket, kind=Kind.AUTOMATION,
        text=f"The automation of {ticket} failed",
    )  # fmt: skip


# -- Documents --------------------------------------------------------------------------------------------------------
def _managers() -> list[User]:
    """Who oversees: they may approve what they did not write."""
    return list(User.objects.active().filter(groups__permissions__codename="oversee").distinct())


def _version(entry: JournalEntry) -> Version:
    return Version.objects.select_related("document__owner", "author").get(pk=entry.target_id)


@on("version.submitted")
def tell_who_can_approve(entry: JournalEntry) -> None:
    """A version waits: to the named approvers, else to whoever may approve; never to who wrote on it."""
    version = _version(entry)
    writers = set(version.writers.values_list("pk", flat=True))
    named = list(version.document.approvers.filter(is_active=True))
    people = [user for user in (named or _managers()) if user.pk not in writers]
    text = f"{_who(entry)} asks you to approve {version}"
    notify(entry=entry, users=people, document=version.document, kind=Kind.APPROVAL, text=text)


@on("version.approved", "version.sent_back")
def tell_the_writers(entry: JournalEntry) -> None:
    """Somebody decided: to all who wrote on it."""
    version = _version(entry)
    did = "approved" if entry.verb == "version.approved" else "sent back"
    text = f"{_who(entry)} {did} {version}: {entry.data.get('comment', '')}"
    writers = list(version.writers.filter(is_active=True))
    notify(entry=entry, users=writers, document=version.document, kind=Kind.DECIDED, text=text)


@on("document.review_due")
def tell_who_has_to_review(entry: JournalEntry) -> None:
    """A review is near or late: to the owner; to managers where there is none, or where it is very late."""
    document = Document.objects.select_related("owner").get(pk=entry.target_id)
    owner = [document.owner] if document.owner is not None and document.owner.is_active else []
    others = _managers() if entry.data["escalated"] or not owner else []
    people = {user.pk: user for user in [*owner, *others]}
    days = entry.data["days"]
    when = f"is due on {entry.data['due']}" if days < 0 else "is due today" if not days else f"is {days} days late"
    text = f"The review of {document} {when}"
    notify(entry=entry, users=list(people.values()), document=document, kind=Kind.REVIEW, text=text)
