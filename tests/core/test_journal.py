"""Entries answer for every row of history their action wrote; anchors survive haste, crashes and new keys."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core import anchors, journal
from core.actions import Unjournalled, action
from core.actors import SYSTEM, Actor
from core.models import JournalEntry
from core.verify import BrokenJournal, verify
from people.models import Customer


@action
def rename(*, actor: Actor, customer: Customer, names: list[str], entry: bool = True) -> None:
    """Rename step by step, as an action that saves twice does."""
    for name in names:
        customer.name = name
        customer.save()
    if entry:
        journal.record("customer.renamed", actor=actor, subject=customer)


@pytest.fixture
def customer(db: None) -> Customer:
    return Customer.objects.create(name="Northbridge", slug="northbridge")


def test_an_entry_answers_for_every_row_its_action_wrote_and_says_the_whole_change(customer: Customer) -> None:
    rename(actor=SYSTEM, customer=customer, names=["North", "Bridge"])
    entry = JournalEntry.objects.get()
    assert len(entry.history["people.HistoricalCustomer"]) == 2
    assert entry.data["changes"]["name"] == ["Northbridge", "Bridge"]


def test_changing_a_row_between_two_saves_of_one_action_is_found(customer: Customer) -> None:
    rename(actor=SYSTEM, customer=customer, names=["North", "Bridge"])
    Customer.history.filter(name="North").update(name="South")
    with pytest.raises(BrokenJournal, match="HistoricalCustomer"):
        verify()


def test_an_action_that_writes_no_entry_changes_nothing(customer: Customer) -> None:
    with pytest.raises(Unjournalled, match="HistoricalCustomer"):
        rename(actor=SYSTEM, customer=customer, names=["Nobody knows who"], entry=False)
    customer.refresh_from_db()
    assert customer.name == "Northbridge"


def test_an_entry_that_changed_nothing_repeats_nobody_elses_change(customer: Customer) -> None:
    rename(actor=SYSTEM, customer=customer, names=["Bridge"])
    rename(actor=SYSTEM, customer=customer, names=[])
    assert "changes" not in JournalEntry.objects.latest("pk").data


def test_a_column_that_comes_later_breaks_no_old_entry(customer: Customer) -> None:
    row = Customer.history.values().get()
    model = Customer.history.model
    assert journal.row_digest(model, row) == journal.row_digest(model, {k: v for k, v in row.items() if k != "notes"})
    assert journal.row_digest(model, row) != journal.row_digest(model, {**row, "notes": "added by hand"})


def _write(customer: Customer, count: int) -> None:
    for number in range(count):
        rename(actor=SYSTEM, customer=customer, names=[f"Name {number}"])


def test_anchors_written_at_once_are_one_chain(customer: Customer, tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    _write(customer, 1)
    body = {"people": [1, "x"]}

    def line(number: int) -> None:
        with anchors._alone(path) as file:
            lines = path.read_text().splitlines()
            before = json.loads(lines[-1])["signature"] if lines else ""
            one = {"at": str(number), "before": before, "heads": body}
            file.write(json.dumps({**one, "signature": anchors.sign(one)}) + "\n")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(line, range(40)))
    assert len(list(anchors.read(path))) == 40


def test_a_line_cut_short_by_a_crash_is_taken_off_and_anchoring_goes_on(customer: Customer, tmp_path: Path) -> None:
    path = tmp_path / "anchors.jsonl"
    _write(customer, 1)
    anchors.write(path)
    with path.open("a") as file:
        file.write('{"at": "2026-')
    _write(customer, 1)
    assert anchors.write(path) == 1
    assert len(list(anchors.read(path))) == 2


def test_a_new_secret_key_reads_the_anchors_of_the_one_before(customer: Customer, tmp_path: Path, settings) -> None:
    path = tmp_path / "anchors.jsonl"
    _write(customer, 1)
    anchors.write(path)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "n3w" * 30
    assert len(list(anchors.read(path))) == 1
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(anchors.BadAnchor):
        list(anchors.read(path))
