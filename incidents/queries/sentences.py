"""The journal's verbs in words. {target} is the thing the entry is about; the other names come from its data.

A verb that is missing here is shown as it is. The second part of a key tells variants of one verb apart.
"""

from collections.abc import Mapping
from typing import Any

ROOT = 100  # number of the row of the tree that stands for the incident
SENTENCES: dict[tuple[str, str], str] = {
    ("incident.opened", ""): "declared the incident",
    ("incident.edited", ""): "changed {changed}",
    ("incident.restricted", ""): "restricted the incident to its team",
    ("incident.unrestricted", ""): "lifted the restriction",
    ("incident.status_changed", ""): "set the incident to {to}",
    ("incident.status_changed", "signed"): "set the incident to {to} and signed that {signed}: {leads_reason}",
    ("incident.closed", ""): "closed the incident ({resolution})",
    ("incident.closed", "signed"): "closed the incident ({resolution}) and signed that {signed}: {leads_reason}",
    ("incident.reopened", ""): "reopened the incident and set it to {to}",
    ("incident.severity_assessed", ""): "assessed the severity as {severity}",
    ("incident.post_mortem_approved", ""): "approved the post-mortem",
    ("incident.linked", ""): "noted that this incident {kind} {other}",
    ("incident.unlinked", ""): "took back that this incident {kind} {other}",
    ("incident.merged", ""): "merged this incident into {other}",
    ("incident.absorbed", ""): "took the tickets of {other} into this incident",
    ("incident.glass_broken", ""): "broke the glass: looks into this restricted incident as an observer",
    ("incident.journal_exported", ""): "exported {rows} lines of the journal",
    ("incident.viewed", ""): "opened this restricted incident",
    ("role.assigned", ""): "made {user} {role}",
    ("role.assigned", "joined"): "joined the team",
    ("role.assigned", "took"): "took command",
    ("role.ended", ""): "ended the role of {user} as {role}",
    ("ticket.added", ""): "added {target}",
    ("ticket.edited", ""): "changed {changed} of {target}",
    ("ticket.assigned", ""): "gave {target} to {assignee}",
    ("ticket.assigned", "taken"): "took over {target} from {user}",
    ("ticket.status_changed", ""): "set {target} to {to}",
    ("ticket.status_changed", "lead"): "set {target} to {to}, and the lead is resolved: {result}",
    ("ticket.lead_marked", ""): "marked {target} as a lead",
    ("ticket.lead_marked", "off"): "said that {target} is no lead",
    ("ticket.lead_marked", "changed"): "changed {changed} of the lead {target}",
    ("ticket.lead_resolved", ""): "resolved the lead {target}: {result}",
    ("ticket.headlined", ""): "wrote the headline of {target}",
    ("ticket.clock_changed", ""): "noted that {target} {clock}",
    ("ticket.clocks_wound", ""): "set the clocks of {counted} anew",
    ("ticket.restated", ""): "replaced the {field} “{old_name}” by “{new_name}” ({counted})",
    ("ticket.urgency_followed", ""): "brought {counted} up to the urgency of the priority “{named}”",
    ("ticket.deleted", ""): "deleted {target} for good ({counted})",
    ("ticket.moved", ""): "moved {target} below {parent}",
    ("ticket.tagged", ""): "changed the tags of {target} from {old} to {new}",
    ("tickets.exported", ""): "exported {rows} row(s) of the table of tickets",
    ("tickets.planted", ""): "added {counted} below {parent} from text",
    ("tickets.uprooted", ""): "took back that {counted} were added from text",
    ("tickets.changed", ""): "changed {what} of {counted} at once",
    ("tickets.moved", ""): "moved {counted} below {parent} at once",
    ("tickets.dropped", ""): "dropped {branches} at once",
    ("tickets.change_undone", ""): "took back what was done to {counted} at once",
    ("ticket.branch_dropped", ""): "dropped the branch {target} ({counted})",
    ("ticket.all_dropped", ""): "dropped all open tickets ({tickets})",
    ("ticket.branch_restored", ""): "took back that the branch {target} was dropped ({counted})",
    ("ticket.all_restored", ""): "took back that all open tickets were dropped ({tickets})",
    ("handover.offered", ""): "offered {named} to {user}",
    ("handover.accepted", ""): "accepted what {user} offered: {named}",
    ("handover.declined", ""): "declined {named} from {user}",
    ("handover.withdrawn", ""): "took back the offer of {named} to {user}",
    ("shift.handed_over", ""): "wrote a shift handover",
    ("ticket.watched", ""): "watches {target}",
    ("ticket.unwatched", ""): "watches {target} no more",
    ("ticket.blocked", ""): "said that {target} waits for #{by}",
    ("ticket.unblocked", ""): "said that {target} need not wait for #{by}",
    ("time.logged", ""): "noted {minutes} minutes on #{ticket}",
    ("time.taken_back", ""): "took back {minutes} minutes on #{ticket}",
    ("comment.added", "incident"): "commented on the incident",
    ("comment.edited", "incident"): "edited a comment on the incident",
    ("file.attached", "incident"): "attached {target} to the incident",
    ("file.viewed", ""): "looked at {target} of #{ticket}",
    ("comment.added", ""): "commented on #{ticket}",
    ("comment.edited", ""): "edited a comment on #{ticket}",
    ("comment.chosen", ""): "chose a comment on #{ticket} for the report, or took it out",
    ("file.attached", ""): "attached {target} to #{ticket}",
    ("file.downloaded", ""): "downloaded {target} from #{ticket}",
    ("ticket.announced", ""): "told people of {target}",
    ("automation.set", ""): "gave #{ticket} the automation “{label}”",
    ("automation.removed", ""): "took the automation “{label}” from #{ticket}",
    ("automation.asked", ""): "asked for “{label}” of #{ticket}",
    ("automation.approved", ""): "agreed to “{label}” of #{ticket}",
    ("automation.declined", ""): "said no to “{label}” of #{ticket}",
    ("automation.answered", ""): "answered what #{ticket} asked",
    ("automation.cancelled", ""): "cancelled “{label}” of #{ticket}",
    ("automation.waits", "approval"): "waits for somebody who agrees to “{label}”",
    ("automation.waits", "answer"): "asks something, and waits for an answer",
    ("automation.waits", ""): "waits with “{label}” until its time comes",
    ("automation.delayed", ""): "will try “{label}” of #{ticket} again",
    ("automation.done", ""): "carried out “{label}” of #{ticket}",
    ("automation.failed", ""): "could not carry out “{label}” of #{ticket}",
    ("automation.dried", ""): "tried “{label}” of #{ticket} dry",
    ("escalation.fired", ""): "escalated: {condition}, so {what}",
    ("escalation.ended", ""): "noted that it holds no more: {condition}",
    ("alert.updated", ""): "said something else about the alert {target}",
    ("alert.joined", ""): "put {alerts} into this incident",
    ("run.started", ""): "inserted the runbook {runbook}, version {number}",
    ("run.started", "part"): "inserted the runbook {runbook}, version {number}, without {left_out} of its steps",
    ("run.prevented", ""): "could not start by itself: {reason}",
    ("run.finished", ""): "finished the run of {runbook}",
    ("run.resumed", ""): "went on with the run of {runbook}: a step of it is open again",
    ("run.stopped", ""): "stopped the run of {runbook}",
    ("run.brought", ""): "brought the run of {runbook} along with its tickets",
    ("run.suggestion_answered", ""): "answered a suggestion for {runbook}: {answer}",
    ("run.rated", ""): "rated the run of {runbook} {rating} of 5",
    ("automations.planted", ""): "added automations to {counted} from text",
    ("report.requested", ""): "asked for version {version} of the report",
    ("report.made", ""): "made version {version} of the report ({pages} pages)",
    ("report.failed", ""): "could not make version {version} of the report",
    ("report.cancelled", ""): "cancelled version {version} of the report",
    ("report.downloaded", ""): "downloaded version {version} of the report",
}


class _Known(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "something"


def variant(verb: str, data: Mapping[str, Any]) -> str:
    """Which of the sentences of a verb fits."""
    if verb == "automation.waits":
        return str(data.get("waiting", ""))
    if verb == "role.assigned":
        return "joined" if data.get("joined") else "took" if data.get("took") else ""
    if verb == "ticket.assigned":
        return "taken" if data.get("handover") else ""
    if verb in ("comment.added", "comment.edited", "file.attached"):
        return "incident" if data.get("ticket") == ROOT else ""
    if verb in ("incident.status_changed", "incident.closed"):
        return "signed" if data.get("leads_reason") else ""
    if verb == "run.started":
        return "part" if data.get("left_out") else ""
    if verb == "ticket.status_changed" and data.get("disposition"):
        return "lead"
    if verb == "ticket.lead_marked":
        return "off" if not data.get("lead") else "changed" if _was_lead(data) else ""
    return ""


def _was_lead(data: Mapping[str, Any]) -> bool:
    """Whether it was a lead without a result before and after: only its words changed."""
    changes = data.get("changes", {})
    return bool(changes) and not {"lead", "disposition"} & set(changes)


def sentence(verb: str, data: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """What was done, as plain text that follows the actor's name; the verb itself where no sentence is known."""
    template = SENTENCES.get((verb, variant(verb, data)))
    return template.format_map(_Known(words)) if template else verb
