"""G7: a form changes the fields it lists and no other, whatever else is sent with it."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import time_machine
from django.db import models, transaction
from django.urls import get_resolver, reverse
from django.utils import timezone

from incidents.actions.incidents import edit_incident
from incidents.actions.links import link_incidents
from incidents.models import Incident, IncidentGrant, IncidentLink, RoleAssignment, Tag
from people.models import Customer, User

pytestmark = pytest.mark.security

WATCHED: list[type[models.Model]] = [
    Incident,
    RoleAssignment,
    IncidentLink,
    IncidentGrant,
    Incident.tags.through,
    Tag,
    User,
    Customer,
]
SENT = [Incident, RoleAssignment, IncidentLink]
NESTED = [
    "incident__restricted", "incident__commander", "incident.restricted", "incident[restricted]",
    "commander__is_superuser",
    "commander__is_staff", "user__is_superuser", "user__is_active", "user.is_staff", "user[is_staff]", "customer__name",
    "customer__active", "reporter__email", "assignments-0-role", "assignments-0-user", "form-0-status",
    "merged_into__id",
    "links_out-0-target", "tags__name", "grants-0-permission", "is_superuser", "is_staff", "is_active", "groups",
    "user_permissions", "permissions", "pk", "_state", "__class__", "actor", "assessed", "once", "fields",
    "seen_version",
    "next_number", "objects", "history", "history_user_id", "at", "PATCH", "_method",
]  # fmt: skip
VOLATILE = {"once_key"}
EDIT = {"version", "updated_at"}
Rows = dict[str, dict[int, dict[str, Any]]]
KEYS = {"incident_id": "Incident", "content_object_id": "Incident", "tag_id": "Tag"}


@dataclass
class Write:
    """One URL that writes: who, what is sent, and the columns it may change (model.column; model.+ is a new row)."""

    name: str
    who: str
    data: dict[str, str]
    columns: set[str]
    part: str = ""
    on: str = "incident"
    more: dict[str, int] = field(default_factory=dict)

    @property
    def label(self):
        return f"{self.name} {self.part}".strip()


ROLE = {"RoleAssignment.+", "IncidentGrant.+"}
STEP = {f"Incident.{name}" for name in EDIT}
WRITES = [
    Write("declare", "alice", {"title": "Odd logins"}, {"Incident.+"} | ROLE),
    Write("edit", "bob", {"summary": "x"}, STEP | {"Incident.summary", "Incident.summary_html", "Incident.folded"},
          "summary"),
    Write("edit", "bob", {"situation": "x"},
          STEP | {f"Incident.situation{end}" for end in ("", "_html", "_at", "_by_id")}, "situation"),
    Write("edit", "bob", {"title": "New", "type": "malware", "tlp": "TLP:RED", "detected_at": "2026-01-02T03:04:05",
                          "detection_source": "EDR", "occurred_at": "2026-01-01T00:00:00", "tags": "a"},
          STEP | {f"Incident.{name}" for name in
                  ("title", "type", "tlp", "detected_at", "detection_source", "occurred_at", "folded", "customer_id")}
          | {"Tag.+", "Incident_tags.+"}, "facts"),
    Write("edit", "bob", {"affected_systems": "DC01", "affected_services": "AD", "data_types": "names",
                          "affected_users": "3", "financial_amount": "1", "financial_currency": "EUR",
                          "business_impact": "x"},
          STEP | {f"Incident.{name}" for name in
                  ("affected_systems", "affected_services", "data_types", "affected_users", "financial_amount",
                   "financial_currency", "business_impact", "business_impact_html")}, "impact"),
    Write("edit", "bob", {"root_cause": "x", "contributing_factors": "y", "lessons_learned": "z"},
          STEP | {f"Incident.{name}{end}" for name in ("root_cause", "contributing_factors", "lessons_learned")
                  for end in ("", "_html")}
          | {"Incident.post_mortem_approved_at", "Incident.post_mortem_approved_by_id"}, "review"),
    Write("status", "alice", {"seen": "detected", "status": "analyzing", "reason": "x", "resolution": ""},
          STEP | {"Incident.status", "Incident.analyzing_at"}),
    Write("severity", "alice", {"severity": "critical", "reason": "x"},
          STEP | {"Incident.severity", "Incident.severity_assessed_at"}),
    Write("restrict", "alice", {"restricted": "yes", "reason": "x"}, STEP | {"Incident.restricted"}),
    Write("approve_post_mortem", "alice", {"seen": "digest", "comment": "x"},
          STEP | {"Incident.post_mortem_approved_at", "Incident.post_mortem_approved_by_id"}, on="written"),
    Write("assign", "alice", {"user": "dora", "role": "observer"}, ROLE),
    Write("unassign", "alice", {"reason": "x"}, {"RoleAssignment.until", "IncidentGrant.-"}, more={"assignment": 0}),
    Write("join", "mallory", {}, ROLE),
    Write("take_command", "mallory", {}, STEP | {"Incident.commander_id"} | ROLE, on="leaderless"),
    Write("link", "alice", {"kind": "related_to", "number": "other"}, {"IncidentLink.+"}),
    Write("unlink", "alice", {}, {"IncidentLink.-"}, more={"link": 0}),
    Write("break_glass", "admin_user", {"number": "secret", "reason": "x"}, ROLE),
]  # fmt: skip


@pytest.fixture
def world(alice, bob, carol, mallory, dora, admin_user, incident, secret, make_incident, customer_a):
    """Everybody and everything that the writes name."""
    written = make_incident("Written up")
    edit_incident(
        actor=alice, incident=written, version=1, fields={"root_cause": "A password.", "lessons_learned": "MFA."}
    )
    link = link_incidents(actor=alice, source=incident, target=written, kind="parent")
    return {
        "incident": incident, "secret": secret, "written": Incident.objects.get(pk=written.pk),
        "leaderless": make_incident("Nobody leads", commander=None), "other": make_incident("Other"),
        "alice": alice, "bob": bob, "mallory": mallory, "dora": dora, "admin_user": admin_user, "link": link.pk,
        "assignment": incident.assignments.get(user=carol).pk,
    }  # fmt: skip


def poison(world):
    """Every column, relation and nested name of the models, each with a value that would be taken if it were read."""
    sent = {name: str(world["mallory"].pk) for name in NESTED}
    for model in SENT:
        for one in model._meta.get_fields(include_hidden=True):
            names = {one.name, getattr(one, "attname", one.name), f"incident-{one.name}", f"{one.name}[]"}
            sent |= dict.fromkeys(names, tempting(one, world))
    return sent


def tempting(one, world):
    if isinstance(one, models.BooleanField):
        return "on"
    if getattr(one, "choices", None):
        return {"status": "closed", "resolution": "merged"}.get(one.name, str(one.choices[-1][0]))
    if isinstance(one, models.DateTimeField):
        return "2001-01-01T00:00:00"
    if getattr(one, "related_model", None) is Incident:
        return str(world["secret"].pk)
    if one.is_relation:
        return str(world["mallory"].pk)
    return "777"


def snapshot() -> Rows:
    """Every row of what is watched."""
    return {
        model.__name__: {
            row["id"]: {name: value for name, value in row.items() if name not in VOLATILE}
            for row in model._base_manager.values()
        }
        for model in WATCHED
    }


def changes(before: Rows, after: Rows) -> dict[str, list[str]]:
    """What is different, by model.column (model.+ and model.- for whole rows); keys of new rows count for nothing."""
    found: dict[str, list[str]] = {}
    for model, rows in after.items():
        old = before[model]
        for pk in old.keys() - rows.keys():
            found.setdefault(f"{model}.-", []).append(str(pk))
        for pk, row in rows.items():
            if pk not in old:
                keys = {name: "new" for name, other in KEYS.items() if name in row and row[name] not in before[other]}
                found.setdefault(f"{model}.+", []).append(str({**row, **keys, "id": "new"}))
                continue
            for name, value in row.items():
                if old[pk][name] != value:
                    found.setdefault(f"{model}.{name}", []).append(f"{pk}: {value!r}")
    return {name: sorted(values) for name, values in found.items()}


def outcome(client, url, data, expected) -> Rows:
    """The world after the write; the write itself is taken back."""
    with transaction.atomic():
        response = client.post(url, data)
        assert response.status_code == expected, response.content[-3000:]
        after = snapshot()
        transaction.set_rollback(True)
    return after


def url_and_data(write, world):
    kwargs = {} if write.name in {"declare", "break_glass"} else {"number": world[write.on].number}
    kwargs |= {"part": write.part} if write.part else {}
    kwargs |= {name: world[name] for name in write.more}
    data = {"version": str(world["incident"].version)} if write.name == "edit" else {}
    filled = {"dora": str(world["dora"].pk), "digest": world["written"].post_mortem_digest}
    filled |= {name: world[name].number for name in ("other", "secret")}
    data |= {name: filled.get(value, value) for name, value in write.data.items()}
    return reverse(f"incidents:{write.name}", kwargs=kwargs), data


def form_fields(write, world, client):
    """Names that the form itself has: what it lists, it may take."""
    url, _ = url_and_data(write, world)
    response = client.get(url)
    return set(response.context["form"].fields) if response.status_code == 200 else set()


@pytest.mark.parametrize("write", WRITES, ids=lambda write: write.label)
def test_what_a_form_does_not_list_changes_nothing(write, world, client_of):
    with time_machine.travel(timezone.now(), tick=False):
        client = client_of(world[write.who])
        client.get("/")
        listed = form_fields(write, world, client)
        url, data = url_and_data(write, world)
        extra = {name: value for name, value in poison(world).items() if name not in listed}
        before = snapshot()
        plain = outcome(client, url, data, 302)
        poisoned = outcome(client, url, {**extra, **data}, 302)
    changed = changes(before, plain)
    assert changed, "the write does something, or nothing is proved"
    assert set(changed) <= write.columns
    assert changes(before, poisoned) == changed
    print(f"G7 {write.label}: {len(extra)} fields that are not its own were sent, 0 of them changed anything")


def test_a_field_that_did_change_would_be_seen(world):
    before = snapshot()
    Incident.objects.filter(pk=world["incident"].pk).update(restricted=True, tickets_total=777)
    User.objects.filter(pk=world["mallory"].pk).update(is_staff=True)
    assert set(changes(before, snapshot())) == {"Incident.restricted", "Incident.tickets_total", "User.is_staff"}


def test_every_url_of_the_room_that_writes_is_among_them():
    reads = {"list", "overview", "head", "members", "log", "audit", "audit_csv"}
    names = {name for name in get_resolver("incidents.urls").reverse_dict if isinstance(name, str)}
    assert names - reads == {write.name for write in WRITES}
    print(f"G7 incidents: {len(WRITES)} writes × {len(NESTED)} nested names and every column of {len(SENT)} models")
