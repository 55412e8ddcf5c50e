"""Every action of the house, ready to be run: what has to be so before, and then the one call.

    run = SAMPLES["tickets.actions.tickets.move_ticket"](world)   # prepares
    run()                                                         # does it

A new action has no sample, and the tests that go through all of them say so.
"""

import datetime as dt
import importlib
import io
import pkgutil
from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils import timezone

from core.actors import SYSTEM, Machine
from core.files import Kept
from core.models import JournalEntry
from incidents.actions import exports, lifecycle, links, reading, team
from incidents.actions import incidents as incident_actions
from incidents.models import Incident, IncidentLink, Role, RoleAssignment
from intake.actions import imports, triage
from intake.models import Alert, ImportJob
from intake.splitting import split
from people.actions import customers, invitations, logins
from people.actions import people as person_actions
from people.models import Invitation, User
from reporting.actions import reports
from reporting.models import ReportJob
from runbooks.actions import documents, reviews, runs, starts, suggestions, versions
from runbooks.crew import Crew
from runbooks.models import Document, Suggestion, SuggestionState, Version
from runbooks.models import Run as BookRun
from tests.architecture import ROOMS
from tests.runbooks.automation_samples import SAMPLES as AUTOMATIONS
from tests.uploads import kept
from tests.world import EVE_LOG, World
from tickets.actions import (
    attachments,
    blockers,
    bulk,
    clocks,
    comments,
    handovers,
    headlines,
    leads,
    merging,
    purging,
    quick,
    shifts,
    table,
    tags,
    tickets,
    times,
    undo,
    vocabulary,
    watches,
)
from tickets.models import (
    Attachment,
    Blocker,
    Category,
    ClockTarget,
    Comment,
    Handover,
    Ticket,
    TicketPriority,
    TicketStatus,
    TimeEntry,
)

Run = Callable[[], object]
Sample = Callable[[World], Run]


def actions() -> dict[str, Callable[..., Any]]:
    """Every @action, by its full name."""
    found = {}
    for room in ROOMS:
        package = importlib.import_module(f"{room}.actions")
        for info in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            for name, value in vars(module).items():
                if getattr(value, "is_action", False) and value.__module__ == module.__name__:
                    found[f"{module.__name__}.{name}"] = value
    return found


def _ticket(world: World, number: int = 101) -> Ticket:
    return Ticket.objects.get(incident=world.incident, number=number)


def _comment(world: World) -> Comment:
    return Comment.objects.get(pk=world.things[world.incident.pk]["comment"])


def _own(world: World) -> Ticket:
    return tickets.assign_ticket(
        actor=world.people["alice"], ticket=_ticket(world, 102), assignee=world.people["bob"]
    )  # fmt: skip


def _offer(world: World) -> Handover:
    return Handover.objects.get(pk=world.things[world.incident.pk]["handover"])


def _watched(world: World) -> Ticket:
    return watches.watch_ticket(actor=world.people["carol"], ticket=_ticket(world))


def _second(world: World) -> Ticket:
    tickets.add_ticket(actor=world.people["bob"], incident=world.incident, title="Order a cable")
    return _ticket(world, 102)


def _incident(world: World) -> Incident:
    return Incident.objects.get(pk=world.incident.pk)


def _new_alert(world: World) -> Alert:
    return Alert.objects.get(pk=world.things[world.incident.pk]["alert"])


def _dismissed(world: World) -> Alert:
    alert = _new_alert(world)
    triage.dismiss_alert(actor=world.people["bob"], alert=alert, reason="A test")
    return alert


def _upload(text: str = "") -> Kept:
    return kept("eve.json", (text or EVE_LOG.format(n=7)).encode())


def _queued_import(world: World) -> ImportJob:
    return imports.request_import(actor=world.people["bob"], file=_upload(), name="eve.json")


def _running_import(world: World) -> ImportJob:
    job = ImportJob.claim(_queued_import(world).pk)
    assert job is not None
    return job


def _batch(world: World) -> Run:
    job = _running_import(world)
    text = EVE_LOG.format(n=7).replace('"severity":2', '"severity":1') + EVE_LOG.format(n=8) + '{"broken": \n'
    pieces = list(split(io.BytesIO(text.encode())))
    return partial(
        imports.import_batch,
        actor=Machine("source", "import eve.json", job.pk),
        job=job,
        format="suricata",
        pieces=pieces,
    )


def _queued_report(world: World) -> ReportJob:
    return reports.request_report(actor=world.people["alice"], incident=world.incident)


def _running_report(world: World) -> ReportJob:
    job = ReportJob.claim(_queued_report(world).pk)
    assert job is not None
    return job


def _keep_report(world: World) -> Run:
    made = reports.Made(content=b"%PDF-1.7", pages=1, head=(1, "0" * 64), as_of=timezone.now())
    return partial(reports.keep_report, actor=SYSTEM, job=_running_report(world), made=made)


def _report(world: World) -> ReportJob:
    return ReportJob.objects.get(uuid=world.things[world.incident.pk]["reporting.job"])


def _post_mortem(world: World) -> Incident:
    fields = {"root_cause": "A macro", "lessons_learned": "Block macros"}
    found = _incident(world)
    return incident_actions.edit_incident(
        actor=world.people["alice"], incident=found, version=found.version, fields=fields
    )


def _without_commander(world: World) -> Incident:
    return incident_actions.open_incident(actor=SYSTEM, title="From a tool", reporter=None, assessed=False)


def _disabled(world: World) -> User:
    return person_actions.disable(actor=world.people["admin"], person=world.people["mallory"])


def _accept(world: World) -> Run:
    _, token = invitations.invite(
        actor=world.people["admin"], email="hal@demo.example", name="Hal", groups=["Responder"]
    )
    return partial(
        invitations.accept, actor=Machine("invitation", "Invitation of hal@demo.example"), token=token, username="hal",
        name="Hal Example", password="correct horse battery",
    )  # fmt: skip


def _undo(world: World) -> Run:
    ticket = tickets.set_status(actor=world.people["bob"], ticket=_ticket(world, 102), status="doing")
    entry = JournalEntry.objects.get(target_id=str(ticket.pk), verb="ticket.status_changed")
    return partial(undo.undo_change, actor=world.people["bob"], ticket=ticket, entry=entry)


def _undo_all(world: World) -> Run:
    tickets.drop_open_tickets(actor=world.people["alice"], incident=world.incident, reason="False alarm.")
    entry = JournalEntry.objects.get(stream=world.incident.journal_stream, verb="ticket.all_dropped")
    return partial(undo.undo_drop_all, actor=world.people["alice"], incident=world.incident, entry=entry)


SPROUTS = [
    quick.Sprout(depth=1, title="Ask the bank", tags=("bank",)), quick.Sprout(depth=2, title="Call them", done=True),
    quick.Sprout(depth=2, title="Write to them", lead=True, minutes=30, description="By **letter**."),
]  # fmt: skip


def _uproot(world: World) -> Run:
    quick.plant_branch(actor=world.people["bob"], incident=world.incident, parent=101, sprouts=SPROUTS)
    entry = JournalEntry.objects.filter(stream=world.incident.journal_stream, verb="tickets.planted").latest("seq")
    return partial(undo.uproot, actor=world.people["bob"], incident=world.incident, entry=entry)


def _undo_batch(world: World) -> Run:
    fields = {"priority": "low", "assignee": None, "status": "doing", "add_tags": ["disk"]}
    bulk.change_tickets(actor=world.people["bob"], incident=world.incident, numbers=[101, 102], fields=fields)
    entry = JournalEntry.objects.get(stream=world.incident.journal_stream, verb="tickets.changed")
    return partial(undo.undo_batch, actor=world.people["bob"], incident=world.incident, entry=entry)


def _role(world: World, name: str) -> RoleAssignment:
    return RoleAssignment.objects.get(incident=world.incident, user=world.people[name], until=None)


def _by(who: str, function: Callable[..., object], /, **more: Callable[[World], object]) -> Sample:
    """A sample that needs nothing but its arguments, each made from the world."""
    return lambda world: partial(function, actor=world.people[who], **{key: make(world) for key, make in more.items()})


def _is(value: object) -> Callable[[World], object]:
    return lambda world: value


def _person(name: str) -> Callable[[World], object]:
    return lambda world: world.people[name]


def _overdue(world: World) -> Run:
    past = timezone.now() - dt.timedelta(hours=1)
    Ticket.objects.filter(pk=_ticket(world).pk).update(clock_state="on_track", risk_at=past, clock_at=past)
    return partial(clocks.turn_clocks, actor=SYSTEM, incident=world.incident)


def _new_targets(world: World) -> Run:
    ClockTarget.objects.update(start_minutes=1, finish_minutes=2)
    return partial(clocks.wind_clocks, actor=SYSTEM, incident=world.incident, reason="The targets are new.")


def _status(code: str, name: str) -> TicketStatus:
    return TicketStatus.objects.get_or_create(code=code, defaults={"name": name, "category": Category.DOING})[0]


def _priority(code: str, name: str) -> TicketPriority:
    return TicketPriority.objects.get_or_create(code=code, defaults={"name": name, "urgency": 50})[0]


def _restate(world: World) -> Run:
    old, by = _status("review", "In review"), _status("doing", "In progress")
    tickets.set_status(actor=world.people["bob"], ticket=_ticket(world), status=old.code)
    return partial(
        vocabulary.restate_tickets, actor=world.people["admin"], incident=world.incident, old=old, by=by
    )  # fmt: skip


def _prioritise(world: World) -> Run:
    old, by = TicketPriority.objects.get(code="normal"), _priority("burning", "Burning")
    return partial(
        vocabulary.prioritise_tickets, actor=world.people["admin"], incident=world.incident, old=old, by=by
    )  # fmt: skip


def _urgency(world: World) -> Run:
    priority = TicketPriority.objects.get(code="normal")
    Ticket.objects.filter(priority=priority.code).update(urgency=1)
    return partial(vocabulary.follow_urgency, actor=SYSTEM, incident=world.incident, priority=priority)


def _runbook(world: World) -> Document:
    body = "Ask.\n\n- [ ] Isolate {{ host }} @bob #host\n  ```action\n  note: {text: hello}\n  ```\n- [ ] Tell them\n"
    document, _ = Document.objects.get_or_create(
        slug="sample-isolation", defaults={"kind": "runbook", "title": "Isolate a host"}
    )
    if document.active is None:
        document.active = Version.objects.create(document=document, number=1, body=body, state="active")
        document.save()
    return document


def _sow(world: World) -> Run:
    start = starts.prepared(_runbook(world), {"host": "DC01"})
    seeds = starts.seeds_of(start, Crew({}, {}))
    return partial(starts.sow, actor=world.people["bob"], incident=world.incident, parent=101, seeds=seeds)


STEPS = "# What to do\n\n- [ ] Isolate {{ host }} !2h #lead\n  See [[reset-a-password]].\n"


def _draft(world: World) -> Version:
    return documents.write_document(
        actor=world.people["alice"], kind="runbook", slug="isolate", title="Isolate a host", body=STEPS
    )


def _submitted(world: World) -> Version:
    return versions.submit(actor=world.people["alice"], draft=_draft(world))


def _approved(world: World) -> Version:
    return versions.approve(
        actor=world.people["dora"], draft=_submitted(world), comment="Tried it out.", activate=False
    )


def _document(world: World) -> Document:
    return versions.activate(actor=world.people["alice"], draft=_approved(world)).document


def _archived(world: World) -> Document:
    return documents.archive_document(actor=world.people["alice"], document=_document(world), reason="Nobody uses it.")


def _edit_facts(world: World) -> Run:
    found = _document(world)
    return partial(
        documents.edit_facts, actor=world.people["alice"], document=found, version=found.version,
        fields={"title": "Isolate it", "review_cycle": "monthly"}, tags=["network"], related=[found],
        approvers=[world.people["dora"]],
    )  # fmt: skip


def _next_draft(world: World) -> Run:
    return partial(
        versions.edit_draft, actor=world.people["bob"], document=_document(world), version=None, body=f"{STEPS}- [ ] b",
        change_note="One step more",
    )  # fmt: skip


def _next_in_force(world: World) -> Run:
    _next_draft(world)()
    draft = versions.submit(actor=world.people["bob"], draft=Version.objects.get(document__slug="isolate", number=2))
    return partial(versions.approve, actor=world.people["dora"], draft=draft, comment="Better.")


def _review_due(world: World) -> Run:
    found = _document(world)
    Document.objects.filter(pk=found.pk).update(review_due=timezone.localdate(), reminded_on=None)
    return partial(reviews.remind_of_review, actor=SYSTEM, document=found)


def _inserted(world: World) -> BookRun:
    return starts.run_runbook(
        actor=world.people["bob"], incident=world.incident, document=_runbook(world), under=101, values={"host": "DC01"}
    )


def _suggested(world: World) -> Suggestion:
    run = _inserted(world)
    runs.rate_run(actor=world.people["bob"], run=run, version=1, rating=4, worked=True, suggestion="Name the switch")
    return run.suggestions.get()


def _settle(world: World) -> Run:
    for ticket in Ticket.objects.filter(steps__run=_inserted(world)):
        tickets.set_status(actor=world.people["bob"], ticket=ticket, status="done")
    return partial(runs.settle_runs, actor=SYSTEM, incident=world.incident)


SAMPLES: dict[str, Sample] = {
    "runbooks.actions.documents.write_document": _by(
        "alice", documents.write_document, kind=_is("procedure"), slug=_is("reset"), title=_is("Reset it"),
        body=_is("See [[isolate]]."), tags=_is(["accounts"]),
        facts=lambda w: {"approvals_needed": 2, "approvers": [w.people["dora"]]},
    ),
    "runbooks.actions.documents.edit_facts": _edit_facts,
    "runbooks.actions.documents.archive_document": _by(
        "alice", documents.archive_document, document=_document, reason=_is("Nobody uses it.")
    ),
    "runbooks.actions.documents.restore_document": _by("alice", documents.restore_document, document=_archived),
    "runbooks.actions.versions.edit_draft": _next_draft,
    "runbooks.actions.versions.submit": _by("alice", versions.submit, draft=_draft),
    "runbooks.actions.versions.withdraw": _by("alice", versions.withdraw, draft=_submitted),
    "runbooks.actions.versions.approve": _next_in_force,
    "runbooks.actions.versions.send_back": _by(
        "dora", versions.send_back, draft=_submitted, comment=_is("Say which hosts.")
    ),
    "runbooks.actions.versions.activate": _by("alice", versions.activate, draft=_approved),
    "runbooks.actions.versions.load_approved": lambda world: partial(
        versions.load_approved, actor=SYSTEM, kind="runbook", slug="phishing", title="Phishing", body=STEPS,
        tags=["mail"],
    ),
    "runbooks.actions.reviews.record_review": _by(
        "carol", reviews.record_review, document=_document, note=_is("All as it was.")
    ),
    "runbooks.actions.reviews.remind_of_review": _review_due,
    "incidents.actions.exports.note_journal_export": _by(
        "alice", exports.note_journal_export, incident=_incident, rows=_is(7), verb=_is(""), who=_is("")
    ),
    "incidents.actions.incidents.open_incident": _by(
        "alice", incident_actions.open_incident, title=_is("Lost laptop"), reporter=_person("bob"),
        commander=_person("alice"), tags=_is(["laptop", "theft"]), summary=_is("A **laptop** is gone."),
    ),
    "incidents.actions.incidents.edit_incident": _by(
        "alice", incident_actions.edit_incident, incident=_incident, version=lambda w: _incident(w).version,
        fields=_is({"title": "Another title", "summary": "More is known."}), tags=_is(["known"]),
    ),
    "incidents.actions.incidents.restrict_incident": _by(
        "alice", incident_actions.restrict_incident, incident=_incident, restricted=_is(True), reason=_is("A person")
    ),
    "incidents.actions.lifecycle.set_status": _by(
        "alice", lifecycle.set_status, incident=_incident, status=_is("analyzing")
    ),
    "incidents.actions.lifecycle.assess_severity": _by(
        "alice", lifecycle.assess_severity, incident=_incident, severity=_is("critical"), reason=_is("The bank")
    ),
    "incidents.actions.lifecycle.approve_post_mortem": _by(
        "alice", lifecycle.approve_post_mortem, incident=_post_mortem
    ),
    "incidents.actions.links.link_incidents": _by(
        "alice", links.link_incidents, source=_incident, target=lambda w: w.other, kind=_is("duplicate_of")
    ),
    "incidents.actions.links.unlink_incidents": _by(
        "alice", links.unlink_incidents,
        link=lambda w: IncidentLink.objects.get(pk=w.things[w.incident.pk]["link"]),
    ),
    "incidents.actions.reading.note_view": _by(
        "bob", reading.note_view, incident=lambda w: w.secret, since=lambda w: timezone.now()
    ),
    "incidents.actions.team.assign_role": _by(  # a commander: the one before becomes a member
        "alice", team.assign_role, incident=_incident, user=_person("bob"), role=_is(Role.COMMANDER)
    ),
    "incidents.actions.team.end_role": _by("alice", team.end_role, assignment=lambda w: _role(w, "bob")),
    "incidents.actions.team.join_incident": _by("mallory", team.join_incident, incident=_incident),
    "incidents.actions.team.take_command": _by("mallory", team.take_command, incident=_without_commander),
    "incidents.actions.team.break_glass": _by(
        "admin", team.break_glass, incident=lambda w: w.secret, reason=_is("A court order")
    ),
    "incidents.actions.team.note_missed_glass": _by(
        "admin", team.note_missed_glass, number=_is("IR-2019-0101-001"), reason=_is("A court order")
    ),
    "tickets.actions.tickets.add_ticket": _by(
        "bob", tickets.add_ticket, incident=_incident, title=_is("Ask the bank"), parent=_is(101)
    ),
    "tickets.actions.tickets.edit_ticket": _by(
        "bob", tickets.edit_ticket, ticket=_ticket, version=lambda w: _ticket(w).version,
        fields=_is({"title": "Image both disks", "description": "Both."}),
    ),
    "tickets.actions.tickets.assign_ticket": _by(
        "alice", tickets.assign_ticket, ticket=_ticket, assignee=_person("alice")
    ),
    "tickets.actions.headlines.set_headline": _by(
        "bob", headlines.set_headline, ticket=_ticket, headline=_is("Nothing left the house"),
        version=lambda w: _ticket(w).version,
    ),
    "tickets.actions.tickets.set_status": _by("bob", tickets.set_status, ticket=_ticket, status=_is("doing")),
    "tickets.actions.leads.mark_lead": _by(
        "bob", leads.mark_lead, ticket=_ticket, lead=_is(True), disposition=_is("confirmed")
    ),
    "tickets.actions.tickets.move_ticket": _by(
        "bob", tickets.move_ticket, ticket=lambda w: _ticket(w, 102), parent=_is(None), before=_is(101)
    ),
    "tickets.actions.tickets.drop_branch": _by(
        "alice", tickets.drop_branch, ticket=_ticket, reason=_is("Not needed")
    ),
    "tickets.actions.tickets.drop_open_tickets": _by(
        "alice", tickets.drop_open_tickets, incident=_incident, reason=_is("All over")
    ),
    "tickets.actions.tags.set_tags": _by("bob", tags.set_tags, ticket=_ticket, tags=_is(["disk", "host"])),
    "tickets.actions.bulk.change_tickets": _by(
        "bob", bulk.change_tickets, incident=_incident, numbers=_is([101, 102]),
        fields=_is({"priority": "low", "assignee": None, "add_tags": ["disk"]}),
    ),
    "tickets.actions.bulk.move_tickets": _by(
        "bob", bulk.move_tickets, incident=_incident, numbers=_is([102]), parent=_is(None), first=_is(True)
    ),
    "tickets.actions.bulk.drop_tickets": _by(
        "alice", bulk.drop_tickets, incident=_incident, numbers=_is([101]), reason=_is("Not needed")
    ),
    "tickets.actions.table.note_table_export": _by(
        "bob", table.note_table_export, incident=_incident, rows=_is(2), asked=_is("sort=-clock")
    ),
    "tickets.actions.quick.plant_branch": _by(
        "bob", quick.plant_branch, incident=_incident, parent=_is(101), sprouts=_is(SPROUTS)
    ),
    "tickets.actions.undo.uproot": _uproot,
    "tickets.actions.undo.undo_batch": _undo_batch,
    "tickets.actions.clocks.turn_clocks": _overdue,
    "tickets.actions.clocks.wind_clocks": _new_targets,
    "tickets.actions.vocabulary.replace_status": _by(
        "admin", vocabulary.replace_status, status=lambda w: _status("review", "In review"),
        by=lambda w: _status("doing", "In progress"),
    ),
    "tickets.actions.vocabulary.replace_priority": _by(
        "admin", vocabulary.replace_priority, priority=lambda w: _priority("burning", "Burning"),
        by=lambda w: _priority("high", "High"),
    ),
    "tickets.actions.vocabulary.restate_tickets": _restate,
    "tickets.actions.vocabulary.prioritise_tickets": _prioritise,
    "tickets.actions.vocabulary.follow_urgency": _urgency,
    "tickets.actions.purging.delete_branch": _by(
        "admin", purging.delete_branch, ticket=_ticket, reason=_is("Order 17")
    ),
    "tickets.actions.undo.undo_change": _undo,
    "tickets.actions.undo.undo_drop_all": _undo_all,
    "tickets.actions.handovers.hand_over": _by(
        "bob", handovers.hand_over, incident=_incident, numbers=lambda w: [_own(w).number], receiver=_person("alice"),
        note=_is("Half is done."),
    ),
    "tickets.actions.handovers.accept_handover": _by("alice", handovers.accept_handover, handover=_offer),
    "tickets.actions.handovers.decline_handover": _by(
        "alice", handovers.decline_handover, handover=_offer, answer=_is("On holiday")
    ),
    "tickets.actions.handovers.withdraw_handover": _by("bob", handovers.withdraw_handover, handover=_offer),
    "tickets.actions.shifts.write_shift": _by(
        "bob", shifts.write_shift, incident=_incident, since=lambda w: timezone.now(), body=_is("## All quiet"),
        watch=_is("The VPN"),
    ),
    "tickets.actions.comments.add_comment": _by(
        "bob", comments.add_comment, ticket=_ticket, body=_is("Ask @carol about it.")
    ),
    "tickets.actions.comments.edit_comment": _by(
        "alice", comments.edit_comment, comment=_comment, version=_is(1), body=_is("Better words"), shared=_is(False)
    ),
    "tickets.actions.comments.choose_for_report": _by(
        "alice", comments.choose_for_report, comment=_comment, in_report=_is(True)
    ),
    "tickets.actions.comments.comment_on_incident": _by(
        "bob", comments.comment_on_incident, incident=_incident, body=_is("All of us: ask @carol."), shared=_is(True)
    ),
    "tickets.actions.attachments.attach_to_incident": _by(
        "bob", attachments.attach_to_incident, incident=_incident, file=lambda w: _upload("Some bytes")
    ),
    "tickets.actions.watches.watch_ticket": _by("carol", watches.watch_ticket, ticket=_ticket),
    "tickets.actions.watches.unwatch_ticket": _by("carol", watches.unwatch_ticket, ticket=_watched),
    "tickets.actions.blockers.block_ticket": _by(
        "bob", blockers.block_ticket, ticket=_second, by=_is(103)
    ),
    "tickets.actions.blockers.unblock_ticket": _by(
        "bob", blockers.unblock_ticket,
        blocker=lambda w: Blocker.objects.get(pk=w.things[w.incident.pk]["blocker"]),
    ),
    "tickets.actions.times.log_time": _by(
        "bob", times.log_time, ticket=_ticket, minutes=_is(80), day=lambda w: timezone.now().date(), note=_is("Phone")
    ),
    "tickets.actions.times.take_back_time": _by(
        "alice", times.take_back_time, entry=lambda w: TimeEntry.objects.get(pk=w.things[w.incident.pk]["spent"])
    ),
    "tickets.actions.attachments.attach_file": _by(
        "bob", attachments.attach_file, ticket=_ticket, file=lambda w: _upload("Some bytes")
    ),
    "tickets.actions.attachments.note_download": _by(
        "bob", attachments.note_download,
        attachment=lambda w: Attachment.objects.get(pk=w.things[w.incident.pk]["attachment"]),
    ),
    "tickets.actions.merging.merge_incidents": _by(
        "alice", merging.merge_incidents, source=_incident, target=lambda w: w.other, reason=_is("The same mail")
    ),
    "runbooks.actions.starts.run_runbook": _by(
        "bob", starts.run_runbook, incident=_incident, document=_runbook, under=_is(101), values=_is({"host": "DC01"})
    ),
    "runbooks.actions.starts.tell_of_no_start": lambda world: partial(
        starts.tell_of_no_start, actor=SYSTEM, incident=world.incident, document=_runbook(world), reason="Gone"
    ),
    "runbooks.actions.starts.run_runbooks": _by(
        "bob", starts.run_runbooks, incident=_incident, documents=lambda w: [_runbook(w)], under=_is(None),
        values=_is({"host": "DC01"}), skip=_is({"sample-isolation": {"2"}}),
    ),
    "runbooks.actions.starts.sow": _sow,
    "runbooks.actions.runs.rate_run": _by(
        "bob", runs.rate_run, run=_inserted, version=_is(1), rating=_is(4), worked=_is(True), notes=_is("Good"),
        suggestion=_is("Name the host first"),
    ),
    "runbooks.actions.suggestions.answer_suggestion": _by(
        "alice", suggestions.answer_suggestion, suggestion=_suggested, state=_is(SuggestionState.TAKEN)
    ),
    "runbooks.actions.runs.stop_run": _by("bob", runs.stop_run, run=_inserted, reason=_is("Not needed")),
    "runbooks.actions.runs.settle_runs": _settle,
    **AUTOMATIONS,
    "intake.actions.imports.request_import": _by(
        "bob", imports.request_import, file=lambda w: _upload(), name=_is("eve.json")
    ),
    "intake.actions.imports.import_batch": _batch,
    "intake.actions.imports.finish_import": lambda w: partial(
        imports.finish_import, actor=SYSTEM, job=_running_import(w)
    ),
    "intake.actions.imports.cancel_import": _by("bob", imports.cancel_import, job=_queued_import),
    "intake.actions.triage.promote_alert": _by("bob", triage.promote_alert, alert=_new_alert),
    "intake.actions.triage.join_alert": _by("bob", triage.join_alert, alert=_new_alert, incident=_incident),
    "intake.actions.triage.dismiss_alert": _by("bob", triage.dismiss_alert, alert=_new_alert, reason=_is("A test")),
    "intake.actions.triage.reopen_alert": _by("bob", triage.reopen_alert, alert=_dismissed),
    "people.actions.customers.add_customer": _by(
        "admin", customers.add_customer, name=_is("Customer C"), slug=_is("customer-c")
    ),
    "people.actions.customers.change_customer": _by(
        "admin", customers.change_customer, customer=lambda w: w.people["eve"].customer, fields=_is({"notes": "VIP"})
    ),
    "people.actions.invitations.invite": _by(
        "admin", invitations.invite, email=_is("ivy@demo.example"), name=_is("Ivy"), groups=_is(["Manager"])
    ),
    "people.actions.invitations.accept": _accept,
    "people.actions.invitations.revoke": _by(
        "admin", invitations.revoke,
        invitation=lambda w: Invitation.objects.get(pk=w.things[w.incident.pk]["invitation"]),
    ),
    "people.actions.logins.note": _by("bob", logins.note, verb=_is("person.logged_in"), person=_person("bob")),
    "people.actions.logins.note_failure": lambda w: partial(
        logins.note_failure, actor=logins.OUTSIDER, person=w.people["bob"]
    ),
    "people.actions.people.set_groups": _by(
        "admin", person_actions.set_groups, person=_person("mallory"), groups=_is(["Manager", "Responder"])
    ),
    "people.actions.people.disable": _by("admin", person_actions.disable, person=_person("mallory")),
    "people.actions.people.enable": _by("admin", person_actions.enable, person=_disabled),
    "people.actions.people.end_sessions": _by("admin", person_actions.end_sessions, person=_person("mallory")),
    "people.actions.people.change_details": _by(
        "bob", person_actions.change_details, person=_person("bob"), fields=_is({"phone": "+1 555 0100"})
    ),
    "people.actions.people.set_password": _by(
        "bob", person_actions.set_password, person=_person("bob"), password=_is("another horse battery")
    ),
    "reporting.actions.reports.request_report": _by("alice", reports.request_report, incident=_incident),
    "reporting.actions.reports.cancel_report": _by("alice", reports.cancel_report, job=_queued_report),
    "reporting.actions.reports._finish": _keep_report,
    "reporting.actions.reports.fail_report": lambda w: partial(
        reports.fail_report, actor=SYSTEM, job=_running_report(w), reason="No paper"
    ),
    "reporting.actions.reports.note_download": _by("bob", reports.note_download, job=_report),
}  # fmt: skip
