"""Work is a row: claimed once, leased, put back, given up; a dead broker only delays it."""

from datetime import timedelta

import pytest
from celery import current_app
from django.db import transaction
from django.utils import timezone

from core import work
from core.actors import SYSTEM
from core.journal import record
from core.models import JournalEntry, Reaction
from core.models.work import MAX_ATTEMPTS, WorkState
from core.reactions import HANDLERS
from core.tasks import react
from people.models import Customer

LATE = timedelta(minutes=10)


@pytest.fixture
def entry(db: None) -> JournalEntry:
    customer = Customer.objects.create(name="Northbridge", slug="northbridge")
    with transaction.atomic():
        return record("customer.made", actor=SYSTEM, subject=customer)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A handler that notes what it was called with."""
    seen: list[int] = []
    monkeypatch.setitem(HANDLERS, "tests.note", lambda entry: seen.append(entry.pk))
    return seen


def test_ten_workers_who_hear_of_one_reaction_do_it_once(entry: JournalEntry, calls: list[int]) -> None:
    reaction = Reaction.objects.create(entry=entry, handler="tests.note")
    for _ in range(10):
        react(reaction.pk)
    assert calls == [entry.pk]
    reaction.refresh_from_db()
    assert (reaction.state, reaction.attempts) == (WorkState.DONE, 1)


def test_a_reaction_that_fails_is_tried_three_times_and_then_kept_with_its_reason(entry, monkeypatch) -> None:
    def fail(_: JournalEntry) -> None:
        raise RuntimeError("the mail server is on fire")

    monkeypatch.setitem(HANDLERS, "tests.fail", fail)
    reaction = Reaction.objects.create(entry=entry, handler="tests.fail")
    for _ in range(MAX_ATTEMPTS + 2):
        react(reaction.pk)
        react(reaction.pk)  # a second message before its time changes nothing
        Reaction.objects.filter(pk=reaction.pk).update(due=timezone.now() - LATE)
    reaction.refresh_from_db()
    assert (reaction.state, reaction.attempts) == (WorkState.FAILED, MAX_ATTEMPTS)
    assert "on fire" in reaction.error


def test_what_a_failing_handler_wrote_is_rolled_back(entry: JournalEntry, monkeypatch) -> None:
    def half(_: JournalEntry) -> None:
        Customer.objects.create(name="Half done", slug="half")
        raise RuntimeError

    monkeypatch.setitem(HANDLERS, "tests.half", half)
    react(Reaction.objects.create(entry=entry, handler="tests.half").pk)
    assert not Customer.objects.filter(slug="half").exists()


def test_work_of_a_dead_worker_is_put_back_by_the_sweep_and_finished_by_the_next(entry, calls, monkeypatch) -> None:
    sent: list[int] = []

    def note(task: str, pk: int) -> bool:
        sent.append(pk)
        return True

    monkeypatch.setattr(work, "send", note)
    reaction = Reaction.objects.create(entry=entry, handler="tests.note")
    assert Reaction.claim(reaction.pk) is not None  # and the worker dies
    work.sweep()
    assert sent == []  # its lease still runs
    Reaction.objects.filter(pk=reaction.pk).update(due=timezone.now() - LATE)
    work.sweep()
    assert sent == [reaction.pk]
    react(reaction.pk)
    assert calls == [entry.pk]


def test_a_worker_that_lost_its_lease_changes_nothing(entry: JournalEntry) -> None:
    reaction = Reaction.objects.create(entry=entry, handler="tests.note")
    slow = Reaction.claim(reaction.pk)
    Reaction.objects.filter(pk=reaction.pk).update(state=WorkState.QUEUED, due=timezone.now() - LATE)
    quick = Reaction.claim(reaction.pk)
    assert slow is not None
    assert quick is not None
    assert slow.renew() is False
    assert slow.finish() is False
    assert quick.finish() is True


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_a_dead_broker_fails_no_request_and_is_left_alone_for_a_while(settings, monkeypatch) -> None:
    monkeypatch.setattr(work, "_broker_failed_at", 0.0)
    tried = []

    def refuse(*args: object, **kwargs: object) -> None:
        tried.append(args)
        raise ConnectionRefusedError

    monkeypatch.setattr(current_app, "send_task", refuse)
    customer = Customer.objects.create(name="Northbridge", slug="northbridge")
    with transaction.atomic():
        entry = record("customer.made", actor=SYSTEM, subject=customer)
        for name in ("one", "two", "three"):
            work.wake(Reaction.objects.create(entry=entry, handler=name))
    assert Reaction.objects.filter(state=WorkState.QUEUED).count() == 3
    assert len(tried) == 1


def test_work_whose_worker_dies_again_and_again_is_given_up_and_its_room_is_told(entry, monkeypatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(Reaction, "given_up", lambda self, error: told.append(error))
    reaction = Reaction.objects.create(entry=entry, handler="tests.note")
    for _ in range(MAX_ATTEMPTS):
        assert Reaction.claim(reaction.pk) is not None
        Reaction.objects.filter(pk=reaction.pk).update(due=timezone.now() - LATE)
        work.sweep()
        Reaction.objects.filter(pk=reaction.pk).update(due=timezone.now() - LATE)
    reaction.refresh_from_db()
    assert reaction.state == WorkState.FAILED
    assert told == [f"Given up: the worker died {MAX_ATTEMPTS} times."]
