"""Reviews of documents: the date comes from the cycle, reminders from the date, and what is late goes up."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.test import Client

from comms.models import Message, Notification
from core.models import JournalEntry, Reaction
from people.models import User
from runbooks.actions import documents, reviews, versions
from runbooks.actions.reviews import reminder_day
from runbooks.models import Document
from runbooks.tasks import remind_of_reviews
from tests.comms.working import work_off

TODAY = dt.date(2026, 3, 1)


@pytest.fixture
def document(alice: User, dora: User) -> Document:
    """Approved on 1 March, to be reviewed each month: on 1 April."""
    with time_machine.travel(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC), tick=False):
        draft = documents.write_document(
            actor=alice,
            kind="policy",
            slug="p",
            title="Passwords",
            body="Long ones.",
            facts={"review_cycle": "monthly"},
        )
        versions.submit(actor=alice, draft=draft)
        versions.approve(actor=dora, draft=draft, comment="Good.")
        work_off(Reaction)
    return Document.objects.get()


def _on(day: str) -> list[str]:
    """What the timetable's task says on that day, asked for twice."""
    before = Notification.objects.count()
    with time_machine.travel(dt.datetime.fromisoformat(f"{day}T09:00:00+00:00"), tick=False):
        remind_of_reviews()
        remind_of_reviews()
        work_off(Reaction)
    return [f"{one.user.username}: {one.text}" for one in Notification.objects.order_by("pk")[before:]]


@pytest.mark.parametrize(
    ("cycle", "days", "day", "due"),
    [
        ("monthly", None, "2026-01-31", "2026-02-28"), ("quarterly", None, "2026-11-30", "2027-02-28"),
        ("yearly", None, "2024-02-29", "2025-02-28"), ("days", 10, "2026-12-25", "2027-01-04"),
        ("", None, "2026-01-01", None),
    ],
)  # fmt: skip
def test_the_next_date_comes_from_the_cycle(cycle: str, days: int | None, day: str, due: str | None) -> None:
    found = Document(review_cycle=cycle, review_days=days).next_review(dt.date.fromisoformat(day))
    assert found == (dt.date.fromisoformat(due) if due else None)


@pytest.mark.parametrize(
    ("today", "day"),
    [(-15, None), (-14, -14), (-1, -14), (0, 0), (6, 0), (7, 7), (13, 7), (14, 14), (100, 98)],
)  # fmt: skip
def test_reminders_come_14_days_before_on_the_day_and_then_weekly(today: int, day: int | None) -> None:
    def at(days: int) -> dt.date:
        return TODAY + dt.timedelta(days=days)

    assert reminder_day(TODAY, at(today)) == (at(day) if day is not None else None)


def test_the_owner_is_reminded_and_managers_when_it_is_very_late(document: Document, dora: User) -> None:
    assert document.review_due == dt.date(2026, 4, 1)
    assert _on("2026-03-17") == []
    assert _on("2026-03-18") == ["alice: The review of Passwords is due on 2026-04-01"]
    assert _on("2026-03-25") == []
    assert _on("2026-04-01") == ["alice: The review of Passwords is due today"]
    assert _on("2026-04-09") == ["alice: The review of Passwords is 8 days late"]
    assert set(_on("2026-04-15")) == {
        "alice: The review of Passwords is 14 days late", "dora: The review of Passwords is 14 days late",
    }  # fmt: skip
    assert JournalEntry.objects.filter(verb="document.review_due").count() == 4


@pytest.mark.parametrize("owner", ["nobody", "locked out"])
def test_managers_are_reminded_from_the_first_day_where_no_owner_can_be(
    document: Document, alice: User, dora: User, owner: str
) -> None:
    if owner == "nobody":
        Document.objects.update(owner=None)
    else:
        User.objects.filter(pk=alice.pk).update(is_active=False)
    assert _on("2026-03-18") == ["dora: The review of Passwords is due on 2026-04-01"]


def test_a_review_is_recorded_although_nothing_changed(document: Document, bob: User) -> None:
    with time_machine.travel(dt.datetime(2026, 4, 9, 9, tzinfo=dt.UTC), tick=False):
        review = reviews.record_review(actor=bob, document=document, note="Still right.")
        document.refresh_from_db()
        assert (review.was_due, review.next_due) == (dt.date(2026, 4, 1), dt.date(2026, 5, 9))
        assert document.review_due == dt.date(2026, 5, 9)
        assert document.version > 1
    assert _on("2026-04-10") == []
    assert _on("2026-04-25") == ["alice: The review of Passwords is due on 2026-05-09"]


def test_a_new_version_counts_as_looked_at_when_the_cycle_changes(document: Document, alice: User, dora: User) -> None:
    with time_machine.travel(dt.datetime(2026, 4, 9, 9, tzinfo=dt.UTC), tick=False):
        reviews.record_review(actor=dora, document=document)
    with time_machine.travel(dt.datetime(2026, 9, 1, 9, tzinfo=dt.UTC), tick=False):
        draft = versions.edit_draft(actor=alice, document=document, version=None, body="Longer ones.")
        versions.submit(actor=alice, draft=draft)
        versions.approve(actor=dora, draft=draft, comment="Good.")
    document.refresh_from_db()
    documents.edit_facts(actor=alice, document=document, version=document.version, fields={"review_cycle": "quarterly"})
    document.refresh_from_db()
    assert document.review_due == dt.date(2026, 12, 1)


def test_what_is_archived_or_was_never_in_force_is_not_reviewed(document: Document, alice: User) -> None:
    draft = documents.write_document(actor=alice, kind="policy", slug="q", title="Q", body="Words.")
    with pytest.raises(ValidationError, match="in force"):
        reviews.record_review(actor=alice, document=draft.document)
    documents.archive_document(actor=alice, document=document, reason="Old.")
    with pytest.raises(ValidationError, match="in force"):
        reviews.record_review(actor=alice, document=document)
    assert _on("2027-01-01") == []


def test_the_overdue_list_names_it(document: Document, client_of: Callable[[User], Client], bob: User) -> None:
    browser = client_of(bob)
    with time_machine.travel(dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)):
        assert "/policies/p/" not in browser.get("/documents/overdue/").content.decode()
    with time_machine.travel(dt.datetime(2026, 4, 2, 9, tzinfo=dt.UTC)):
        assert "/policies/p/" in client_of(bob).get("/documents/overdue/").content.decode()


def test_who_can_approve_is_asked_and_the_writer_is_told(
    document: Document, alice: User, dora: User, bob: User, eve: User, client_of: Callable[[User], Client]
) -> None:
    Notification.objects.all().delete()
    draft = versions.edit_draft(actor=alice, document=document, version=None, body="Longer ones.")
    versions.submit(actor=alice, draft=draft)
    work_off(Reaction)
    asked = Notification.objects.get()
    assert (asked.user, asked.kind, asked.url) == (dora, "approval", "/policies/p/")
    assert "asks you to approve Passwords v2" in client_of(dora).get("/notifications/").content.decode()
    versions.send_back(actor=dora, draft=draft, comment="Say how long.")
    work_off(Reaction)
    told = Notification.objects.exclude(pk=asked.pk).get()
    assert told.user == alice
    assert told.text == "Dora Example sent back Passwords v2: Say how long."
    assert not Notification.objects.visible_to(eve).exists()


def test_named_approvers_are_asked_instead_of_all_managers(alice: User, bob: User, dora: User) -> None:
    facts = {"approvers": [bob]}
    draft = documents.write_document(actor=alice, kind="policy", slug="q", title="Q", body="Words.", facts=facts)
    versions.submit(actor=alice, draft=draft)
    work_off(Reaction)
    assert [one.user for one in Notification.objects.all()] == [bob]
    assert Message.objects.get().recipient == bob
