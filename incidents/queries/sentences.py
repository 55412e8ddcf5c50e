"""The journal's verbs in words. {target} is the thing the entry is about; the other names come from its data.

A verb that is missing here is shown as it is. The second part of a key tells variants of one verb apart.
"""

from collections.abc import Mapping
from typing import Any

SENTENCES: dict[tuple[str, str], str] = {
    ("incident.opened", ""): "declared the incident",
    ("incident.edited", ""): "changed {changed}",
    ("incident.restricted", ""): "restricted the incident to its team",
    ("incident.unrestricted", ""): "lifted the restriction",
    ("incident.status_changed", ""): "set the incident to {to}",
    ("incident.closed", ""): "closed the incident ({resolution})",
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
    ("ticket.status_changed", ""): "set {target} to {to}",
    ("ticket.lead_marked", ""): "marked {target} as a lead",
    ("ticket.lead_marked", "off"): "said that {target} is no lead",
    ("ticket.lead_resolved", ""): "resolved the lead {target}: {disposition}",
    ("ticket.moved", ""): "moved {target} below {parent}",
    ("ticket.branch_dropped", ""): "dropped the branch {target} ({tickets} tickets)",
    ("ticket.all_dropped", ""): "dropped all open tickets ({tickets})",
    ("ticket.branch_restored", ""): "took back that the branch {target} was dropped ({tickets} tickets)",
    ("ticket.all_restored", ""): "took back that all open tickets were dropped ({tickets})",
    ("comment.added", ""): "commented on #{ticket}",
    ("comment.edited", ""): "edited a comment on #{ticket}",
    ("comment.chosen", ""): "chose a comment on #{ticket} for the report, or took it out",
    ("file.attached", ""): "attached {target} to #{ticket}",
    ("file.downloaded", ""): "downloaded {target} from #{ticket}",
    ("alert.updated", ""): "said something else about the alert {target}",
    ("alert.joined", ""): "put {count} alert(s) into this incident",
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
    if verb == "role.assigned":
        return "joined" if data.get("joined") else "took" if data.get("took") else ""
    return "off" if verb == "ticket.lead_marked" and not data.get("lead") else ""


def sentence(verb: str, data: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """What was done, as plain text that follows the actor's name; the verb itself where no sentence is known."""
    template = SENTENCES.get((verb, variant(verb, data)))
    return template.format_map(_Known(words)) if template else verb
