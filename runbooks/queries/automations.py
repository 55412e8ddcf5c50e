"""What automations see, what pages show of them, and what sets them off."""

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from core.access import granted
from core.models import JournalEntry
from core.models.work import WorkState
from incidents.models import Incident, IncidentGrant
from people.models import User
from people.sealed import unseal
from runbooks.expressions import SECRETS, fill, holds, secrets_in
from runbooks.filled_lines import filled_lines
from runbooks.models import ActionSwitch, Automation, Execution, Secret, Waiting
from runbooks.registry import ACTIONS, ActionKind, Hidden, label_of
from runbooks.tasklines.automation import strings_of
from runbooks.values import ExpressionError, plain, text_of
from tickets.models import ENDED, Category, Ticket

DOTS = "••••••"
PURPOSE = "automation.secret"
MOST_SHOWN = 5  # on one page
MOST_STEPS = 500
_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_STEP = re.compile(r"""\bsteps\b(?:\s*\.\s*(\w+)|\s*\[\s*["'](\w+)["']\s*\])?""")


# -- What templates and conditions see --------------------------------------------------------------------------------
def incident_values(incident: Incident) -> dict[str, Any]:
    """The incident, in the names of the API; two queries."""
    return {
        "number": incident.number, "title": incident.title, "severity": incident.severity, "type": incident.type,
        "status": incident.status, "affectedUsers": incident.affected_users, "dataTypes": incident.data_types,
        "affectedSystems": incident.affected_systems, "affectedServices": incident.affected_services,
        "tlp": incident.tlp,
        "tags": sorted(incident.tags.values_list("name", flat=True)), "restricted": incident.restricted,
        "customer": incident.customer.name if incident.customer else None,
        "commander": str(incident.commander) if incident.commander else None,
        "url": settings.BASE_URL + incident.get_absolute_url(),
    }  # fmt: skip


def ticket_values(ticket: Ticket) -> dict[str, Any]:
    """The ticket; three queries, none where its incident, assignee and tags are there already."""
    return {
        "number": ticket.number, "title": ticket.title, "status": ticket.status, "category": ticket.category,
        "priority": ticket.priority, "lead": ticket.lead, "outcome": ticket.outcome,
        "assignee": str(ticket.assignee) if ticket.assignee else None,
        "tags": sorted(tag.name for tag in ticket.tags.all()),
        "url": settings.BASE_URL + ticket.get_absolute_url(),
    }  # fmt: skip


def outputs(incident: int, runs: Iterable[int | None], names: Iterable[str] = ()) -> dict[int | None, dict[str, Any]]:
    """What steps gave, by their run (None: those without one) and their names; the newest counts. One query.

    `names`: only steps that are called so.
    """
    rows = Execution.objects.filter(state=WorkState.DONE, dry=False, automation__ticket__incident=incident)
    keys = set(runs)
    of = Q(automation__run__in=keys - {None})
    rows = rows.filter(of | Q(automation__run=None) if None in keys else of).exclude(automation__name="")
    if wanted := sorted(set(names)):
        rows = rows.filter(automation__name__in=wanted[:MOST_STEPS])
    newest = rows.order_by().values("automation__run", "automation__name").annotate(last=Max("pk")).values("last")
    found: dict[int | None, dict[str, Any]] = defaultdict(dict)
    kept = Execution.objects.filter(pk__in=newest).values_list("automation__run", "automation__name", "output")
    for run, name, output in kept.order_by("-pk")[:MOST_STEPS]:
        found[run][name] = output
    return found


def _expressions(automation: Automation) -> Iterator[str]:
    """What its condition and its templates say."""
    yield automation.condition
    for text in strings_of(automation.parameters):
        yield from _BRACES.findall(text[: text.rfind("}}") + 2])  # what is never closed is not looked for at each {{


def _steps_named(texts: Iterable[str]) -> set[str]:
    """The steps that these expressions name; an empty name where they mean all of them."""
    return {found[1] or found[2] or "" for text in texts for found in _STEP.finditer(text)}


def context_of(automation: Automation) -> dict[str, Any]:
    """All that templates and conditions of this automation see, but secrets. Of steps, those that they name: what
    others gave may be more than one context holds, and is not their business.
    """
    incident, run = automation.ticket.incident, automation.run_id
    names = _steps_named(_expressions(automation))
    steps = outputs(incident.pk, [run], () if "" in names else names)[run] if names else {}
    return _context(automation, incident_values(incident), steps)


def _context(automation: Automation, incident: dict[str, Any], steps: dict[str, Any]) -> dict[str, Any]:
    """The run's values do not hide our names."""
    values = automation.run.values if automation.run else {}
    return {**incident, **values, "incident": incident, "ticket": ticket_values(automation.ticket), "steps": steps}


# -- Parameters with their values -------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Prepared:
    """Parameters as the action gets them, the same as people may see them, and the secrets that make the difference."""

    parameters: dict[str, Any]
    shown: dict[str, Any]
    context: Mapping[str, Any]
    hidden: tuple[Hidden, ...] = ()


def prepared(automation: Automation, kind: ActionKind) -> Prepared:
    """Fill the parameters.

    Raises:
        ExpressionError: a template is not allowed, a value or a secret is missing.
    """
    context = plain(context_of(automation))
    names = secrets_in(automation.parameters)
    if names and not kind.outward:
        raise ExpressionError("Secrets are only for actions that reach out of Treeline.")
    shown = _filled(automation, kind, {**context, SECRETS: dict.fromkeys(names, DOTS)})
    if not names:
        return Prepared(shown, shown, context)
    hidden = hidden_of(names)
    if not kind.checks_hosts and (bound := [one.name for one in hidden if "*" not in one.hosts]):
        raise ExpressionError(f"The secret {bound[0]} is for certain hosts, and {kind.name} cannot tell where it goes.")
    values = {one.name: one.value for one in hidden}
    return Prepared(_filled(automation, kind, {**context, SECRETS: values}), shown, context, hidden)


def _filled(automation: Automation, kind: ActionKind, context: Mapping[str, Any]) -> dict[str, Any]:
    given = automation.parameters
    lines = {one.name: filled_lines(given[one.name], context) for one in kind.parameters
             if one.task_lines and given.get(one.name)}  # fmt: skip
    others = fill({name: value for name, value in given.items() if name not in lines}, context)
    return {name: lines[name] if name in lines else others[name] for name in given}


def hidden_of(names: set[str]) -> tuple[Hidden, ...]:
    """The secrets of these names.

    Raises:
        ExpressionError: there is none of a name, or it cannot be opened any more.
    """
    rows = {row.name: row for row in Secret.objects.filter(name__in=names)}
    found = []
    for name in sorted(names):
        value = unseal(rows[name].sealed, purpose=PURPOSE) if name in rows else ""
        if not value:
            raise ExpressionError(f"There is no secret named {name}, or it cannot be opened: an admin has to write it.")
        hosts = frozenset(one.strip().lower() for one in rows[name].hosts.split(",") if one.strip())
        found.append(Hidden(name, value, hosts))
    return tuple(found)


def preview(automation: Automation) -> tuple[dict[str, Any], str]:
    """The parameters as people may see them, or why they cannot be worked out."""
    kind = ACTIONS.get(automation.action)
    if kind is None:
        return {}, f"There is no action named {automation.action}."
    try:
        return prepared(automation, kind).shown, ""
    except ExpressionError as problem:
        return {}, str(problem)


# -- Who may what -----------------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Rule:
    """What holds for an action here and now: whether it may run, and whether somebody has to agree first."""

    kind: ActionKind | None
    is_on: bool
    needs_approval: bool


def rule_of(automation: Automation) -> Rule:
    """One query."""
    kind = ACTIONS.get(automation.action)
    if kind is None:
        return Rule(None, is_on=False, needs_approval=False)  # it fails, and says why
    switch = ActionSwitch.objects.filter(action=kind.name).first()
    return Rule(
        kind,
        is_on=not kind.outward or bool(switch and switch.enabled),
        needs_approval=automation.needs_approval or (switch.needs_approval if switch else kind.dangerous),
    )


def waiting_for(user: User) -> QuerySet[Execution]:
    """What waits for this person: to agree where they lead, to answer where they work. What waits longest first."""
    open_ones = Incident.objects.visible_to(user).open()
    rows = Execution.objects.filter(state=WorkState.QUEUED, automation__ticket__incident__in=open_ones)
    others = IncidentGrant.objects.filter(
        content_object=OuterRef("automation__ticket__incident"), permission__codename="lead", user__is_active=True
    ).exclude(user=user)
    agree = Q(waiting=Waiting.APPROVAL, automation__ticket__incident__in=granted(user, Incident, "lead"))
    agree &= ~Q(requester=user.pk) | Q(~Exists(others))
    answer = Q(waiting=Waiting.ANSWER, automation__ticket__incident__in=granted(user, Incident, "work"))
    history: Any = Automation.history
    wrote = history.filter(id=OuterRef("automation"), history_user_id__isnull=False).order_by("-history_id")
    wrote = Subquery(wrote.values("history_user_id")[:1])
    rows = rows.annotate(requester=Coalesce("asked_by_id", wrote, Value(0))).filter(agree | answer)
    rows = rows.select_related("automation__ticket__incident", "asked_by")
    return rows.defer("log", "input", "output").order_by("pk")


# -- For pages --------------------------------------------------------------------------------------------------------
def automation_of(ticket: Ticket) -> Automation | None:
    """The automation of the ticket."""
    return Automation.objects.select_related("run__of__document").filter(ticket=ticket).first()


def last_set(automation: Automation) -> tuple[str, dt.datetime | None]:
    """Who wrote what it does, and when."""
    rows = JournalEntry.objects.filter(target_type=Automation._meta.label, target_id=str(automation.pk))
    found = rows.filter(verb="automation.set").order_by("-id").values_list("actor_name", "at").first()
    return (found[0].split(" <")[0], found[1]) if found else ("", None)


def executions_of(automation: Automation) -> QuerySet[Execution]:
    """Those that are over, newest first."""
    over = automation.executions.exclude(state__in=[WorkState.QUEUED, WorkState.RUNNING])
    return over.select_related("asked_by", "approved_by", "answered_by").order_by("-pk")


def read(execution: Execution, automation: Automation) -> Execution:
    """With what went in (`given`) and what came out (`gave`) in words; what it asks stands above that already."""
    question = str(execution.question.get("text") or "")
    execution.given = in_words(ACTIONS.get(automation.action), execution.input, but=question)  # type: ignore[attr-defined]
    execution.gave = in_words(None, execution.output)  # type: ignore[attr-defined]
    return execution


def pending_of(automation: Automation) -> Execution | None:
    """The one that waits or runs."""
    rows = automation.executions.select_related("asked_by")
    found = rows.filter(state__in=[WorkState.QUEUED, WorkState.RUNNING]).first()
    return found and read(found, automation)


def of_incident(incident: Incident) -> QuerySet[Automation]:
    """Those of the incident in tree order, each with the key of its newest execution."""
    rows = Automation.objects.filter(ticket__incident=incident).select_related("ticket").order_by("ticket__lft")
    newest = Execution.objects.filter(automation=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    return rows.annotate(newest=Subquery(newest))


def add_last(automations: list[Any]) -> None:
    """Each with `last`, its newest execution, and `label`; they are `of_incident`. One query."""
    shown = Execution.objects.defer("input", "output", "log", "question", "answers")
    last = {one.pk: one for one in shown.filter(pk__in=[one.newest for one in automations if one.newest])}
    for one in automations:
        one.last = last.get(one.newest)
        one.label = label_of(one.action)


@dataclass(frozen=True)
class Shown:
    """One line of what went in or came out: what it is called, and its value in words."""

    name: str
    text: str


def in_words(kind: ActionKind | None, values: Mapping[str, Any], *, but: str = "") -> list[Shown]:
    """Parameters by their labels; what is empty is left out, and what says `but`."""
    labels = {one.name: one.label or one.name for one in kind.parameters} if kind else {}
    found = [Shown(labels.get(name, name), _words(value)) for name, value in values.items()]
    return [one for one in found if one.text and one.text != but]


def _words(value: Any) -> str:
    """Lists of words with commas, where that is unmistakable; what is deeper as JSON."""
    if isinstance(value, list) and all(isinstance(one, str) and one and "," not in one for one in value):
        return ", ".join(value)
    return "" if value is None else text_of(value)


# -- What sets them off -----------------------------------------------------------------------------------------------
def ready(incident: Incident, *, ticket: int | None = None) -> list[Automation]:
    """Those that are to be set off now, in the order they were made; of this `ticket` (its key), or all.

    At most six queries, however many there are: a condition is looked at after every change.
    """
    begun = Q(trigger="start", ticket__category=Category.DOING)
    rows = _unfired(incident).filter(begun | Q(trigger="condition"))
    found = list(rows.filter(ticket=ticket) if ticket is not None else rows)
    if not any(one.condition for one in found):
        return found
    asking = [one for one in found if "steps" in one.condition]
    names = _steps_named(one.condition for one in asking)
    given = outputs(incident.pk, [one.run_id for one in asking], () if "" in names else names) if asking else {}
    values = incident_values(incident)
    return [one for one in found if _is_met(one, values, given.get(one.run_id, {}))]


def _is_met(automation: Automation, incident: dict[str, Any], given: dict[str, Any]) -> bool:
    """Whether its condition holds; one that cannot be read never does, and none always."""
    if not automation.condition:
        return True
    names = _steps_named([automation.condition])
    steps = {name: output for name, output in given.items() if name in names or "" in names}
    try:
        return holds(automation.condition, _context(automation, incident, steps))
    except ExpressionError:
        return False


def _unfired(incident: Incident) -> QuerySet[Automation]:
    rows = Automation.objects.filter(ticket__incident=incident, fired_at=None)
    rows = rows.select_related("ticket__incident", "ticket__assignee", "run").prefetch_related("ticket__tags")
    return rows.exclude(ticket__category__in=ENDED).order_by("pk")
