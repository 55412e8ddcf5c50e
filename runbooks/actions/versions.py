"""Versions: written as a draft, submitted, approved by somebody else, put in force; each ends when the next begins."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from people.models import User
from runbooks import links
from runbooks.actions.documents import write_document
from runbooks.actions.texts import check_text, keep_text, render
from runbooks.models import Approval, Document, DocumentKind, Version, VersionState
from runbooks.models.documents import STREAM
from runbooks.problems import problems, said

WITH_TREELINE = "Comes with Treeline: approved with the installation, by no person."
NEXT = (VersionState.DRAFT, VersionState.IN_REVIEW, VersionState.APPROVED)


def _locked(draft: Version, *stages: VersionState) -> Version:
    """The version, fresh, its document locked.

    Raises:
        ValidationError: it is in none of these stages any more.
    """
    journal.hold(STREAM)
    rows = Version.objects.select_related("document").select_for_update(no_key=True, of=("self", "document"))
    version = rows.get(pk=draft.pk)
    if version.document.archived_at:
        raise ValidationError("The document is archived: take it back into use first.")
    if version.stage not in stages:
        wanted = " or ".join(stage.label.lower() for stage in stages)
        raise ValidationError(f"Version {version.number} is {version.stage.label.lower()} by now, not {wanted}.")
    return version


@action
def edit_draft(
    *,
    actor: Actor,
    document: Document,
    version: int | None,
    body: str,
    subject: str = "",
    change_note: str = "",
) -> Version:
    """Write the next version: a new draft where there is none (`version` None), else the draft that was seen.

    Raises:
        Conflict: somebody else wrote on the draft, or began one.
        ValidationError: the next version is no draft any more, the document is archived, or the text is too long.
    """
    journal.hold(STREAM)
    document = Document.objects.lock(document.pk)
    if document.archived_at:
        raise ValidationError("The document is archived: take it back into use first.")
    check_text(document.kind, body)
    submitted = {"body": body, "subject": subject, "change_note": change_note}
    draft = document.versions.filter(state__in=NEXT).first()
    if draft is None:
        draft = _begin(document, actor, submitted)
    elif draft.stage != VersionState.DRAFT:
        raise ValidationError(f"Version {draft.number} is {draft.stage.label.lower()}: it has to be sent back first.")
    else:
        draft.document = document
        changed = draft.merged(version=version or 0, submitted=submitted)
        if not changed:
            return draft
        draft.body = changed.get("body", draft.body)
        draft.apply({**changed, "body_html": render(draft)})
        if isinstance(actor, User):
            draft.writers.add(actor)
    if document.active_id is None:
        keep_text(document, draft)
    journal.record("version.drafted", actor=actor, subject=draft, writer=actor.pk)
    return draft


def _begin(document: Document, actor: Actor, submitted: Mapping[str, str]) -> Version:
    last = document.versions.first()
    author = actor if isinstance(actor, User) else None
    draft = Version(document=document, number=last.number + 1 if last else 1, author=author, **submitted)
    draft.body_html = render(draft)
    draft.save()
    if author:
        draft.writers.add(author)
    return draft


@action
def submit(*, actor: Actor, draft: Version) -> Version:
    """Ask for approval.

    Raises:
        ValidationError: the text has errors, its runbooks would run in a circle, or a named approver cannot approve.
    """
    draft = _locked(draft, VersionState.DRAFT)
    document = draft.document
    if wrong := problems(document.kind, draft.body, draft.subject):
        raise ValidationError([said(one) for one in wrong])
    _check_parts(draft)
    writers = set(draft.writers.values_list("pk", flat=True))
    for person in document.approvers.all():
        if person.pk in writers or not person.is_active:
            why = "wrote on this version" if person.is_active else "cannot log in any more"
            raise ValidationError(f"{person.name} has to approve it, and {why}: name somebody else in its facts.")
    draft.apply({"state": VersionState.IN_REVIEW, "round": draft.round + 1, "submitted_at": timezone.now()})
    journal.record("version.submitted", actor=actor, subject=draft, round=draft.round)
    return draft


def _check_parts(draft: Version) -> None:
    """That sub-playbooks exist and do not lead back here."""
    if draft.document.kind != DocumentKind.RUNBOOK:
        return
    parts = links.parts_in(draft.body)
    rows = Document.objects.filter(kind=DocumentKind.RUNBOOK, archived_at=None, slug__in=parts)
    known = set(rows.values_list("slug", flat=True))
    if missing := [f"Line {line}: there is no runbook “{part}”." for part, line in parts.items() if part not in known]:
        raise ValidationError(missing)
    _check_circle(draft, parts)


def _check_circle(draft: Version, parts: Iterable[str]) -> None:
    way = links.circle(draft.document.slug, frozenset(parts), links.parts_in_force())
    if way:
        raise ValidationError(f"It would run in a circle: {' → '.join(way)}.")


@action
def withdraw(*, actor: Actor, draft: Version) -> Version:
    """Take a version back to draft before it was decided on.

    Raises:
        ValidationError: it is not in review.
    """
    draft = _locked(draft, VersionState.IN_REVIEW)
    draft.apply({"state": VersionState.DRAFT})
    journal.record("version.withdrawn", actor=actor, subject=draft)
    return draft


@action
def approve(*, actor: Actor, draft: Version, comment: str, activate: bool = True, seen: str = "") -> Version:
    """Agree. With the last approval that is needed it is approved, and with `activate` in force at once.

    `seen` is that of the version as the approver read it.

    Raises:
        ValidationError: it is not in review, the actor wrote on it or has agreed, there is no comment, or it was taken
            back and submitted again since they read it.
    """
    draft = _locked(draft, VersionState.IN_REVIEW)
    if seen and seen != draft.seen:
        raise ValidationError(
            "It was taken back and submitted again since you read it: read it again before you approve."
        )
    _say(draft, actor, comment, agrees=True)
    is_enough = not _missing(draft)
    if is_enough:
        draft.apply({"state": VersionState.APPROVED, "approved_at": timezone.now()})
    journal.record("version.approved", actor=actor, subject=draft, comment=journal.shown(comment), enough=is_enough)
    if is_enough and activate:
        _put_in_force(draft, actor)
    return draft


def _say(draft: Version, actor: Actor, comment: str, *, agrees: bool) -> None:
    if not comment.strip():
        raise ValidationError({"comment": "Say what you looked at, or what has to change."})
    if not isinstance(actor, User):
        raise ValidationError("A person has to decide on this.")
    if draft.writers.filter(pk=actor.pk).exists() or draft.author_id == actor.pk:
        raise ValidationError("You wrote on this version, so somebody else has to decide on it.")
    if draft.approvals.filter(round=draft.round, by=actor, agrees=agrees).exists():
        raise ValidationError("You have said so already.")
    Approval.objects.create(of=draft, round=draft.round, by=actor, agrees=agrees, comment=comment)


def _missing(draft: Version) -> bool:
    """Whether it needs more approvals than it has."""
    agreed = set(draft.approvals.filter(round=draft.round, agrees=True).values_list("by_id", flat=True))
    named = set(draft.document.approvers.values_list("pk", flat=True))
    return len(agreed) < draft.document.approvals_needed or bool(named - agreed)


@action
def send_back(*, actor: Actor, draft: Version, comment: str) -> Version:
    """Ask for changes: it is a draft again, and all of its approvals have to be given anew.

    Raises:
        ValidationError: it is not to be decided on, the actor wrote on it, or there is no comment.
    """
    draft = _locked(draft, VersionState.IN_REVIEW, VersionState.APPROVED)
    _say(draft, actor, comment, agrees=False)
    draft.apply({"state": VersionState.DRAFT, "approved_at": None})
    journal.record("version.sent_back", actor=actor, subject=draft, comment=journal.shown(comment))
    return draft


@action
def activate(*, actor: Actor, draft: Version) -> Version:
    """Put an approved version in force; the one before is replaced.

    Raises:
        ValidationError: it is not approved, or its runbooks would run in a circle.
    """
    draft = _locked(draft, VersionState.APPROVED)
    _put_in_force(draft, actor)
    return draft


def _put_in_force(version: Version, actor: Actor) -> None:
    document, now = version.document, timezone.now()
    if document.kind == DocumentKind.RUNBOOK:
        _check_circle(version, links.parts_in(version.body))
    before = document.active
    if before is not None:
        before.apply({"state": VersionState.ARCHIVED, "archived_at": now})
    version.apply({"state": VersionState.ACTIVE, "active_at": now})
    today = timezone.localdate()
    document.apply({"active": version, "review_due": document.next_review(today), "reminded_on": today})
    keep_text(document, version)
    journal.record(
        "version.activated", actor=actor, subject=version, replaces=before.number if before else None,
        document=document.pk,
    )  # fmt: skip


@action
def load_approved(
    *,
    actor: Actor,
    kind: str,
    slug: str,
    title: str,
    summary: str = "",
    body: str = "",
    subject: str = "",
    tags: Iterable[str] = (),
    facts: Mapping[str, Any] = {},
) -> Version:
    """Begin a document whose version 1 is in force: for texts that come with Treeline, which nobody here wrote.

    Raises:
        ValidationError: the slug is taken, or the text has errors.
    """
    if wrong := problems(kind, body, subject):
        raise ValidationError([f"{slug}: {said(one)}" for one in wrong])
    version = write_document(
        actor=actor, kind=kind, slug=slug, title=title, summary=summary, body=body, subject=subject, tags=tags,
        facts=facts,
    )  # fmt: skip
    version.apply({"state": VersionState.APPROVED, "approved_at": timezone.now(), "change_note": WITH_TREELINE})
    _put_in_force(version, actor)
    return version
