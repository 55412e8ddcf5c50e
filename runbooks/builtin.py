"""The actions that come with Treeline. Rooms above and plug-ins add theirs to the same registry."""

import datetime as dt
import json
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from core.text import clean_text
from runbooks import outbound, patience, programs
from runbooks.actions.starts import run_runbook
from runbooks.addresses import is_literal
from runbooks.forms.quick import QuickForm
from runbooks.models import AllowedHost, Document, Run
from runbooks.registry import ActionKind, Answer, Ask, Call, Done, Failed, Parameter, Wait
from runbooks.values import plain, text_of
from tickets.actions.quick import MOST_TITLE, plant_branch
from tickets.actions.tickets import set_status
from tickets.models import Ticket, TicketStatus

MOST_TICKETS = 200
LONGEST_WAIT = dt.timedelta(days=30)
MOST_FIELDS = 20
AGAIN = {408, 425, 429, 500, 502, 503, 504}


def _text(call: Call, name: str) -> str:
    """A parameter as text, empty where it is missing."""
    return text_of(call.parameters.get(name)).strip()


def _line(name: str, text: str, most: int | None = None) -> str:
    """What a form would take as one line: it may come from outside."""
    try:
        return clean_text(text, max_length=most, multiline=False, required=False)
    except ValidationError as refused:
        raise Failed(f"{name}: {' '.join(refused.messages)}") from refused


# -- http_request -----------------------------------------------------------------------------------------------------
def _allowed(host: str, port: int) -> bool:
    return AllowedHost.objects.filter(host__iexact=host, port=port).exists()


def _request(call: Call) -> outbound.Request:
    headers = call.parameters.get("headers") or {}
    body = call.parameters.get("body")
    if not isinstance(headers, dict):
        raise Failed("headers must be a mapping of names and values.")
    named = {str(name): text_of(value) for name, value in headers.items()}
    if isinstance(body, dict | list):
        body = json.dumps(body, ensure_ascii=False)
        named.setdefault("Content-Type", "application/json")
    named.setdefault("Idempotency-Key", call.key)
    private = {name.lower() for name, value in named.items() if any(one.value in value for one in call.hidden)}
    request = outbound.Request(
        method=(_text(call, "method") or "GET").upper(), url=_text(call, "url"), headers=named,
        body=text_of(body).encode(), private=frozenset(private), follow=_follows(call), most_bytes=_most(call),
    )  # fmt: skip
    _require_hosts(call, outbound.check(request).host)
    return request


def _most(call: Call) -> int:
    asked = call.parameters.get("max_kb")
    if asked in (None, ""):
        return outbound.MOST_BYTES
    if type(asked) is not int or not 1 <= asked <= outbound.MOST_BYTES_EVER // 1024:
        raise Failed(f"max_kb is a number from 1 to {outbound.MOST_BYTES_EVER // 1024}.")
    return asked * 1024


def _follows(call: Call) -> bool:
    asked = call.parameters.get("follow_redirects")
    if asked not in (None, "") and not isinstance(asked, bool):
        raise Failed("follow_redirects is true or false.")
    return asked is True


def _require_hosts(call: Call, host: str) -> None:
    for one in call.hidden:
        if not one.hosts & {"*", host}:
            raise Failed(f"The secret {one.name} may not be sent to {host}.")


def _http_request(call: Call) -> Answer:
    try:
        request = _request(call)
        answer = outbound.fetch(request, _allowed, call.log)
    except outbound.Refused as refused:
        raise Failed(str(refused)) from refused
    except outbound.Unreachable as problem:
        raise Failed(str(problem), again=True) from problem
    if not 200 <= answer.status < 300:
        raise Failed(
            f"The other side answered {answer.status}.", again=answer.status in AGAIN,
            after=patience.asked(answer.headers.get("retry-after", "")),
        )  # fmt: skip
    text = answer.body.decode("utf-8", "replace")
    output = {"status": answer.status, "type": answer.headers.get("content-type", ""), "text": text}
    try:
        output["body"] = plain(json.loads(text))
    except (ValueError, RecursionError):
        output["body"] = None
    return Done(output, outcome=f"answered {answer.status} ({len(answer.body)} bytes)")


def _http_dry(call: Call) -> str:
    try:
        request = _request(call)
        target = outbound.parse(request.url)
        outbound.check_port(target, _allowed)
        if is_literal(target.host):  # a name is not looked up: that alone would tell somebody outside
            outbound.resolve(target, _allowed, outbound.SECONDS)
    except (outbound.Refused, outbound.Unreachable) as problem:
        raise Failed(str(problem)) from problem
    return f"Would send {request.method} to {target.host}:{target.port}, with {len(request.body)} bytes."


HTTP_REQUEST = ActionKind(
    "http_request", "HTTP request", _http_request, _http_dry, icon="globe", outward=True, dangerous=True,
    checks_hosts=True, help="Calls an address and keeps the answer: .status, .text, and .body where it is JSON.",
    parameters=(
        Parameter("url", label="Address", required=True),
        Parameter("method", "choice", "Method", default="GET", choices=tuple((one, one) for one in outbound.METHODS)),
        Parameter("headers", "mapping", "Headers", help="On each line name: value; {{ secrets.name }} is possible."),
        Parameter("body", "long", "Body"),
        Parameter(
            "follow_redirects", "flag", "Follow redirects",
            help=f"At most {outbound.MOST_REDIRECTS}, of GET and HEAD, each looked at as the first address is; "
                 "secrets are not taken along to another host.",
        ),
        Parameter("max_kb", "number", "Largest answer in kB", help="64 unless you say more; at most 1024."),
    ),
)  # fmt: skip


# -- Tickets ----------------------------------------------------------------------------------------------------------
def _sprouts(call: Call) -> QuickForm:
    form = QuickForm({"text": text_of(call.parameters.get("tasks")), "parent": f"#{call.ticket.number}"},
                     incident=call.incident, filled=True)  # fmt: skip
    if not form.is_valid():
        first = form.problems[0] if form.problems else None
        raise Failed(f"Line {first.line}: {first.message}" if first else "The tasks do not read well.")
    if len(form.seeds) > MOST_TICKETS:
        raise Failed(f"At most {MOST_TICKETS} tickets are made at once.")
    return form


def _create_tickets(call: Call) -> Answer:
    sprouts = [seed.sprout for seed in _sprouts(call).seeds]
    made = plant_branch(actor=call.actor, incident=call.incident, parent=call.ticket.number, sprouts=sprouts)
    numbers = [one.number for one in made]
    named = ", ".join(f"#{number}" for number in numbers[:10]) + (" …" if len(numbers) > 10 else "")
    return Done({"tickets": numbers}, outcome=f"added {named}")


def _create_dry(call: Call) -> str:
    titles = [seed.sprout.title for seed in _sprouts(call).seeds]
    return f"Would add {len(titles)} below #{call.ticket.number}: {', '.join(titles[:10])}"


CREATE_TICKETS = ActionKind(
    "create_tickets", "Create tickets", _create_tickets, _create_dry, icon="list-plus", inside=True,
    help="Adds tickets below this one, written as task lines: - [ ] Title @name !2h",
    parameters=(
        Parameter(
            "tasks", "long", "Tasks", required=True, task_lines=True,
            help="What a value says is text: it makes no tickets, and gives them to nobody.",
        ),
    ),
)  # fmt: skip


def _status(call: Call) -> tuple[Ticket, TicketStatus, dict[str, Any]]:
    digits = str(call.parameters.get("ticket") or call.ticket.number).lstrip("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Failed("ticket is the number of a ticket of this incident.")
    found = Ticket.objects.without_root().filter(incident=call.incident, number=int(digits)).first()
    status = TicketStatus.objects.filter(code=_text(call, "status"), active=True).first()
    if found is None:
        raise Failed(f"There is no #{digits} in this incident.")
    if status is None:
        raise Failed(f"There is no status with the code {_text(call, 'status')[:40] or '(empty)'}.")
    words = {name: _line(name, _text(call, name)[:300]) for name in ("reason", "waiting_for", "disposition")}
    return found, status, {**words, "disposition_reason": words["reason"] if words["disposition"] else ""}


def _set_status(call: Call) -> Answer:
    found, status, words = _status(call)
    words["waiting_for"] = words["waiting_for"][:80]
    set_status(actor=call.actor, ticket=found, status=status.code, **words)
    return Done({"ticket": found.number, "status": status.code}, outcome=f"set #{found.number} to {status.name}")


def _status_dry(call: Call) -> str:
    found, status, _ = _status(call)
    return f"Would set {found} from {found.status_words} to {status.name}."


SET_STATUS = ActionKind(
    "set_status", "Set a status", _set_status, _status_dry, icon="circle-check", inside=True,
    help="Sets the status of this ticket, or of another one of the incident.",
    parameters=(
        Parameter("status", label="Status", required=True, help="Its code: open, doing, waiting, done, dropped …"),
        Parameter("ticket", label="Ticket", help="A number; empty for this one."),
        Parameter("reason", label="Reason", help="Needed to drop a ticket."),
        Parameter("waiting_for", label="Waiting for"),
        Parameter("disposition", label="Result of a lead", help="confirmed, ruled_out, dead_end or parked"),
    ),
)  # fmt: skip


# -- Waiting and asking -----------------------------------------------------------------------------------------------
def _until(call: Call) -> dt.datetime | None:
    minutes, until = call.parameters.get("minutes"), _text(call, "until")
    found = None
    if minutes not in (None, ""):
        if isinstance(minutes, bool) or not isinstance(minutes, int | float) or minutes < 0:
            raise Failed("minutes is a number.")
        found = call.since + dt.timedelta(minutes=min(float(minutes), 10**6))
    elif until:
        try:
            found = parse_datetime(until)
        except ValueError:
            found = None
        if found is None:
            raise Failed("until is a time like 2026-11-20T18:00Z.")
        found = found if timezone.is_aware(found) else found.replace(tzinfo=dt.UTC)
    if found is not None and found > call.since + LONGEST_WAIT:
        raise Failed(f"Nothing waits longer than {LONGEST_WAIT.days} days.")
    return found


def _wait_for(call: Call) -> Answer:
    until, approval = _until(call), _text(call, "approval")
    if until is None and not approval:
        raise Failed("Say how long to wait (minutes, until), or for whose approval (approval).")
    if until is not None and until > timezone.now():
        return Wait(until=until)
    if approval and not call.approved_by:
        return Wait(approval=approval)
    return Done(
        {"approved_by": call.approved_by}, f"approved by {call.approved_by}" if approval else "the wait is over"
    )


def _wait_dry(call: Call) -> str:
    until, approval = _until(call), _text(call, "approval")
    parts = [f"until {until:%Y-%m-%d %H:%M} UTC"] if until else []
    return "Would wait " + " and then ".join([*parts, *([f"for an approval: {approval}"] if approval else [])])


WAIT_FOR = ActionKind(
    "wait_for", "Wait", _wait_for, _wait_dry, icon="hourglass", inside=True,
    help="Waits for a time, for the approval of somebody who leads, or for both.",
    parameters=(
        Parameter("minutes", "number", "Minutes"),
        Parameter("until", label="Until", help="2026-11-20T18:00Z"),
        Parameter("approval", label="Approval of what", help="The question that somebody who leads is asked."),
    ),
)  # fmt: skip


KINDS_OF_FIELDS: dict[str, Any] = {kind: kind for kind in ("text", "long", "number", "flag", "choice")}


def _fields(call: Call) -> tuple[Parameter, ...]:
    given = call.parameters.get("fields")
    if isinstance(given, dict):
        given = [{"name": name, "label": label} for name, label in given.items()]
    if not isinstance(given, list) or not 0 < len(given) <= MOST_FIELDS:
        raise Failed(f"fields is a list of at most {MOST_FIELDS} fields, each with a name.")
    found: list[Parameter] = []
    for one in given:
        one = {"name": one} if isinstance(one, str) else one  # noqa: PLW2901 - a name alone is the short form
        name = str(one.get("name", "")) if isinstance(one, dict) else ""
        if not name.isidentifier() or name.startswith("_") or len(name) > 40:
            raise Failed("Each field has a name of letters, digits and _.")
        kind, choices = KINDS_OF_FIELDS.get(str(one.get("kind", "text"))), one.get("choices") or []
        if kind is None or not isinstance(choices, list):
            raise Failed(f"The field {name} is of a kind that a form does not have: text, long, number, flag, choice.")
        if len({name, *(other.name for other in found)}) == len(found):
            raise Failed(f"There are two fields named {name}.")
        pairs = tuple((text_of(choice)[:200], text_of(choice)[:200]) for choice in choices[:50])
        label = text_of(one.get("label"))[:200] or name.replace("_", " ").capitalize()
        found.append(
            Parameter(name, "choice" if pairs else kind, label, bool(one.get("required", True)), choices=pairs)
        )
    return tuple(found)


def _ask_human(call: Call) -> Answer:
    fields = _fields(call)
    if not call.answers:
        return Ask(_text(call, "text")[:2000], fields)
    said = "; ".join(f"{one.label}: {text_of(call.answers.get(one.name))[:200]}" for one in fields)
    return Done(dict(call.answers), outcome=f"{call.answered_by} answered: {said}")


def _ask_dry(call: Call) -> str:
    return f"Would ask “{_text(call, 'text')[:300]}”: {', '.join(one.label for one in _fields(call))}"


ASK_HUMAN = ActionKind(
    "ask_human", "Ask somebody", _ask_human, _ask_dry, icon="message-circle-question", inside=True,
    help="Shows a form on the ticket; what is answered is for later steps.",
    parameters=(
        Parameter("text", "long", "Question", required=True),
        Parameter("fields", "list", "Fields", required=True, help="One name on each line."),
    ),
)  # fmt: skip


# -- Scripts and runbooks ---------------------------------------------------------------------------------------------
def _given(call: Call) -> dict[str, Any]:
    return {
        "input": call.parameters.get("input") or {}, "key": call.key, "incident": call.context["incident"],
        "ticket": call.context["ticket"],
    }  # fmt: skip


def _script(call: Call) -> Answer:
    try:
        ran = programs.run(settings.SCRIPTS_DIR, _text(call, "name"), _given(call))
    except programs.ProgramFailed as failed:
        if failed.log:
            call.log(failed.log)
        raise Failed(str(failed)) from failed
    if ran.log:
        call.log(ran.log)
    outcome = ran.output.get("outcome")
    return Done(ran.output, outcome=outcome if isinstance(outcome, str) else f"{_text(call, 'name')} has answered")


def _script_dry(call: Call) -> str:
    try:
        return f"Would run {programs.program(settings.SCRIPTS_DIR, _text(call, 'name')).name}."
    except programs.ProgramFailed as failed:
        raise Failed(str(failed)) from failed


SCRIPT = ActionKind(
    "script", "Script or analyzer", _script, _script_dry, icon="terminal", outward=True, dangerous=True,
    help="Runs a program that an admin has put into the folder of scripts: JSON in, JSON out.",
    parameters=(
        Parameter("name", label="Name", required=True, help="As the file is called."),
        Parameter("input", "mapping", "Input", help="One on each line: name: value."),
    ),
)  # fmt: skip


def _book(call: Call) -> Document:
    slug = _text(call, "runbook")
    found = Document.objects.in_use().filter(slug=slug, kind="runbook").first()
    if found is None:
        raise Failed(f"There is no runbook named “{slug[:80]}” with a version in force.")
    above = Ticket.objects.filter(tree_id=call.ticket.tree_id, lft__lte=call.ticket.lft, rght__gte=call.ticket.rght)
    if Run.objects.filter(ticket__in=above, of__document=found).exists():
        raise Failed(f"This ticket is part of “{found}” itself: it would start for ever.")
    return found


def _values(call: Call) -> dict[str, str]:
    """They become parts of titles."""
    given = call.parameters.get("values") or {}
    if not isinstance(given, dict):
        raise Failed("values is a mapping of names and values.")
    return {str(name): _line(f"The value {str(name)[:60]}", text_of(one), MOST_TITLE) for name, one in given.items()}


def _run_runbook(call: Call) -> Answer:
    run = run_runbook(
        actor=call.actor, incident=call.incident, document=_book(call), under=call.ticket.number, values=_values(call)
    )
    top = run.ticket.number if run.ticket else None
    return Done({"run": run.pk, "ticket": top}, outcome=f"started “{run.of.document}” as #{top}")


def _run_dry(call: Call) -> str:
    book = _book(call)
    _values(call)
    return f"Would start “{book}” below #{call.ticket.number}."


RUN_RUNBOOK = ActionKind(
    "run_runbook", "Start a runbook", _run_runbook, _run_dry, icon="book-open", inside=True,
    help="Puts the steps of a runbook below this ticket.",
    parameters=(
        Parameter("runbook", label="Runbook", required=True, help="Its name in addresses, like isolate-a-host."),
        Parameter("values", "mapping", "Values", help="One on each line: name: value."),
    ),
)  # fmt: skip

KINDS = (HTTP_REQUEST, CREATE_TICKETS, RUN_RUNBOOK, SET_STATUS, WAIT_FOR, ASK_HUMAN, SCRIPT)
