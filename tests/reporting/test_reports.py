"""Asking for a report, following it, taking it away; what stands in it, and who may have it."""

import datetime as dt
import hashlib
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from comms.models import Notification
from core import work
from core.models import JournalEntry
from core.models.work import WorkState
from incidents.actions import incidents as incident_actions
from incidents.actions import lifecycle, links, team
from incidents.models import Incident, Role, RoleAssignment
from people.models import User
from reporting import pdf, tasks
from reporting.actions import reports as actions
from reporting.models import ReportJob
from reporting.models.reports import Step
from reporting.queries.reports import Row, collect, shortened
from tests.comms.working import work_off
from tests.servers import skip_or_fail
from tickets.actions import comments, leads
from tickets.actions import tickets as ticket_actions
from tickets.models import Comment, Ticket

Make = Callable[..., Ticket]
Browser = Callable[..., Client]


@pytest.fixture(autouse=True)
def libraries() -> None:
    if not pdf.available():
        skip_or_fail(pdf.MISSING)


def text_of(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def report_of(incident: Incident, user: User, *chosen: Comment) -> tuple[ReportJob, str]:
    """A report as this person gets it: the job and the text of the file."""
    job = actions.request_report(actor=user, incident=incident, comments=[one.pk for one in chosen])
    tasks.make_report(job.pk)
    job.refresh_from_db()
    assert job.state == WorkState.DONE, job.error
    with default_storage.open(job.key) as file:
        return job, text_of(file.read())


def address(name: str, incident: Incident, job: ReportJob | None = None) -> str:
    return reverse(f"reporting:{name}", kwargs={"number": incident.number, **({"job": job.uuid} if job else {})})


# -- What it says ---------------------------------------------------------------------------------------------------
def test_the_report_tells_the_incident_from_cover_to_seal(
    alice: User, bob: User, incident: Incident, make_ticket: Make
) -> None:
    branch = make_ticket("Initial access by phishing", lead=True)
    make_ticket("Read the mail trace", parent=branch, assignee=bob)
    leads.mark_lead(actor=alice, ticket=branch, lead=True, disposition="confirmed")
    said = comments.add_comment(actor=bob, ticket=branch, body="The beacon **calls** cdn-assets[.]example")
    incident_actions.edit_incident(
        actor=alice, incident=incident, version=Incident.objects.get(pk=incident.pk).version,
        fields={"summary": "A mail with an *ISO* came.", "root_cause": "No filter.", "affected_systems": ["FS02"]},
    )  # fmt: skip
    job, text = report_of(incident, alice, said)
    for words in (
        "Ransomware on the file server", incident.number, "TLP:AMBER", "Medium", "Alice Example", "with an ISO came.",
        "#101 Initial access by phishing", "#102 Read the mail trace", "confirmed", "0/1", "Bob Example",
        "The beacon calls cdn-assets[.]example", "No filter.", "FS02", "Incident Commander", "Team Member",
        "manage.py verify_journal", "Incident report, version 1", f"2 of {job.pages}",
    ):  # fmt: skip
        assert words in text, words
    assert job.head_hash in text.replace(" ", "")


def test_every_page_carries_number_marking_and_page_number(bob: User, incident: Incident) -> None:
    job, _ = report_of(incident, bob)
    with default_storage.open(job.key) as file:
        pages = [page.extract_text() for page in PdfReader(io.BytesIO(file.read())).pages]
    assert len(pages) > 2
    for number, text in enumerate(pages[1:], 2):
        assert incident.number in text
        assert incident.tlp in text
        assert f"{number} of {len(pages)}" in text


def test_the_seal_in_the_report_is_the_entry_that_asked_for_it(alice: User, incident: Incident) -> None:
    job, text = report_of(incident, alice)
    entry = JournalEntry.objects.get(stream=incident.journal_stream, verb="report.requested")
    assert (job.head_seq, job.head_hash) == (entry.seq, entry.hash)
    assert f"had {entry.seq} entries" in text


def test_the_file_is_the_one_that_the_journal_names(alice: User, incident: Incident) -> None:
    job, _ = report_of(incident, alice)
    with default_storage.open(job.key) as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    made = JournalEntry.objects.get(stream=incident.journal_stream, verb="report.made")
    assert digest == job.sha256 == made.data["sha256"]
    assert made.data["head"] == [job.head_seq, job.head_hash]
    assert (made.actor_kind, made.data["pages"]) == ("system", job.pages)


def test_only_chosen_comments_stand_in_it_and_none_of_another_incident(
    alice: User, incident: Incident, secret: Incident, make_ticket: Make
) -> None:
    ticket = make_ticket()
    chosen = comments.add_comment(actor=alice, ticket=ticket, body="Chosen words")
    comments.add_comment(actor=alice, ticket=ticket, body="Left out")
    hidden = ticket_actions.add_ticket(actor=alice, incident=secret, title="Interview")
    foreign = comments.add_comment(actor=alice, ticket=hidden, body="CANARY of another incident")
    job, text = report_of(incident, alice, chosen, foreign)
    assert "Chosen words" in text
    assert "Left out" not in text
    assert "CANARY" not in text
    assert job.comments == [chosen.pk]


def test_a_linked_restricted_incident_is_not_named_even_for_who_may_see_it(
    alice: User, incident: Incident, secret: Incident
) -> None:
    links.link_incidents(actor=alice, source=incident, target=secret, kind="related_to")
    _, text = report_of(incident, alice)
    assert "Insider" not in text
    assert secret.number not in text


@pytest.mark.security
def test_every_role_gets_the_same_report_without_what_the_role_may_not_see(
    alice: User, bob: User, dora: User, incident: Incident, secret: Incident, make_ticket: Make, client_of: Browser,
    auditor: User, carol: User,
) -> None:  # fmt: skip
    make_ticket("Visible work")
    ticket_actions.add_ticket(actor=alice, incident=secret, title="CANARY ticket")
    links.link_incidents(actor=alice, source=incident, target=secret, kind="related_to")
    job, _ = report_of(incident, bob)
    for user in (alice, bob, carol, dora, auditor):
        found = client_of(user).get(address("pdf", incident, job))
        text = text_of(b"".join(found.streaming_content))  # type: ignore[attr-defined]
        assert "Visible work" in text
        assert not {"CANARY", "Insider", secret.number} & set(text.split()), user
    print("PD-11 canary: 5 roles, 0 words of the restricted incident")


def test_the_course_of_time_is_that_of_the_stamps(alice: User, make_incident: Callable[..., Incident]) -> None:
    now = timezone.now() - dt.timedelta(seconds=30)
    detected = now - dt.timedelta(hours=10)
    found = make_incident(detected_at=detected, occurred_at=detected - dt.timedelta(days=3, hours=14))
    drawn = collect(found.pk, [])
    assert [part.words for part in drawn.course.stretches] == [
        "Undetected, 3 d 14 h 00 m", "Not contained, 10 h 00 m so far",
    ]  # fmt: skip
    Incident.objects.filter(pk=found.pk).update(contained_at=now - dt.timedelta(hours=4))
    drawn = collect(found.pk, [])
    assert drawn.course.stretches[0].label == "Undetected, 3 d 14 h 00 m"
    assert [part.words for part in drawn.course.stretches][1:] == [
        "Until contained, 6 h 00 m", "Contained, 4 h 00 m so far",
    ]  # fmt: skip
    ends = [part.x + part.width for part in drawn.course.stretches]
    assert ends[-1] == 680
    assert all(part.width >= 20 for part in drawn.course.stretches)


def test_roll_ups_count_what_is_below_and_long_trees_are_cut_at_a_level(incident: Incident, make_ticket: Make) -> None:
    top = make_ticket("Top")
    middle = make_ticket("Middle", parent=top)
    make_ticket("Leaf", parent=middle)
    make_ticket("Beside")
    rows = collect(incident.pk, []).tickets
    assert [(row.title, row.level, row.total) for row in rows] == [
        ("Top", 1, 2), ("Middle", 2, 1), ("Leaf", 3, 0), ("Beside", 1, 0),
    ]  # fmt: skip
    assert [row.title for row in shortened(rows, 3)[0]] == ["Top", "Middle", "Beside"]
    assert shortened(rows, 3)[1] == 2
    assert [row.title for row in shortened(rows, 1)[0]] == ["Top"]
    assert isinstance(rows[0], Row)


def test_a_big_tree_is_read_with_as_many_queries_as_a_small_one(
    alice: User, incident: Incident, make_ticket: Make, django_assert_max_num_queries: Callable[..., object]
) -> None:
    for count in (3, 25):
        made = [make_ticket(f"Ticket {number}") for number in range(count)]
        said = [comments.add_comment(actor=alice, ticket=ticket, body="Words").pk for ticket in made]
        with django_assert_max_num_queries(6):  # type: ignore[attr-defined]
            collect(incident.pk, said)


# -- Making it --------------------------------------------------------------------------------------------------------
def test_bob_asks_on_the_page_and_downloads_what_was_made(bob: User, incident: Incident, client_of: Browser) -> None:
    browser, page = client_of(bob), address("report", incident)
    assert "No report yet" in browser.get(page).content.decode()
    assert browser.post(address("make", incident))["Location"] == page
    assert "Waiting for a worker" in browser.get(page).content.decode()
    work_off(ReportJob)
    job = ReportJob.objects.get()
    text = browser.get(page).content.decode()
    assert job.sha256 in text
    found = browser.get(address("pdf", incident, job))
    assert found["Content-Disposition"] == f'attachment; filename="{incident.number}-report-1.pdf"'
    assert found["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert found["X-Content-Type-Options"] == "nosniff"
    content = b"".join(found.streaming_content)  # type: ignore[attr-defined]
    assert content.startswith(b"%PDF-")
    assert hashlib.sha256(content).hexdigest() == job.sha256
    assert JournalEntry.objects.filter(verb="report.downloaded", actor_id=bob.pk).count() == 1


def test_with_htmx_the_answer_is_202_and_a_card_that_follows_the_work(
    bob: User, incident: Incident, client_of: Browser
) -> None:
    browser = client_of(bob, headers={"HX-Request": "true"})
    asked = browser.post(address("make", incident))
    job = ReportJob.objects.get()
    assert asked.status_code == 202
    assert f'hx-get="{address("job", incident, job)}"' in asked.content.decode()
    card = address("job", incident, job)
    assert browser.get(card, headers={"HX-PTag": job.tag}).status_code == 304
    claimed = ReportJob.claim(job.pk)
    assert claimed is not None
    assert tasks.say(claimed, Step.LAYING_OUT, 12)
    text = browser.get(card, headers={"HX-PTag": job.tag}).content.decode()
    assert "Laying out, page 12" in text
    assert 'hx-trigger="' in text
    assert claimed.finish(WorkState.FAILED, error="Too much.")
    text = browser.get(card).content.decode()
    assert "Too much." in text
    assert "hx-trigger" not in text


def test_the_bell_tells_who_asked(bob: User, incident: Incident) -> None:
    actions.request_report(actor=bob, incident=incident)
    work_off()
    found = Notification.objects.visible_to(bob).get(kind="report")
    assert found.text == f"Report version 1 of {incident} is ready"
    assert found.url == address("report", incident)


def test_a_report_whose_worker_dies_every_time_is_journalled_and_told_to_who_asked(
    bob: User, incident: Incident
) -> None:
    job = actions.request_report(actor=bob, incident=incident)
    ReportJob.objects.filter(pk=job.pk).update(
        state=WorkState.RUNNING, attempts=ReportJob.most_attempts, due=timezone.now() - dt.timedelta(seconds=1)
    )
    work.sweep()
    entry = JournalEntry.objects.get(verb="report.failed")
    assert (entry.actor_kind, entry.target_id) == ("system", str(job.pk))
    assert "the worker died 3 times" in entry.data["reason"]
    work_off()
    assert Notification.objects.visible_to(bob).get(kind="report").text.endswith("could not be made")
    assert actions.request_report(actor=bob, incident=incident).version_number == 2


def test_two_reports_at_once_are_refused_and_versions_count_up(
    bob: User, incident: Incident, client_of: Browser
) -> None:
    browser = client_of(bob)
    browser.post(address("make", incident))
    again = browser.post(address("make", incident))
    assert (again.status_code, "Version 1 is being made" in again.content.decode()) == (409, True)
    followed = browser.post(address("make", incident), headers={"HX-Request": "true"})
    assert (followed.status_code, "Version 1" in followed.content.decode()) == (202, True)
    work_off(ReportJob)
    browser.post(address("make", incident))
    assert sorted(ReportJob.objects.values_list("version_number", flat=True)) == [1, 2]


def test_a_comment_of_another_incident_cannot_be_chosen(
    alice: User, incident: Incident, secret: Incident, client_of: Browser
) -> None:
    hidden = ticket_actions.add_ticket(actor=alice, incident=secret, title="Interview")
    foreign = comments.add_comment(actor=alice, ticket=hidden, body="CANARY")
    found = client_of(alice).post(address("make", incident), {"comments": [foreign.pk]})
    assert found.status_code == 422
    assert "CANARY" not in found.content.decode()
    assert ReportJob.objects.count() == 0


def test_comments_marked_on_their_ticket_are_chosen_already(
    alice: User, incident: Incident, make_ticket: Make, client_of: Browser
) -> None:
    comment = comments.add_comment(actor=alice, ticket=make_ticket(), body="Marked")
    comments.choose_for_report(actor=alice, comment=comment, in_report=True)
    form = client_of(alice).get(address("report", incident)).context["form"]
    assert form["comments"].value() == [comment.pk]


def test_a_closed_incident_can_be_reported(alice: User, incident: Incident) -> None:
    lifecycle.set_status(
        actor=alice, incident=incident, status="closed", reason="A test of the sensor", resolution="false_positive"
    )
    _, text = report_of(incident, alice)
    assert "Closed (7 of 7)" in text


# -- Who may ----------------------------------------------------------------------------------------------------------
def test_who_may_look_at_make_and_take_a_report(
    alice: User, bob: User, carol: User, dora: User, mallory: User, eve: User, auditor: User, incident: Incident,
    client_of: Browser,
) -> None:  # fmt: skip
    job, _ = report_of(incident, alice)
    expected = {  # page, file, make
        alice: (200, 200, 302), bob: (200, 200, 409), carol: (200, 200, 403), dora: (200, 200, 403),
        mallory: (200, 200, 403), auditor: (200, 200, 403), eve: (404, 404, 404),
    }  # fmt: skip
    for user, codes in expected.items():
        browser = client_of(user)
        found = (
            browser.get(address("report", incident)).status_code,
            browser.get(address("pdf", incident, job)).status_code,
            browser.post(address("make", incident)).status_code,
        )
        assert found == codes, user


def test_of_a_restricted_incident_there_is_no_report_for_outsiders(
    alice: User, carol: User, mallory: User, dora: User, admin_user: User, incident: Incident, secret: Incident,
    client_of: Browser,
) -> None:  # fmt: skip
    job, _ = report_of(secret, alice)
    for user in (carol, mallory, dora, admin_user):
        browser = client_of(user)
        for name in ("report", "job", "pdf"):
            url = address(name, secret, job if name != "report" else None)
            assert browser.get(url).status_code == 404, (user, name)
        assert browser.post(address("make", secret)).status_code == 404
        assert browser.post(address("cancel", secret, job)).status_code == 404
        assert browser.get(address("pdf", incident, job)).status_code == 404  # the job of another incident


def test_who_lost_the_role_while_it_waited_gets_no_report(alice: User, bob: User, incident: Incident) -> None:
    job = actions.request_report(actor=bob, incident=incident)
    team.end_role(actor=alice, assignment=RoleAssignment.objects.get(user=bob, role=Role.MEMBER))
    tasks.make_report(job.pk)
    job.refresh_from_db()
    assert (job.state, job.key) == (WorkState.FAILED, "")
    assert "may not make reports" in job.error


# -- When it goes wrong ------------------------------------------------------------------------------------------------
def test_a_cancelled_report_is_not_made(bob: User, incident: Incident, client_of: Browser) -> None:
    job = actions.request_report(actor=bob, incident=incident)
    client_of(bob).post(address("cancel", incident, job))
    tasks.make_report(job.pk)
    job.refresh_from_db()
    assert (job.state, job.key) == (WorkState.CANCELLED, "")
    assert client_of(bob).get(address("pdf", incident, job)).status_code == 404
    verbs = list(JournalEntry.objects.filter(verb__startswith="report.").values_list("verb", flat=True))
    assert sorted(verbs) == ["report.cancelled", "report.requested"]


def test_cancelling_what_is_being_laid_out_leaves_no_file(bob: User, incident: Incident) -> None:
    job = actions.request_report(actor=bob, incident=incident)
    claimed = ReportJob.claim(job.pk)
    assert claimed is not None
    actions.cancel_report(actor=bob, job=job)
    watch = tasks.Watch(claimed)
    with pytest.raises(pdf.Unwanted):
        pdf.make("<p>words</p>" * 2000, css="", progress=watch)
    made = actions.Made(content=b"%PDF-", pages=1, head=(1, "x"), as_of=timezone.now())
    with pytest.raises(actions.LeaseLost):
        actions.keep_report(actor=bob, job=claimed, made=made)
    assert not default_storage.exists(actions.key_of(claimed, claimed.attempts))


def _kill_first_child_that_lays_out(killed: list[int], stop: threading.Event) -> None:
    """SIGKILL to children of this process that run pdf_process.py, as the machine does when memory runs out."""
    while not stop.is_set():
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                command = (entry / "cmdline").read_bytes()
                parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[1]
            except OSError:
                continue
            if b"pdf_process.py" in command and parent == str(os.getpid()):
                os.kill(int(entry.name), signal.SIGKILL)
                killed.append(int(entry.name))
        time.sleep(0.01)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_killed_process_is_tried_again_and_gives_up_after_three(bob: User, incident: Incident) -> None:
    job = actions.request_report(actor=bob, incident=incident)
    killed: list[int] = []
    stop = threading.Event()
    killer = threading.Thread(target=_kill_first_child_that_lays_out, args=(killed, stop))
    killer.start()
    states = []
    try:
        for _ in range(3):
            tasks.make_report(job.pk)
            job.refresh_from_db()
            states.append((job.state, job.attempts))
            ReportJob.objects.filter(pk=job.pk).update(due=timezone.now())  # the time to try again has come
    finally:
        stop.set()
        killer.join()
    assert states == [("queued", 1), ("queued", 2), ("failed", 3)]
    assert "Given up after 3 attempts" in job.error
    assert len(set(killed)) == 3
    assert JournalEntry.objects.filter(verb="report.failed").count() == 1


def test_a_file_of_an_attempt_that_died_before_its_end_is_cleared_away(bob: User, incident: Incident) -> None:
    job = actions.request_report(actor=bob, incident=incident)
    first = ReportJob.claim(job.pk)
    assert first is not None
    from django.core.files.base import ContentFile  # noqa: PLC0415

    left = default_storage.save(actions.key_of(first, 1), ContentFile(b"half a report"))
    ReportJob.objects.filter(pk=job.pk).update(
        state=WorkState.QUEUED, due=timezone.now()
    )  # what the sweep does with a dead worker's row
    tasks.make_report(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts) == (WorkState.DONE, 2)
    assert not default_storage.exists(left)
    assert default_storage.exists(job.key)


def test_the_same_message_ten_times_makes_one_report(bob: User, incident: Incident) -> None:
    job = actions.request_report(actor=bob, incident=incident)
    for _ in range(10):
        tasks.make_report(job.pk)
    assert JournalEntry.objects.filter(verb="report.made").count() == 1
    assert ReportJob.objects.get().attempts == 1


def test_without_the_libraries_the_job_names_the_packages(tmp_path: Path) -> None:
    """The laying-out process of a machine whose weasyprint cannot be loaded."""
    program = Path(pdf.__file__).with_name("pdf_process.py")
    (tmp_path / "weasyprint.py").write_text("raise OSError('cannot load library libpango-1.0-0')")
    copied = tmp_path / "pdf_process.py"
    copied.write_text(program.read_text())
    ran = subprocess.run(
        [sys.executable, str(copied), "5"], input=b'{"html": "", "css": ""}', capture_output=True, check=True
    )
    assert ran.stderr.strip() == b'{"refused": "libraries"}'
    with pytest.raises(pdf.Refused, match="apt-get install libpango"):
        pdf._result(0, {"refused": "libraries"}, io.BytesIO())
