"""What the walk over all forms does not meet, since the world of the tests is not in that state: deciding, answering.

And what nobody listed in a form changes nothing: of documents, drafts and automations (G7).
"""

from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.db import models, transaction
from django.test import Client
from django.utils import timezone

from incidents.models import Incident
from people.models import User
from runbooks.actions import executions, versions
from runbooks.actions.automations import set_automation
from runbooks.actions.documents import write_document
from runbooks.models import (
    ActionSwitch,
    Approval,
    Automation,
    Document,
    DocumentLink,
    Execution,
    Review,
    Run,
    Suggestion,
    Version,
)  # fmt: skip
from tests.security.forms import forms
from tests.security.test_fields import tempting
from tests.security.test_nasty_values import NASTY, _encoded
from tickets.models import Ticket

pytestmark = [pytest.mark.security, pytest.mark.django_db]
BUTTONS = {"preview", "submit", "choose"}
FORM = "application/x-www-form-urlencoded"
WATCHED: list[type[models.Model]] = [
    Document, Document.tags.through, Document.related.through, Document.approvers.through, Version,
    Version.writers.through, Approval, Review, DocumentLink, Automation, Execution, ActionSwitch, Run, Suggestion,
    Incident, Ticket, User,
]  # fmt: skip
NESTED = [
    "document__kind", "document.active", "active__state", "of__state", "ticket__incident", "ticket__status",
    "incident__restricted", "owner__is_superuser", "author__is_superuser", "approvers__0", "writers", "pk", "_state",
    "actor", "at", "history_user_id", "fields", "facts", "activate", "dry", "alone", "enabled", "PATCH", "_method",
]  # fmt: skip


@pytest.fixture
def draft(alice: User) -> Version:
    return write_document(actor=alice, kind="runbook", slug="isolate", title="Isolate", body="- [ ] Unplug it\n")


@pytest.fixture
def asking(incident: Incident, bob: User, make_ticket: Callable[..., Ticket]) -> Execution:
    """An execution that asks people for every kind of answer."""
    fields = {"action": "ask_human", "parameters": {"text": "Which host?"}}
    automation = set_automation(actor=bob, ticket=make_ticket(), version=None, fields=fields)
    execution = executions.ask(actor=bob, automation=automation, needs_approval=False, shown={})
    asked = [{"name": kind, "label": kind, "kind": kind} for kind in ("text", "long", "number", "flag")]
    Execution.objects.update(waiting="answer", question={"text": "Which host?", "fields": asked})
    return Execution.objects.get(pk=execution.pk)


def _faults(client: Client, url: str, good: dict[str, str], page: str) -> list[str]:
    """Where a value for one of the fields makes a fault of ours, at once or on the page that shows it."""
    found = []
    client.raise_request_exception = False
    for name in good:
        for value in NASTY:
            with transaction.atomic():
                first: Any = client.post(url, _encoded({**good, name: value}), content_type=FORM)
                then: Any = client.get(page) if first.status_code in (200, 204, 302) else first
                found += [
                    f"{name}={value[:30]!a}: {one.status_code}" for one in (first, then) if one.status_code >= 500
                ]
                transaction.set_rollback(True)
    return found


def test_no_comment_of_a_decision_breaks_anything(draft: Version, alice: User, dora: User, client_of: Any) -> None:
    versions.submit(actor=alice, draft=draft)
    page = "/runbooks/isolate/"
    client = client_of(dora)
    shown = client.get(page).content.decode()
    assert f"{page}approve/" in shown
    for button in ("approve", "send_back"):
        good = {"comment": "Tried it out.", "activate": "on", button: "1"}
        assert _faults(client, f"{page}approve/", good, page) == []


def test_no_answer_breaks_anything(asking: Execution, incident: Incident, bob: User, client_of: Any) -> None:
    page = f"/incidents/{incident.number}/tickets/101/automation/"
    client = client_of(bob)
    assert "Which host?" in client.get(page).content.decode()
    good = {f"a-{kind}": "1" for kind in ("text", "long", "number", "flag")}
    names = [name for name in good if f'name="{name}"' in client.get(page).content.decode()]
    assert len(names) == len(good)
    assert _faults(client, f"{page}executions/{asking.pk}/answer/", good, page) == []


# -- What a form does not list ----------------------------------------------------------------------------------------
def _poison(listed: set[str], secret: Incident, mallory: User) -> dict[str, str]:
    """Every column and relation of what is watched, and nested names, but for those that the form itself has."""
    sent = {name: str(mallory.pk) for name in NESTED}
    for model in WATCHED[:-3]:
        for one in model._meta.get_fields(include_hidden=True):
            names = {one.name, getattr(one, "attname", one.name), f"{one.name}[]"}
            sent |= dict.fromkeys(names, tempting(one, {"secret": secret, "mallory": mallory}))
    return {name: value for name, value in sent.items() if name not in listed}


def _rows() -> dict[str, list[dict[str, Any]]]:
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in WATCHED}


def _after(client: Client, url: str, data: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
    """All rows as they are after the write, which is taken back."""
    with transaction.atomic():
        answer = client.post(url, data)
        assert answer.status_code == 302, answer.content[-3000:]
        rows = _rows()
        transaction.set_rollback(True)
    return rows


@pytest.mark.parametrize(
    ("url", "change"),
    [
        ("/runbooks/isolate/facts/", {"summary": "New"}),
        ("/runbooks/isolate/edit/", {"body": "- [ ] Pull the plug\n"}),
        (
            "/incidents/{number}/tickets/101/automation/edit/",
            {"p-text": "Which one?", "p-fields": "host", "name": "asked", "retries": "0"},
        ),
    ],
    ids=["facts", "draft", "automation"],
)
def test_what_a_form_of_runbooks_does_not_list_changes_nothing(
    *, url: str, change: dict[str, str], draft: Version, asking: Execution, incident: Incident, secret: Incident,
    alice: User, mallory: User, client_of: Any,
) -> None:  # fmt: skip
    Execution.objects.update(waiting="", state="done")
    url = url.format(number=incident.number)
    with time_machine.travel(timezone.now(), tick=False):
        client = client_of(alice)
        found = forms(client.get(url).content.decode(), url)
        form = next(one for one in found if one.action == url and "version" in one.values and not one.pressed.name)
        extra = _poison({*form.values, *BUTTONS}, secret, mallory)
        before, data = _rows(), {**form.values, **change}
        plain, poisoned = _after(client, url, data), _after(client, url, {**extra, **data})
    assert plain != before, "the write does something, or nothing is proved"
    assert poisoned == plain
    assert len(extra) > 150
