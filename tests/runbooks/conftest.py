"""Runbooks in force, as the tests of this room write them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from runbooks import registry
from runbooks.actions.texts import keep_text
from runbooks.models import Document, DocumentKind, Version, VersionState
from runbooks.registry import ACTIONS, ActionKind, Call

MakeRunbook = Callable[..., Document]

PHISHING = """\
Somebody clicked on **{{ link }}**.

## Containment

- [ ] Block {{ link }} at the proxy @bob !2h #lead #network
  Ask {{ owner }} first.
  - [ ] Take a photo ~customer
![[runbook:reset-account]]

## After

- [ ] Tell the customer @communications_lead
  ```action
  send_update: {template: initial-notice, about: "{{ link }}", on: start, as: notice}
  ```
"""
RESET = """\
- [ ] Reset the password of {{ owner }} @technical_lead !30m
- [ ] Look for rules in the mailbox
"""


@pytest.fixture
def make_runbook(db: None) -> MakeRunbook:
    """A runbook with a version in force, as if it had been approved."""

    def make(slug: str, body: str, title: str = "", **fields: Any) -> Document:
        kind = fields.pop("kind", DocumentKind.RUNBOOK)
        document = Document.objects.create(kind=kind, slug=slug, title=title or slug.capitalize(), **fields)
        return put_in_force(document, body)

    return make


def put_in_force(document: Document, body: str) -> Document:
    """Another version, the one in force from now on."""
    number = document.versions.count() + 1
    document.versions.filter(state=VersionState.ACTIVE).update(state=VersionState.ARCHIVED)
    document.active = Version.objects.create(
        document=document, number=number, body=body, state=VersionState.ACTIVE, active_at=timezone.now()
    )
    document.save()
    keep_text(document, document.active)
    return document


@pytest.fixture
def reset(make_runbook: MakeRunbook) -> Document:
    return make_runbook("reset-account", RESET, "Reset an account")


@pytest.fixture
def phishing(make_runbook: MakeRunbook, reset: Document) -> Document:
    return make_runbook("phishing", PHISHING, "Phishing")


@pytest.fixture
def action() -> Iterator[Callable[..., None]]:
    """Register an action for one test."""
    made: list[str] = []

    def register(name: str, run: Callable[[Call], Any], **fields: Any) -> None:
        registry.register(ActionKind(name, name.capitalize(), run, lambda call: "dry", **fields))
        made.append(name)

    yield register
    for name in made:
        del ACTIONS[name]
