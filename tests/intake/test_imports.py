"""Importing files: what comes in, what is refused, and that doing it twice changes nothing."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from core.models import JournalEntry
from core.models.work import MAX_ATTEMPTS, WorkState
from core.verify import verify
from core.work import sweep
from incidents.models import Incident
from intake.actions.imports import LostLease, cancel_import, import_batch, request_import
from intake.models import Alert, ImportJob
from intake.splitting import split
from intake.tasks import run_import
from people.models import User
from tests.uploads import kept

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
    assert json.loads(alert.raw)["alert"]["signature_id"] == 2024364
    assert alert.severity == "high"


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


def test_an_alert_that_its_tool_changed_is_updated_and_the_journal_says_what(alice: User) -> None:
    value = json.loads(RANSOMWARE.read_bytes())
    record = value[0] if isinstance(value, list) else value
    bring_in(alice, json.dumps(record).encode())
    record["finding_info"]["title"] = "It was worse than that"
    job = bring_in(alice, json.dumps(record).encode())
    assert (job.created, job.updated) == (0, 1)
    entry = JournalEntry.objects.get(verb="alert.updated")
    assert entry.data["changes"]["title"][1] == "It was worse than that"
    assert Alert.objects.get().state == "incident"


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
