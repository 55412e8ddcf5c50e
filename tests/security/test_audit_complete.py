"""The journal is complete (G24): whatever row changes, an entry of the same transaction names who and what.

Triggers on every table tell what really changed; the tables and columns that need no entry are listed with the reason.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.test import Client

from core.models import JournalEntry
from incidents.models import Incident, Tag
from people.models import User
from runbooks.models import Version
from tests.samples import SAMPLES
from tests.security.row_log import Changed, logged, taken
from tests.servers import skip_or_fail
from tests.world import World, make_world
from tickets.models import Ticket

pytestmark = pytest.mark.security
world = pytest.fixture(make_world)

MECHANISM = {
    "core_journalentry": "the record itself",
    "core_stream": "heads of the record's chains",
    "core_reaction": "what is still to be done about an entry, which it names",
    "comms_notification": "what somebody is told of an entry, which it names",
    "comms_message": "the mail about an entry, which it names",
    "tickets_chore": "what is left to do after an entry of an admin",
    "people_accountmail": "a mail on its way; the entry is that of the invitation or the password",
    "people_draft": "what somebody is still writing; the entry is that of saving it",
    "people_session": "what a browser holds; logins and logouts are entries",
    "usersessions_usersession": "the list of one's sessions; logins and their end are entries",
    "account_emailaddress": "the login library's copy of a person's address",
    "incidents_daycounter": "how many numbers of a day were given out",
}
DERIVED = {  # columns that follow from other rows, or say how far a work is: no entry of their own
    "incidents_incident": {
        "folded", "last_ticket", "tickets_total", "tickets_done", "leads_total", "leads_done", "next_due_at",
        "updated_at", "version",
    },
    "tickets_ticket": {
        "lft", "rght", "level", "tree_id", "comments_total", "files_total", "updated_at", "version", "category",
        "urgency", "start_by", "finish_by", "clock_at", "risk_at", "clock_state", "automated",
    },
    "tickets_comment": {"updated_at", "version"},
    "people_user": {"last_login"},
    "runbooks_document": {"folded", "updated_at", "version"},
    "intake_importjob": {
        "state", "attempts", "due", "error", "finished_at", "position", "next_line", "format", "records", "created",
        "updated", "repeated", "skipped", "problems", "incidents",
    },
    "reporting_reportjob": {"state", "attempts", "due", "error", "finished_at", "step", "page"},
}  # fmt: skip
Entries = list[JournalEntry]
Rule = Callable[[dict[str, Any], Entries], bool]
MODELS: dict[str, type[models.Model]] = {model._meta.db_table: model for model in apps.get_models()}


def _in_incident(row: dict[str, Any], entries: Entries, key: str = "incident_id") -> Entries:
    return [entry for entry in entries if entry.stream == f"incident:{row[key]}"]


def _names_person(entry: JournalEntry, pk: int) -> bool:
    return entry.data.get("user") == pk or pk in entry.data.get("team", {}).values() or bool(entry.data.get("replaces"))


def _ids(entry: JournalEntry) -> set[Any]:
    return {item["id"] if isinstance(item, dict) else item for item in entry.data.get("alerts", [])}


def _numbers(entry: JournalEntry) -> set[int]:
    found = entry.data.get("tickets", [])
    return {int(n) for n in [*found, *(found.values() if isinstance(found, dict) else [])]}


def _alert(row: dict[str, Any], entries: Entries) -> bool:
    return any(row["id"] in _ids(entry) for entry in entries)


def _ticket(row: dict[str, Any], entries: Entries) -> bool:
    near = _in_incident(row, entries)
    root = row["parent_id"] is None
    return any(
        row["number"] in _numbers(entry) or (root and entry.target_type.startswith("tickets.")) for entry in near
    )


def _mounted(row: dict[str, Any], entries: Entries) -> bool:
    """A merge makes the ticket below which the other tree hangs, and names the incident it came from."""
    return any(entry.verb == "incident.absorbed" for entry in _in_incident(row, entries))


def _gone(row: dict[str, Any], entries: Entries) -> bool:
    """One entry stands for a branch that was deleted for good, with all that hung on it."""
    return any(entry.verb == "ticket.deleted" for entry in entries)


def _of_ticket(row: dict[str, Any], entries: Entries) -> bool:
    mine = (Ticket._meta.label, str(row["ticket_id"]))
    return _gone(row, entries) or any((entry.target_type, entry.target_id) == mine for entry in entries)


def _of_run(row: dict[str, Any], entries: Entries) -> bool:
    return any((e.target_type, e.target_id) == ("runbooks.Run", str(row["run_id"])) for e in entries)


def _of_document(row: dict[str, Any], entries: Entries, key: str = "document_id") -> bool:
    """A document's entry, or that of one of its versions, answers for what hangs on it."""
    return any(
        (e.target_type == "runbooks.Document" and e.target_id == str(row[key])) or e.data.get("document") == row[key]
        for e in entries
    )


def _of_draft(row: dict[str, Any], entries: Entries, key: str = "of_id") -> bool:
    mine = (Version._meta.label, str(row[key]))
    return any((e.target_type, e.target_id) == mine or e.data.get("version") == row[key] for e in entries)


RULES: dict[str, Rule] = {  # rows that an entry names in another way than as its target
    "incidents_incident_tags": lambda row, entries: any(
        "tags" in e.data and e.target_type == "incidents.Incident" and e.target_id == str(row["incident_id"])
        for e in entries
    ),
    "incidents_tag": lambda row, entries: any(
        row["name"] in str([e.data.get("tags"), e.data.get("new")]) for e in entries
    ),
    "incidents_incidentlink": lambda row, entries: any(
        e.data.get("kind") == row["kind"] or e.verb in ("incident.merged", "incident.absorbed")
        for e in _in_incident(row, entries, "source_id")
    ),
    "incidents_roleassignment": lambda row, entries: any(
        _names_person(e, row["user_id"]) for e in _in_incident(row, entries)
    ),
    "incidents_incidentgrant": lambda row, entries: any(
        _names_person(e, row["user_id"]) for e in _in_incident(row, entries, "content_object_id")
    ),
    "incidents_incident": lambda row, entries: any(  # a new commander stands in the incident, too
        e.verb in ("role.assigned", "role.ended") for e in _in_incident(row, entries, "id")
    ),
    "tickets_ticket": lambda row, entries: _ticket(row, entries) or _mounted(row, entries),
    "tickets_handover_tickets": lambda row, entries: any(
        (e.target_type == "tickets.Handover" and e.target_id == str(row["handover_id"])) or e.verb == "ticket.deleted"
        for e in entries
    ),
    "tickets_handover": _gone,
    "tickets_comment": _gone,
    "tickets_attachment": _gone,
    "tickets_timeentry": _gone,
    "runbooks_execution": _gone,
    "runbooks_document": lambda row, entries: _of_document(row, entries, "id"),
    "runbooks_version": _of_document,
    "runbooks_document_tags": _of_document,
    "runbooks_document_approvers": _of_document,
    "runbooks_document_related": lambda row, entries: (
        _of_document(row, entries, "from_document_id") or _of_document(row, entries, "to_document_id")
    ),
    "runbooks_documentlink": lambda row, entries: (
        _of_document(row, entries, "source_id") or any(e.verb == "version.drafted" for e in entries)
    ),
    "runbooks_version_writers": lambda row, entries: _of_draft(row, entries, "version_id"),
    "runbooks_approval": _of_draft,
    "runbooks_review": lambda row, entries: any(e.data.get("review") == row["id"] for e in entries),
    "tickets_watch": _of_ticket,
    "tickets_blocker": _of_ticket,
    "tickets_ticket_tags": lambda row, entries: (
        _of_ticket(row, entries) or any(e.verb == "tickets.planted" and e.data["tags"] for e in entries)
    ),
    "people_user_groups": lambda row, entries: any(
        "groups" in e.data and e.target_type == "people.User" and e.target_id == str(row["user_id"]) for e in entries
    ),
    "people_invitation": lambda row, entries: any(e.data.get("invitation") == row["id"] for e in entries),
    "intake_alert": _alert,
    "runbooks_runstep": _of_run,
    "runbooks_suggestion": _of_run,
    "runbooks_automation": lambda row, entries: (
        _of_run(row, entries)
        or _gone(row, entries)
        or any(e.verb in ("automations.planted", "automation.asked") for e in entries)
    ),
    "intake_rawpiece": lambda row, entries: any(
        row["job_id"] == e.data.get("job")
        or (e.target_type == "intake.ImportJob" and e.target_id == str(row["job_id"]))
        for e in entries
    ),
    "intake_alertversion": lambda row, entries: any(
        e.verb == "alert.updated" and e.target_id == str(row["alert_id"]) and e.data["job"] == row["job_id"]
        for e in entries
    ),
    "intake_importproblem": lambda row, entries: any(
        e.target_type == "intake.ImportJob" and e.target_id == str(row["job_id"]) for e in entries
    ),
}


def unexplained(changes: Iterable[Changed], entries: Entries) -> list[str]:
    """The changed rows that no entry accounts for, and the tracked rows that history missed."""
    rows = list(changes)
    kept = [row for row in rows if "_historical" in row.table]
    found = []
    for row in rows:
        if row.table in MECHANISM or "_historical" in row.table:
            continue
        if row.what == "UPDATE" and row.columns <= DERIVED.get(row.table, set()):
            continue
        if not _is_target(row, entries) and not RULES.get(row.table, lambda *_: False)(row.row, entries):
            found.append(f"no entry for {row}")
        elif not _in_history(row, kept):
            found.append(f"no history of {row}")
    return found + [f"no actor in {entry}" for entry in entries if not (entry.actor_name and entry.target_id)]


def _is_target(row: Changed, entries: Entries) -> bool:
    model = MODELS.get(row.table)
    if model is None or model._meta.pk is None:
        return False
    # SQLite keeps a UUID as 32 hex digits.
    pk = str(row.row[str(model._meta.pk.column)]).replace("-", "")
    return any(e.target_type == model._meta.label and e.target_id.replace("-", "") == pk for e in entries)


def _in_history(row: Changed, kept: list[Changed]) -> bool:
    """Where the model has history: a row of it with the values that the changed columns have now."""
    model: Any = MODELS.get(row.table)
    if not hasattr(model, "history") or row.what == "DELETE":
        return True
    table = model.history.model._meta.db_table
    wanted = row.columns - DERIVED.get(row.table, set())
    copies = [copy.row for copy in kept if copy.table == table and copy.row["id"] == row.row["id"]]
    return any(all(copy[name] == row.row[name] for name in wanted & copy.keys()) for copy in copies)


def _run_all(world: World) -> tuple[int, int, list[str]]:
    rows = entries = 0
    wrong = []
    for name, sample in SAMPLES.items():
        with transaction.atomic():
            run = sample(world)
            taken()
            last = JournalEntry.objects.order_by("-pk").values_list("pk", flat=True)[0]
            run()
            changes, written = taken(), list(JournalEntry.objects.filter(pk__gt=last))
            rows, entries = rows + len(changes), entries + len(written)
            wrong += [f"{name}: {problem}" for problem in unexplained(changes, written)]
            transaction.set_rollback(True)
    return rows, entries, wrong


def test_every_changed_row_is_explained_by_an_entry_of_its_transaction(world: World) -> None:
    with logged():
        rows, entries, wrong = _run_all(world)
    print(
        f"G24 audit complete: {len(SAMPLES)} actions, {rows} changed rows, {entries} entries, {len(wrong)} unexplained"
    )
    assert not wrong, "\n".join(["", *wrong])


@pytest.mark.services
def test_on_postgresql_too_every_changed_row_is_explained(world: World) -> None:
    if connection.vendor != "postgresql":
        skip_or_fail("DATABASE_URL names no PostgreSQL (python -m tests.servers pytest -m services sets it).")
    with logged():
        rows, entries, wrong = _run_all(world)
    print(f"G24 audit complete on PostgreSQL: {rows} rows, {entries} entries, {len(wrong)} unexplained")
    assert not wrong, "\n".join(["", *wrong])


def test_logins_and_what_people_do_with_themselves_are_explained(world: World) -> None:
    """Requests this time: the login library writes, and tells us."""
    client, bob = Client(), world.people["bob"]
    steps: list[tuple[str, dict[str, str]]] = [
        ("/accounts/login/", {"login": bob.email, "password": "wrong horse battery"}),
        ("/accounts/login/", {"login": bob.email, "password": "correct horse battery"}),
        ("/accounts/profile/", {"name": "Bob Builder", "time_zone": "Europe/Berlin", "job_title": "", "phone": ""}),
        ("/accounts/logout/", {}),
    ]
    with logged():
        for url, data in steps:
            taken()
            last = JournalEntry.objects.order_by("-pk").values_list("pk", flat=True)[0]
            response = client.post(url, data)
            entries = list(JournalEntry.objects.filter(pk__gt=last))
            assert entries, f"{url} left no entry ({response.status_code})"
            assert unexplained(taken(), entries) == []


def _bulk_group(world: World) -> None:
    world.people["bob"].groups.clear()


AROUND: dict[str, Callable[[World], object]] = {  # what the house rules forbid, done all the same
    "update": lambda w: Incident.objects.filter(pk=w.incident.pk).update(title="Altered"),
    "save": lambda w: User.objects.get(pk=w.people["bob"].pk).save(),
    "bulk_update": lambda w: User.objects.bulk_update([User(pk=w.people["bob"].pk, phone="0")], ["phone"]),
    "bulk_create": lambda w: Tag.objects.bulk_create([Tag(name="sneaky")]),
    "a tag from the far side": lambda w: Tag.objects.create(name="far").incidents.add(w.incident),
    "groups cleared": _bulk_group,
    "a cascade": lambda w: w.other.links_in.all().delete(),
    "raw SQL": lambda w: connection.cursor().execute("UPDATE tickets_comment SET body = 'altered'"),
    "F()": lambda w: Ticket.objects.update(number=models.F("number") + 1000),
}


@pytest.mark.parametrize("name", AROUND)
def test_what_is_done_around_the_actions_is_noticed(world: World, name: str) -> None:
    with logged(), transaction.atomic():
        taken()
        AROUND[name](world)
        changes = taken()
        if name == "save":  # the row is as before: nothing changed, nothing to explain
            assert unexplained(changes, []) == []
        else:
            assert unexplained(changes, [])
        transaction.set_rollback(True)


def test_a_change_that_history_missed_is_noticed_even_with_an_entry(world: World) -> None:
    entry = JournalEntry(
        actor_name="Alice", target_type="incidents.Incident", target_id=str(world.incident.pk), data={}
    )
    with logged():
        taken()
        Incident.objects.filter(pk=world.incident.pk).update(title="Altered")
        assert unexplained(taken(), [entry]) == [f"no history of UPDATE incidents_incident {world.incident.pk} (title)"]
