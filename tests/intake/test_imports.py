"""Importing files: what comes in, what is refused, and that doing it twice changes nothing."""

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from core.models import JournalEntry
from core.models.work import MAX_ATTEMPTS, WorkState
from core.verify import verify
from core.work import sweep
from incidents.actions.incidents import open_incident
from incidents.models import Incident
from intake.actions import imports
from intake.actions.imports import LostLease, cancel_import, import_batch, request_import
from intake.actions.triage import dismiss_alert
from intake.models import Alert, AlertVersion, ImportJob, RawPiece
from intake.splitting import split
from intake.tasks import run_import
from people.models import User
from tests.uploads import kept
from tickets.actions.merging import merge_incidents

FIXTURES = Path(__file__).parent.parent / "fixtures"
EVE = FIXTURES / "suricata" / "eve_alerts.ndjson"
FAULTY = FIXTURES / "suricata" / "eve_mixed_with_faults.ndjson"
RANSOMWARE = FIXTURES / "ocsf" / "ransomware_2004_critical.ocsf.json"
Browser = Callable[[User], Client]


def bring_in(user: User, content: bytes, *, name: str = "eve.json", format: str = "") -> ImportJob:
    job = request_import(actor=user, file=kept(name, content), name=name, format=format)
    run_import(job.pk)
    return ImportJob.objects.get(pk=job.pk)


def test_a_suricata_file_becomes_alerts_with_their_raw_payload(alice: User) -> None:
    job = bring_in(alice, EVE.read_bytes())
    assert (job.state, job.format, job.created, job.problems) == ("done", "suricata", 8, 0)
    alert = Alert.objects.get(title__startswith="ET SCAN Possible Nmap", line=1)
    assert json.loads(bytes(alert.raw.content))["alert"]["signature_id"] == 2024364
    assert alert.severity == "high"


def test_a_line_that_wanted_to_be_an_alert_and_is_none_is_listed_with_its_number(alice: User) -> None:
    content = EVE.read_bytes().strip() + b'\n{"event_type": "flow"}\n{"event_type": "alert", "timestamp": "nonsense"}\n'
    job = bring_in(alice, content)
    assert (job.created, job.skipped, job.problems) == (8, 1, 1)
    assert list(job.problem_rows.values_list("line", "reason")) == [(10, "an alert without its alert part")]


def test_the_same_file_twice_changes_nothing(alice: User) -> None:
    bring_in(alice, EVE.read_bytes())
    before = list(Alert.objects.order_by("pk").values())
    again = bring_in(alice, EVE.read_bytes(), name="again.json")
    assert (again.created, again.updated, again.repeated) == (0, 0, 8)
    assert list(Alert.objects.order_by("pk").values()) == before


def test_bad_lines_are_counted_with_their_numbers_and_good_ones_are_in(alice: User, client_of: Browser) -> None:
    good = EVE.read_bytes().splitlines()
    content = b"\n".join([good[0], b'{"broken": ', good[1], b"not json at all", good[2]])
    job = bring_in(alice, content)
    assert (job.state, job.created, job.problems) == ("done", 3, 2)
    assert list(job.problem_rows.values_list("line", flat=True)) == [2, 4]
    download = client_of(alice).get(f"/intake/jobs/{job.uuid}/errors/")
    body = download.getvalue()
    assert b"not json at all" in body
    assert download["Content-Disposition"].startswith("attachment")


def test_a_critical_alert_opens_an_incident_by_itself_and_equal_ones_join_it(alice: User) -> None:
    job = bring_in(alice, RANSOMWARE.read_bytes(), name="edr.json")
    assert job.incidents == 1
    incident = Incident.objects.get()
    assert incident.severity == "critical"
    assert incident.severity_assessed_at is None
    assert list(incident.assignments.values_list("user__username", "role")) == [("alice", "team_member")]
    value = json.loads(RANSOMWARE.read_bytes())
    record = value[0] if isinstance(value, list) else value
    record["finding_info"]["uid"] = "another-id-of-the-same-kind"
    second = bring_in(alice, json.dumps(record).encode(), name="edr2.json")
    assert (second.created, second.incidents) == (1, 0)
    assert incident.alerts.count() == 2


def finding(**info: str) -> dict[str, Any]:
    """A critical finding of an EDR, with other words in its finding_info."""
    value = json.loads(RANSOMWARE.read_bytes())
    record: dict[str, Any] = value[0] if isinstance(value, list) else value
    record["finding_info"] |= info
    return record


def beacon(severity: str, *, title: str = "Beacon") -> bytes:
    """The same alert of Suricata, as severe as this."""
    line = json.loads(EVE.read_bytes().splitlines()[0])
    line["alert"] |= {"signature": title, "metadata": {"signature_severity": [severity]}}
    return json.dumps(line).encode()


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_an_alert_to_triage_takes_its_tools_new_words_and_both_payloads_are_kept(alice: User, client_of) -> None:
    first, second = beacon("Minor"), beacon("Major", title="Beacon to a known server")
    bring_in(alice, first)
    job = bring_in(alice, second)
    assert (job.created, job.updated) == (0, 1)
    alert, version = Alert.objects.get(), AlertVersion.objects.get()
    assert (alert.title, alert.severity) == ("Beacon to a known server", "high")
    assert (bytes(alert.raw.content), bytes(version.raw.content)) == (first, second)
    entry = JournalEntry.objects.get(verb="alert.updated")
    assert entry.data["changes"]["title"] == ["Beacon", "Beacon to a known server"]
    assert entry.data["raw"] == [digest(first), digest(second)]
    page = client_of(alice).get(alert.get_absolute_url()).content.decode()
    assert digest(first) in page
    assert digest(second) in page


def test_an_alert_in_an_incident_keeps_its_own_words_and_the_incident_hears_of_others(alice: User) -> None:
    content = json.dumps(finding()).encode()
    bring_in(alice, content)
    before = Alert.objects.values().get()
    job = bring_in(alice, json.dumps(finding(title="Nothing to see here")).encode())
    assert (job.created, job.updated, job.repeated) == (0, 1, 0)
    assert Alert.objects.values().get() == before
    assert bytes(Alert.objects.get().raw.content) == content
    assert AlertVersion.objects.get().record["title"] == "Nothing to see here"
    entry = JournalEntry.objects.get(verb="alert.updated")
    assert entry.stream == Incident.objects.get().journal_stream
    assert entry.data["said"]["title"][1] == "Nothing to see here"
    again = bring_in(alice, json.dumps(finding(title="Nothing to see here")).encode())
    assert (again.updated, again.repeated, AlertVersion.objects.count()) == (0, 1, 1)
    back = bring_in(alice, content)
    assert (back.updated, AlertVersion.objects.count()) == (1, 2)


def test_mallory_learns_nothing_of_a_hidden_alert_and_changes_nothing_of_it(alice: User, mallory: User) -> None:
    bring_in(alice, json.dumps(finding()).encode())
    Incident.objects.update(restricted=True)
    before = Alert.objects.values().get()
    job = bring_in(mallory, json.dumps(finding(title="Nothing to see here")).encode())
    assert (job.created, job.updated, job.repeated, job.incidents) == (0, 0, 1, 0)
    assert Alert.objects.values().get() == before
    assert AlertVersion.objects.count() == 1
    assert not JournalEntry.objects.filter(stream="intake", verb="alert.updated").exists()


def test_an_import_of_mallory_does_not_join_a_hidden_incident(alice: User, mallory: User) -> None:
    bring_in(alice, json.dumps(finding()).encode())
    hidden = Incident.objects.get()
    Incident.objects.filter(pk=hidden.pk).update(restricted=True)
    job = bring_in(mallory, json.dumps(finding(uid="another")).encode())
    assert (job.created, job.incidents, hidden.alerts.count()) == (1, 1, 1)
    opened = Incident.objects.exclude(pk=hidden.pk).get()
    mine = bring_in(alice, json.dumps(finding(uid="a third")).encode())
    assert (mine.incidents, opened.alerts.count(), hidden.alerts.count()) == (0, 2, 1)


def test_a_closed_incident_is_not_joined_but_the_one_it_was_merged_into_is(alice: User, bob: User) -> None:
    bring_in(alice, json.dumps(finding()).encode())
    first = Incident.objects.get()
    other = open_incident(actor=alice, title="The whole story", reporter=alice, commander=alice)
    merge_incidents(actor=alice, source=first, target=other, reason="One story")
    job = bring_in(bob, json.dumps(finding(uid="another")).encode())
    assert (job.incidents, other.alerts.count()) == (0, 1)
    Incident.objects.filter(pk=other.pk).update(status="closed")
    assert bring_in(bob, json.dumps(finding(uid="a third")).encode()).incidents == 1


def test_an_update_that_makes_an_alert_critical_opens_an_incident(alice: User) -> None:
    assert bring_in(alice, beacon("Minor")).incidents == 0
    job = bring_in(alice, beacon("Critical"))
    assert (job.created, job.updated, job.incidents) == (0, 1, 1)
    alert = Alert.objects.get()
    assert (alert.state, alert.severity) == ("incident", "critical")
    assert Incident.objects.get(alerts=alert).severity == "critical"


def test_a_dismissed_alert_that_becomes_critical_stays_dismissed(alice: User) -> None:
    bring_in(alice, beacon("Minor"))
    dismiss_alert(actor=alice, alert=Alert.objects.get(), reason="Our own scanner.")
    assert bring_in(alice, beacon("Critical")).incidents == 0
    assert Alert.objects.get().state == "dismissed"


def wrapper(count: int) -> bytes:
    return json.dumps({"findings": [finding(uid=f"f-{n}") | {"severity_id": 2} for n in range(count)]}).encode()


def test_many_findings_of_one_record_share_its_bytes(alice: User) -> None:
    content = wrapper(300)
    job = bring_in(alice, content)
    assert (job.state, job.created, RawPiece.objects.count()) == ("done", 300, 1)
    piece = RawPiece.objects.get()
    assert (piece.sha256, piece.length) == (digest(content), len(content))


def test_records_of_many_findings_are_taken_in_a_few_at_a_time(alice: User, monkeypatch) -> None:
    monkeypatch.setattr(imports, "ENOUGH_ALERTS", 5)
    content = b"\n".join(
        json.dumps({"findings": [finding(uid=f"{line}-{n}") | {"severity_id": 2} for n in range(3)]}).encode()
        for line in range(5)
    )
    job = bring_in(alice, content)
    assert (job.state, job.created, job.records) == ("done", 15, 5)
    entries = JournalEntry.objects.filter(verb="alerts.imported").order_by("seq")
    assert [len(entry.data["alerts"]) for entry in entries] == [6, 6, 3]


def test_beyond_a_thousand_findings_of_one_record_the_rest_is_a_problem(alice: User) -> None:
    small = {"class_uid": 2004, "metadata": {"product": {"name": "Tool"}}}
    findings = [small | {"finding_info": {"title": "Weak", "uid": f"f-{n}"}} for n in range(1001)]
    job = bring_in(alice, json.dumps({"findings": findings}).encode())
    assert (job.created, job.problems) == (1000, 1)
    assert "more than 1000 findings" in job.problem_rows.get().reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\x00\x01\x02\xff" * 400, "could be read"),
        (b"[" * 10_000, "could be read"),
        (b'{"a":' * 10_000, "could be read"),
        (b"name,age\nbob,3\n", "could be read"),
        (b'{"some": "other", "tool": 1}\n', "no format we can read"),
        ('{"event_type":"alert"}'.encode("utf-16"), "could be read"),
        (b"%PDF-1.7 ...", "could be read"),
    ],
)
def test_a_file_that_is_no_alerts_ends_with_a_reason_and_line_numbers(alice: User, content: bytes, said: str) -> None:
    job = bring_in(alice, content)
    assert job.state == WorkState.FAILED
    assert said in job.error or "no format we can read" in job.error
    assert job.problems >= 1
    assert job.problem_rows.filter(line__gte=1).exists()
    assert Alert.objects.count() == 0


def test_a_truncated_file_keeps_what_was_whole(alice: User) -> None:
    content = EVE.read_bytes().strip()
    job = bring_in(alice, content[:-40])
    assert (job.created, job.problems) == (7, 1)


def test_an_empty_file_is_refused_on_the_page(alice: User, client_of: Browser) -> None:
    answer = client_of(alice).post("/intake/", {"file": SimpleUploadedFile("empty.json", b"")})
    assert answer.status_code == 422
    assert ImportJob.objects.count() == 0


def test_a_file_over_the_limit_is_refused_with_both_sizes(alice: User, settings, client_of: Browser) -> None:
    settings.IMPORT_MAX_BYTES = 2**20
    answer = client_of(alice).post("/intake/", {"file": SimpleUploadedFile("big.json", b"x" * (2**20 + 1))})
    assert answer.status_code == 422
    assert "1.0 MB; at most 1 MB" in answer.content.decode()
    assert ImportJob.objects.count() == 0


def test_a_cancelled_import_stops_and_keeps_what_is_in(alice: User) -> None:
    job = request_import(actor=alice, file=kept("eve.json", EVE.read_bytes()), name="eve.json")
    claimed = ImportJob.claim(job.pk)
    assert claimed is not None
    pieces = list(split(io.BytesIO(EVE.read_bytes())))
    import_batch(actor=alice, job=claimed, format="suricata", pieces=pieces[:3])
    cancel_import(actor=alice, job=job)
    with pytest.raises(LostLease):
        import_batch(actor=alice, job=claimed, format="suricata", pieces=pieces[3:])
    assert Alert.objects.count() == 3
    assert ImportJob.objects.get(pk=job.pk).state == "cancelled"


def test_equal_ids_of_two_sites_are_two_alerts_when_the_site_is_said(alice: User) -> None:
    line = json.loads(EVE.read_bytes().splitlines()[0])
    for site in ("Rotterdam", "Oslo", "Oslo"):
        content = kept("eve.json", json.dumps(line).encode())
        run_import(request_import(actor=alice, file=content, name="eve.json", sensor=site).pk)
    assert sorted(Alert.objects.values_list("instance", flat=True)) == ["Oslo", "Rotterdam"]


def test_ten_deliveries_of_one_message_import_once(alice: User) -> None:
    job = request_import(actor=alice, file=kept("eve.json", EVE.read_bytes()), name="eve.json")
    for _ in range(10):
        run_import(job.pk)
    job.refresh_from_db()
    assert (job.created, job.repeated, job.attempts) == (8, 0, 1)


def test_a_job_whose_worker_dies_again_and_again_is_given_up(alice: User) -> None:
    job = request_import(actor=alice, file=kept("eve.json", EVE.read_bytes()), name="eve.json")
    for _ in range(MAX_ATTEMPTS):
        ImportJob.claim(job.pk)
        ImportJob.objects.filter(pk=job.pk).update(due=job.created_at)
        sweep()
    job.refresh_from_db()
    assert job.state == WorkState.FAILED
    assert "died 3 times" in job.error
    entry = JournalEntry.objects.get(verb="import.failed")
    assert (entry.actor_kind, entry.data["error"]) == ("system", job.error)


def test_the_command_imports_on_the_same_path(alice: User, capsys) -> None:
    call_command("import_alerts", str(EVE), "--as", alice.email)
    assert "8 new" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no active responder"):
        call_command("import_alerts", str(EVE), "--as", "nobody@demo.example")


def test_hostile_words_in_an_alert_are_shown_literally(alice: User, client_of: Browser) -> None:
    line = json.loads(EVE.read_bytes().splitlines()[0])
    line["alert"]["signature"] = '<svg/onload=window.__pwn=1>"><img src=x>'
    bring_in(alice, json.dumps(line).encode())
    alert = Alert.objects.get()
    for path in ("/alerts/", alert.get_absolute_url()):
        page = client_of(alice).get(path).content.decode()
        assert "<svg/onload" not in page
        assert "&lt;svg/onload" in page


def test_everything_an_import_did_stands_in_a_whole_journal(alice: User) -> None:
    bring_in(alice, FAULTY.read_bytes())
    verbs = set(JournalEntry.objects.values_list("verb", flat=True))
    assert {"import.requested", "alerts.imported", "import.finished"} <= verbs
    imported = JournalEntry.objects.get(verb="alerts.imported")
    assert set(imported.data["alerts"]) == set(Alert.objects.values_list("pk", flat=True))
    assert verify().entries == JournalEntry.objects.count()


def test_managers_look_but_do_not_import_and_customers_see_nothing(dora: User, eve: User, client_of: Browser) -> None:
    assert client_of(dora).get("/intake/").status_code == 200
    assert client_of(dora).post("/intake/", {"file": SimpleUploadedFile("e.json", b"{}")}).status_code == 403
    assert client_of(eve).get("/intake/").status_code == 403
    assert client_of(eve).get("/alerts/").status_code == 403
