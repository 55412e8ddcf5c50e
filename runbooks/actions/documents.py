"""Documents: writing one, and all about it that is not its text."""

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from incidents.actions.incidents import clean_tags
from incidents.models import Tag
from people.models import User
from runbooks.actions.texts import check_text, keep_text, render
from runbooks.models import Document, DocumentKind, Version, VersionState
from runbooks.models.documents import STREAM
from tickets.actions.batches import ready as ready_tags
from tickets.actions.steps import MOST_TAGS

SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
RESERVED = {"new", "overdue"}  # parts of addresses
FACTS = frozenset(
    {
        "title", "summary", "owner", "review_cycle", "review_days", "incident_types", "severities", "roles",
        "departments", "approvals_needed", "starts_by_itself", "escalations",
    }
)  # fmt: skip
RULES = {"approvals_needed", "approvers"}  # who has to agree: not changed while somebody is asked


@action
def write_document(
    *,
    actor: Actor,
    kind: str,
    slug: str,
    title: str,
    summary: str = "",
    body: str = "",
    subject: str = "",
    owner: User | None = None,
    tags: Iterable[str] = (),
    facts: Mapping[str, Any] = {},
) -> Version:
    """Begin a document with a draft of its version 1. `facts` are columns (FACTS), `related` and `approvers`.

    Raises:
        ValidationError: the slug is taken or no slug, the text is too long, or the facts contradict each other.
    """
    journal.hold(STREAM)
    _check_slug(slug)
    check_text(kind, body)
    facts = {**facts}
    related, approvers = facts.pop("related", ()), facts.pop("approvers", ())
    document = Document(
        kind=DocumentKind(kind), slug=slug, title=title, summary=summary, owner=owner or _person(actor), **facts
    )
    _check_facts(document)
    document.save()
    names = _keep_tags(document, tags)
    document.related.set(related)
    document.approvers.set(approvers)
    version = Version(document=document, number=1, body=body, subject=subject, author=_person(actor))
    version.body_html = render(version)
    version.save()
    _written_by(version, actor)
    keep_text(document, version)
    journal.record(
        "document.written", actor=actor, subject=document, kind=kind, tags=names, version=version.pk,
        approvers=[one.pk for one in approvers], related=[one.slug for one in related],
    )  # fmt: skip
    return version


def _person(actor: Actor) -> User | None:
    return actor if isinstance(actor, User) else None


def _written_by(version: Version, actor: Actor) -> None:
    if (person := _person(actor)) is not None:
        version.writers.add(person)


def _check_slug(slug: str) -> None:
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        raise ValidationError({"slug": "Use small letters, digits, - and _; it must not be “new” or “overdue”."})
    if Document.objects.filter(slug=slug).exists():
        raise ValidationError({"slug": f"There is a document “{slug}” already: choose another name for its address."})


def _check_facts(document: Document) -> None:
    if document.review_cycle == "days" and not document.review_days:
        raise ValidationError({"review_days": "Say after how many days it has to be reviewed."})
    if document.approvals_needed < 1:
        raise ValidationError({"approvals_needed": "Somebody has to approve it: at least 1."})


def _keep_tags(document: Document, tags: Iterable[str]) -> list[str]:
    names = clean_tags(tags)
    if len(names) > MOST_TAGS:
        raise ValidationError({"tags": f"At most {MOST_TAGS} tags (there would be {len(names)})."})
    ready_tags(names)
    document.tags.set(Tag.objects.filter(name__in=names))
    return names


@action
def edit_facts(
    *,
    actor: Actor,
    document: Document,
    version: int,
    fields: Mapping[str, Any],
    tags: Iterable[str] | None = None,
    related: Collection[Document] | None = None,
    approvers: Collection[User] | None = None,
) -> Document:
    """Change what is known of a document besides its text; a set that is None stays.

    Raises:
        Conflict: somebody else changed the same field since `version`.
        ValidationError: the facts contradict each other, or who approves was changed while somebody is asked.
    """
    journal.hold(STREAM)
    document = Document.objects.lock(document.pk)
    changed = document.merged(version=version, submitted={n: v for n, v in fields.items() if n in FACTS})
    sets = {
        name: (getattr(document, name), wanted)
        for name, wanted in (("related", related), ("approvers", approvers))
        if wanted is not None and set(getattr(document, name).values_list("pk", flat=True)) != {w.pk for w in wanted}
    }
    before = sorted(document.tags.values_list("name", flat=True))
    new_tags = tags is not None and clean_tags(tags) != before
    if not (changed or sets or new_tags):
        return document
    if RULES & {*changed, *sets} and document.versions.filter(state=VersionState.IN_REVIEW).exists():
        raise ValidationError("A version is in review: decide on that first, then change who has to approve.")
    _set(document, changed)
    data: dict[str, Any] = {}
    for name, (manager, wanted) in sets.items():
        manager.set(wanted)
        data[name] = [one.pk for one in wanted]
    if new_tags and tags is not None:
        data |= {"old": before, "new": _keep_tags(document, tags)}
    keep_text(document, document.text)
    journal.record("document.edited", actor=actor, subject=document, **data)
    return document


def _set(document: Document, changed: dict[str, Any]) -> None:
    for name, value in changed.items():
        setattr(document, name, value)
    _check_facts(document)
    if {"review_cycle", "review_days"} & changed.keys() and document.active is not None:
        last = document.reviews.first()
        looked_at = [at for at in (last.at if last else None, document.active.active_at) if at]
        newest = max(looked_at, default=timezone.now())
        changed |= {"review_due": document.next_review(timezone.localdate(newest)), "reminded_on": None}
    if changed:
        document.apply(changed)


@action
def archive_document(*, actor: Actor, document: Document, reason: str) -> Document:
    """Take a document out of use, with all its versions kept.

    Raises:
        ValidationError: it is archived already, or no reason is given.
    """
    journal.hold(STREAM)
    document = Document.objects.lock(document.pk)
    if document.archived_at:
        raise ValidationError("It is archived already.")
    if not reason.strip():
        raise ValidationError({"reason": "Say why: whoever looks for it wants to know."})
    document.apply({"archived_at": timezone.now()})
    journal.record("document.archived", actor=actor, subject=document, reason=reason)
    return document


@action
def restore_document(*, actor: Actor, document: Document) -> Document:
    """Take an archived document back into use, as it was.

    Raises:
        ValidationError: it is not archived.
    """
    journal.hold(STREAM)
    document = Document.objects.lock(document.pk)
    if not document.archived_at:
        raise ValidationError("It is in use.")
    document.apply({"archived_at": None})
    journal.record("document.restored", actor=actor, subject=document)
    return document
