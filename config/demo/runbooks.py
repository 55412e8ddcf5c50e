"""Runbooks of the starter library at work: runs, what their tickets do by themselves, and a version to approve.

Automations are carried out here by the engine, as a worker does it: none of what they say is made up. None of them
reaches out.
"""

from collections.abc import Mapping
from typing import Any

from config.demo import texts
from config.demo.scenes import Scene
from core.actors import SYSTEM
from people.models import User
from runbooks import engine
from runbooks.actions import automations, executions
from runbooks.actions.documents import edit_facts
from runbooks.actions.runs import rate_run, settle_runs
from runbooks.actions.starts import run_runbook
from runbooks.actions.versions import edit_draft, submit
from runbooks.models import Automation, Document, Execution, Run
from runbooks.queries.automations import preview, rule_of
from tickets.actions import comments, tickets
from tickets.models import Ticket

HOST = "WS-0161"


def isolate_the_host(scene: Scene) -> None:
    """Half of "Isolate a host": one automation is through, one has failed, one asks; and one waits for who agrees."""
    alice, bob, mallory = (scene.people[name] for name in ("alice", "bob", "mallory"))
    run = start(scene, alice, "isolate-a-host", {"host": HOST}, under="Cobalt Strike beacon on WS-0147")
    owner, cut, proof, traces, users, _ = tickets_of(run)
    assign(alice, mallory, cut, proof)

    give(bob, owner, "ask_human", texts.OWNER, name="owner")
    restate(bob, owner, "doing")
    asked = carry_out(bob, owner)
    scene.clock.skip(14)
    carry_on(executions.answer(actor=mallory, execution=asked, answers=texts.OWNER_SAID))
    restate(bob, owner, "done")

    give(mallory, cut, "http_request", texts.CALL, name="edr")
    restate(mallory, cut, "doing")
    asked = carry_out(mallory, cut)
    scene.clock.skip(6)
    carry_on(executions.approve(actor=alice, execution=asked))
    scene.clock.skip(6)
    comments.add_comment(actor=mallory, ticket=fresh(cut), body=texts.BY_HAND)
    restate(mallory, cut, "done")

    restate(bob, traces, "dropped", reason=texts.NO_TRACES)
    give(mallory, proof, "ask_human", texts.PROOF, name="proof")
    for ticket in (users, proof):
        restate(mallory, ticket, "doing")
    scene.clock.skip(4)
    carry_out(mallory, proof)

    reset = scene.ticket(texts.HANDED_OVER[0])
    give(bob, reset, "wait_for", {"approval": texts.FIRST_RESET}, name="first_reset")
    carry_out(bob, reset)


def reset_an_account(scene: Scene) -> None:
    """A run that is through, and that Alice has not rated yet."""
    alice, mallory = scene.people["alice"], scene.people["mallory"]
    run = start(scene, alice, "reset-a-compromised-account", {"account": "ap.invoices@northbridge.example"})
    finish(scene, run, mallory, skip={6: "The mailbox is closed: suppliers write to a new one."})


def hunt_and_rate(scene: Scene) -> None:
    """A run that was rated, with an idea for the next version."""
    bob = scene.people["bob"]
    run = start(scene, bob, "hunt-for-indicators", {})
    finish(scene, run, bob, skip={5: "Nothing to ask again: the key is revoked everywhere."})
    run = Run.objects.get(pk=run.pk)
    rate_run(
        actor=bob, run=run, version=run.version, rating=4, worked=True, notes="Quick, once the list was written.",
        suggestion=texts.SUGGESTION,
    )  # fmt: skip


AT_WORK = {"reset-a-compromised-account": reset_an_account, "hunt-for-indicators": hunt_and_rate}


def write_the_next_version(people: Mapping[str, User]) -> None:
    """Bob has put his question into the runbook; Alice, whom Dora has named, has to agree."""
    document = Document.objects.get(slug="isolate-a-host")
    fields: dict[str, Any] = {"owner": people["bob"]}
    document = edit_facts(
        actor=people["dora"], document=document, version=document.version, fields=fields, approvers=[people["alice"]]
    )
    body = document.text.body.replace(texts.SECOND_STEP, texts.ASKS_BEFORE_IT + texts.SECOND_STEP)
    draft = edit_draft(actor=people["bob"], document=document, version=None, body=body, change_note=texts.CHANGE_NOTE)
    submit(actor=people["bob"], draft=draft)


# -- How it is told ---------------------------------------------------------------------------------------------------
def start(scene: Scene, actor: User, slug: str, values: dict[str, str], *, under: str = "") -> Run:
    """Somebody inserts a runbook below the ticket of this title, or at the top."""
    scene.clock.skip(4)
    document = Document.objects.get(slug=slug)
    below = scene.numbers[under] if under else None
    return run_runbook(actor=actor, incident=scene.incident, document=document, under=below, values=values)


def finish(scene: Scene, run: Run, worker: User, *, skip: Mapping[int, str]) -> None:
    """Every step is done, its lead confirmed, but for what is skipped, by its number and with the reason."""
    for number, ticket in enumerate(tickets_of(run), 1):
        scene.clock.skip(11)
        if reason := skip.get(number):
            restate(worker, ticket, "dropped", reason=reason)
            continue
        restate(worker, ticket, "doing")
        scene.clock.skip(17)
        restate(worker, ticket, "done", disposition="confirmed" if ticket.lead else "")
    settle_runs(actor=SYSTEM, incident=scene.incident)


def tickets_of(run: Run) -> list[Ticket]:
    """The tickets of its steps, in order."""
    return list(Ticket.objects.filter(steps__run=run).order_by("steps__position"))


def fresh(ticket: Ticket) -> Ticket:
    """The ticket as it is now."""
    return Ticket.objects.get(pk=ticket.pk)


def restate(actor: User, ticket: Ticket, status: str, *, reason: str = "", disposition: str = "") -> None:
    """Somebody says what is happening to a ticket."""
    words = texts.LEAD_RESULT if disposition else ""
    tickets.set_status(
        actor=actor, ticket=fresh(ticket), status=status, reason=reason, disposition=disposition,
        disposition_reason=words,
    )  # fmt: skip


def assign(actor: User, worker: User, *given: Ticket) -> None:
    """Somebody gives tickets to somebody."""
    for ticket in given:
        tickets.assign_ticket(actor=actor, ticket=fresh(ticket), assignee=worker)


def give(actor: User, ticket: Ticket, action: str, parameters: Mapping[str, Any], *, name: str) -> None:
    """Somebody says what a ticket does on a click."""
    fields = {"action": action, "parameters": dict(parameters), "name": name}
    automations.set_automation(actor=actor, ticket=fresh(ticket), version=None, fields=fields)


def carry_out(actor: User, ticket: Ticket) -> Execution:
    """Somebody clicks, and a worker does it to its end, or to where it has to wait."""
    automation = Automation.objects.select_related("ticket", "run").get(ticket=ticket)
    rule, (shown, _) = rule_of(automation), preview(automation)
    return carry_on(executions.ask(actor=actor, automation=automation, needs_approval=rule.needs_approval, shown=shown))


def carry_on(execution: Execution) -> Execution:
    """What a worker does with it now."""
    claimed = Execution.claim(execution.pk)
    if claimed is not None:
        engine.carry_out(claimed)
    return Execution.objects.get(pk=execution.pk)
