"""Reviews of documents: each one is recorded, and who has to do it is reminded."""

import datetime as dt

from django.core.exceptions import ValidationError
from django.utils import timezone

from core import journal
from core.actions import action
from core.actors import Actor
from people.models import User
from runbooks.models import Document, Review
from runbooks.models.documents import SOON, STREAM

WEEK = dt.timedelta(days=7)
ESCALATED_AFTER = dt.timedelta(days=14)  # then managers hear of it as well


@action
def record_review(*, actor: User, document: Document, note: str = "") -> Review:
    """Say that one has looked at the document; nothing has to change for that.

    Raises:
        ValidationError: it is archived, or was never in force.
    """
    journal.hold(STREAM)
    document = Document.objects.lock(document.pk)
    if document.archived_at or document.active_id is None:
        raise ValidationError("Only a document that is in force is reviewed.")
    today = timezone.localdate()
    due, was_due = document.next_review(today), document.review_due
    review = Review.objects.create(document=document, reviewer=actor, note=note, was_due=was_due, next_due=due)
    document.apply({"review_due": due, "reminded_on": today})
    journal.record("document.reviewed", actor=actor, subject=document, review=review.pk, next_due=due)
    return review


def reminder_day(due: dt.date, today: dt.date) -> dt.date | None:
    """The latest day until today on which to remind of a review: 14 days before, on the day, then weekly."""
    if today < due - SOON:
        return None
    return due - SOON if today < due else due + (today - due) // WEEK * WEEK


@action
def remind_of_review(*, actor: Actor, document: Document) -> Document:
    """Say once more that the review is due, where that was not said since the day for it came."""
    journal.hold(STREAM)
    document = Document.objects.lock(document.pk)
    today = timezone.localdate()
    if document.review_due is None or document.archived_at:
        return document
    day = reminder_day(document.review_due, today)
    if day is None or (document.reminded_on is not None and document.reminded_on >= day):
        return document
    document.reminded_on = today
    document.save(update_fields=["reminded_on", "updated_at"])
    late = today - document.review_due
    journal.record(
        "document.review_due", actor=actor, subject=document, due=document.review_due, days=late.days,
        escalated=late >= ESCALATED_AFTER,
    )  # fmt: skip
    return document
