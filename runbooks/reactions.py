"""What runbooks do about what happens below: they start by themselves, and their runs follow their tickets."""

from django.core.exceptions import ValidationError

from core.actors import SYSTEM, Machine
from core.models import JournalEntry
from core.reactions import on
from incidents.models import Incident
from people.models import User
from runbooks.actions import executions
from runbooks.actions.escalations import end_escalation, escalate
from runbooks.actions.runs import settle_runs
from runbooks.actions.starts import run_runbook, tell_of_no_start
from runbooks.models import Run
from runbooks.queries.automations import preview, ready, rule_of
from runbooks.queries.escalations import met, not_ended
from runbooks.queries.starts import starting_by_themselves, suggestions


@on("incident.opened")
def start_what_starts_by_itself(entry: JournalEntry) -> None:
    """Runbooks that say so start in incidents they apply to, each once; what they ask for stays as it is written.

    One that cannot run (a sub-playbook is missing) keeps no other from starting; that it did not is told there.
    """
    incident = Incident.objects.get(pk=entry.target_id)
    if not incident.is_open:
        return
    values = suggestions(incident)
    for document in starting_by_themselves(incident):
        if Run.objects.filter(incident=incident, of__document=document).exists():
            continue
        actor = Machine(actor_kind="automation", actor_name=f"Runbook “{document.title}”")
        try:
            run_runbook(
                actor=actor, incident=incident, document=document, under=None, values=values, complete=False
            )  # fmt: skip
        except ValidationError as refused:
            tell_of_no_start(actor=actor, incident=incident, document=document, reason=" ".join(refused.messages))


@on(
    "ticket.status_changed", "ticket.lead_resolved", "ticket.branch_dropped", "ticket.branch_restored",
    "ticket.all_dropped", "ticket.all_restored", "ticket.deleted", "ticket.restated", "tickets.uprooted",
    "incident.absorbed",
)  # fmt: skip
def follow_the_tickets(entry: JournalEntry) -> None:
    """A run is over with its last ticket, and goes on where one of them is open again."""
    pk = int(entry.stream.partition(":")[2])
    here = Run.objects.filter(ticket__incident=pk) | Run.objects.filter(incident=pk)
    if here.exists():
        settle_runs(actor=SYSTEM, incident=Incident.objects.get(pk=pk))


# -- Automations -------------------------------------------------------------------------------------------------------
def _incident(entry: JournalEntry) -> Incident | None:
    """The incident whose stream the entry stands in, while it is open."""
    kind, _, pk = entry.stream.partition(":")
    found = Incident.objects.filter(pk=int(pk)).first() if kind == "incident" else None
    return found if found is not None and found.is_open else None


# A condition can speak of the incident and who commands it, of its own ticket, and of what other steps gave: whatever
# changes one of them stands here, and a row of the tables in tests/runbooks/test_set_off.py shows it.
@on(
    "ticket.edited", "ticket.assigned", "ticket.tagged", "ticket.status_changed", "ticket.lead_marked",
    "ticket.lead_resolved",
)  # fmt: skip
def set_off_the_automation_of_the_ticket(entry: JournalEntry) -> None:
    """The one that waits for the start of this ticket, or for a condition: that of another cannot speak of it."""
    _set_off(entry, ticket=int(entry.target_id))


@on(
    "tickets.changed", "tickets.change_undone", "tickets.planted", "ticket.branch_restored", "ticket.all_restored",
    "ticket.restated", "incident.opened", "incident.edited", "incident.severity_assessed", "incident.status_changed",
    "incident.reopened", "incident.absorbed", "incident.restricted", "incident.unrestricted", "role.assigned",
    "automation.set", "automation.done", "automation.failed", "automation.dried", "automation.declined",
    "automation.cancelled", "automations.planted",
)  # fmt: skip
def set_off_automations(entry: JournalEntry) -> None:
    """Those whose ticket has started, and those whose condition holds now.

    While one is asked for by hand it cannot be set off: its condition is looked at again when that has ended.
    """
    _set_off(entry)


def _set_off(entry: JournalEntry, *, ticket: int | None = None) -> None:
    incident = _incident(entry)
    if incident is None:
        return
    found = ready(incident, ticket=ticket)
    by = User.objects.filter(pk=entry.actor_id or 0).first() if found and entry.actor_kind == "user" else None
    for automation in found:
        rule, (shown, _) = rule_of(automation), preview(automation)
        executions.set_off(
            actor=SYSTEM, automation=automation, needs_approval=rule.needs_approval, shown=shown,
            asked_by=by if automation.trigger == "start" else None,
        )  # fmt: skip


# -- Escalation -------------------------------------------------------------------------------------------------------
@on(
    "incident.opened", "incident.edited", "incident.severity_assessed", "incident.status_changed", "incident.reopened",
    "incident.absorbed", "incident.restricted", "incident.unrestricted", "role.assigned",
    "run.started", "run.stopped",
)  # fmt: skip
def escalate_what_is_bad(entry: JournalEntry) -> None:
    """A condition that begins to hold is written down, once, and so is that it holds no more."""
    incident = _incident(entry)
    if incident is None:
        return
    now, holding = met(incident)
    for one in now:
        escalate(
            actor=SYSTEM, incident=incident, condition=one.condition, what=one.what, role=one.role, rule=one.rule,
            document=one.document,
        )  # fmt: skip
    for escalation in not_ended(incident):
        if (escalation.condition, escalation.action) not in holding:
            end_escalation(actor=SYSTEM, escalation=escalation)
