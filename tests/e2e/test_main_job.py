"""The main job: Alice and Bob work a real alert from the file it came in to the signed-off report."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect
from pypdf import PdfReader

from tests.e2e import steps
from tests.e2e.conftest import People
from tests.e2e.treeline import Treeline

EVE = steps.FIXTURES / "suricata" / "eve_mixed_with_faults.ndjson"
CRITICAL = "EXAMPLE MALWARE Loader checks in"
OTHER = "EXAMPLE DNS Query for a known bad name"
ACTOR, IMAGE, RESTORE = "Threat actor A", "Take a memory image", "Restore the file server"
FINAL = "Take a memory image of WS-0147"
LESSON = "Service accounts get managed passwords."


def test_two_people_work_an_alert_from_the_file_to_the_signed_off_report(
    people: People, treeline: Treeline, tmp_path: Path
) -> None:
    alice, bob = people.open("alice"), people.open("bob")
    for page in (alice, bob):
        read_old_news(page)
    number = import_alerts(alice)
    promote_another(alice)
    take_the_lead(alice, number)
    grow_the_tree(alice, number)
    bob_works_his_ticket(bob, number, tmp_path)
    alice_sees_it_and_moves_a_branch(alice, bob, number)
    both_edit_the_same_ticket(alice, bob, number)
    closing_names_what_is_missing(alice, number)
    finish_the_work(alice, bob, number)
    walk_the_life_cycle(alice, number)
    text = make_the_report(alice, number, tmp_path)
    for words in (CRITICAL, ACTOR, FINAL, RESTORE, "beacon is in lsass", LESSON):
        assert words in text
    the_journal_has_it_all(alice, treeline, number, text)
    assert people.seen_by(alice).foreign == people.seen_by(bob).foreign == []


def read_old_news(page: Page) -> None:
    page.goto(f"{steps.base_of(page)}/notifications/")
    everything = page.get_by_role("button", name="Mark all as read")
    if everything.count():
        everything.click()
    expect(page.get_by_role("link", name="Notifications", exact=True)).to_be_visible()


def import_alerts(alice: Page) -> str:
    alice.goto(f"{steps.base_of(alice)}/intake/")
    steps.field(alice, "File").set_input_files(EVE)
    alice.get_by_role("button", name="Import").click()
    job = alice.locator("#job")
    expect(job.get_by_text("Done")).to_be_visible()
    expect(job.get_by_text("100 % read")).to_be_attached()
    facts = dict(
        zip(job.locator("dl.facts dt").all_inner_texts(), job.locator("dl.facts dd").all_inner_texts(), strict=True)
    )
    assert int(facts["New alerts"]) == 3
    assert facts["Incidents opened"] == "1"
    assert int(facts["Unreadable"]) == job.locator("tbody tr").count() == 2
    alice.goto(f"{steps.base_of(alice)}/alerts/?state=incident")
    alice.get_by_role("row").filter(has_text=CRITICAL).get_by_role("link", name="IR-").click()
    alice.wait_for_url(re.compile("/incidents/IR-"))
    expect(alice.get_by_role("heading", level=1)).to_contain_text(CRITICAL)
    return steps.number_of(alice)


def promote_another(alice: Page) -> None:
    alice.goto(f"{steps.base_of(alice)}/alerts/")
    alice.get_by_role("link", name=OTHER).click()
    alice.get_by_role("button", name="Open an incident").click()
    alice.wait_for_url(re.compile("/incidents/IR-"))
    expect(alice.get_by_role("heading", level=1)).to_contain_text(OTHER)


def take_the_lead(alice: Page, number: str) -> None:
    steps.go(alice, number)
    expect(alice.locator("#missing")).to_contain_text("has no commander")
    expect(alice.locator("#missing")).to_contain_text("severity has not been assessed")
    steps.go(alice, number, "members/")
    alice.get_by_role("button", name="Take command").click()
    expect(alice.get_by_role("row").filter(has_text="Incident Commander")).to_contain_text("Alice")
    alice.get_by_role("button", name="More actions").click()
    alice.get_by_role("link", name="Assess severity").click()
    steps.dialog(alice).get_by_label("Critical").check()
    steps.dialog(alice).get_by_role("button", name="Assess").click()
    expect(steps.dialog(alice)).to_have_count(0)
    steps.go(alice, number, "members/")
    alice.get_by_role("main").get_by_role("link", name="Add").click()
    steps.field(steps.dialog(alice), "Person").select_option(label="Bob Wrona")
    steps.field(steps.dialog(alice), "Role").select_option(label="Team Member")
    steps.field(steps.dialog(alice), "Role").press("Control+Enter")
    expect(alice.get_by_role("row").filter(has_text="Bob Wrona")).to_contain_text("Team Member")


def grow_the_tree(alice: Page, number: str) -> None:
    steps.go(alice, number, "tree/")
    alice.get_by_role("link", name="Add the first ticket").click()
    form = steps.dialog(alice)
    steps.field(form, "Title").fill(ACTOR)
    form.get_by_label("A lead").check()
    form.get_by_role("button", name="Add and close").click()
    steps.toast(alice, "added")
    expect(steps.row(alice, ACTOR)).to_be_visible()
    steps.row(alice, ACTOR).focus()
    alice.keyboard.press("n")
    alice.locator("tr.adding input").fill(IMAGE)
    alice.keyboard.press("Enter")
    expect(steps.row(alice, IMAGE)).to_have_attribute("aria-level", "2")
    alice.keyboard.press("Escape")
    steps.row(alice, IMAGE).focus()
    alice.keyboard.press("a")
    steps.field(form, "Assignee").select_option(label="Bob Wrona")
    form.get_by_role("button", name="Assign").click()
    expect(steps.row(alice, IMAGE).locator(".k-who")).to_contain_text("Bob Wrona")
    alice.get_by_role("link", name="Add ticket").click()
    steps.field(form, "Title").fill(RESTORE)
    form.get_by_role("button", name="Add and close").click()
    expect(steps.row(alice, RESTORE)).to_have_attribute("aria-level", "1")


def bob_works_his_ticket(bob: Page, number: str, folder: Path) -> None:
    bell = bob.get_by_role("link", name=re.compile("Notifications, 2 new"))
    expect(bell).to_be_visible()  # the role and the ticket, without a reload
    bell.click()
    expect(bob.get_by_role("main")).to_contain_text(IMAGE)
    steps.go(bob, number, "tree/")
    steps.row(bob, ACTOR).focus()
    bob.keyboard.press("ArrowDown")
    expect(steps.row(bob, IMAGE)).to_be_focused()
    bob.keyboard.press("s")
    status = steps.field(steps.dialog(bob), "Status")
    expect(status).to_be_focused()
    status.select_option("doing")
    status.press("Control+Enter")
    expect(steps.row(bob, IMAGE).locator(".k-state")).to_contain_text("In progress")
    steps.row(bob, IMAGE).focus()
    bob.keyboard.press("Enter")
    bob.wait_for_url(re.compile("/tickets/[0-9]+/"))
    bob.get_by_placeholder("Comment, Markdown, @name").fill("@alice the **beacon is in lsass**, see the image.")
    bob.get_by_role("button", name="Comment", exact=True).click()
    expect(bob.locator(".prose strong").filter(has_text="beacon is in lsass")).to_be_visible()
    image = folder / "ws-0147.raw.txt"
    image.write_bytes(b"MZ\x90\x00 not really an image")
    bob.locator("input[type=file]").set_input_files(image)
    bob.get_by_role("button", name="Attach").click()
    link = bob.get_by_role("link", name=re.compile("ws-0147.raw.txt"))
    expect(link).to_be_visible()
    with bob.expect_download() as download:
        link.click()
    assert Path(download.value.path()).read_bytes() == image.read_bytes()


def alice_sees_it_and_moves_a_branch(alice: Page, bob: Page, number: str) -> None:
    expect(steps.row(alice, IMAGE).locator(".k-state")).to_contain_text(
        "In progress"
    )  # still the page of grow_the_tree
    expect(alice.get_by_role("link", name=re.compile("Notifications, [0-9]+ new"))).to_be_visible()
    alice.get_by_role("link", name=re.compile("Notifications, [0-9]+ new")).click()
    expect(alice.get_by_role("main")).to_contain_text("Bob")
    steps.go(alice, number, "tree/")
    steps.go(bob, number, "tree/")
    steps.drag(alice, steps.row(alice, RESTORE), steps.row(alice, ACTOR))
    expect(steps.row(alice, RESTORE)).to_have_attribute("aria-level", "2")
    expect(steps.row(bob, RESTORE)).to_have_attribute("aria-level", "2")  # without a reload


def both_edit_the_same_ticket(alice: Page, bob: Page, number: str) -> None:
    for page in (alice, bob):
        steps.row(page, IMAGE).focus()
        page.keyboard.press("e")
        expect(steps.field(steps.dialog(page), "Title")).to_have_value(IMAGE)
    steps.field(steps.dialog(alice), "Title").fill("Image WS-0147")
    steps.dialog(alice).get_by_role("button", name="Save").click()
    expect(steps.dialog(alice)).to_have_count(0)
    steps.field(steps.dialog(bob), "Title").fill(FINAL)
    steps.dialog(bob).get_by_role("button", name="Save").click()
    both = steps.dialog(bob)
    expect(both).to_contain_text("Somebody else saved first")
    expect(both).to_contain_text("Image WS-0147")
    both.get_by_label(re.compile(f"Yours.*{FINAL}")).check()
    both.get_by_role("button", name="Save this choice").click()
    expect(steps.row(bob, FINAL)).to_be_visible()
    expect(steps.row(alice, FINAL)).to_be_visible()


def closing_names_what_is_missing(alice: Page, number: str) -> None:
    steps.go(alice, number)
    alice.get_by_role("link", name="Another step …").click()
    form = steps.dialog(alice)
    steps.field(form, "New stage").select_option("closed")
    steps.field(form, "Reason").fill("We are tired.")
    form.get_by_role("button", name="Set stage").click()
    for words in ("3 tickets are open", "1 lead has no result", "lessons learned", "post-mortem"):
        expect(form.get_by_role("alert").first).to_contain_text(words)
    steps.close_dialog(alice)


def finish_the_work(alice: Page, bob: Page, number: str) -> None:
    steps.go(bob, number, "tree/")
    for title in (FINAL, RESTORE):
        set_done(bob, title)
    steps.go(alice, number, "tree/")
    set_done(alice, ACTOR, disposition="confirmed")
    steps.go(bob, number, f"tickets/{steps.ticket_number(alice, FINAL)}/")
    bob.get_by_role("button", name="Put into the report").click()
    expect(bob.get_by_text("in the report").first).to_be_visible()
    steps.go(alice, number, "edit/review/")
    steps.field(alice, "Root cause").fill("The password of `svc_backup` had nine characters.")
    steps.field(alice, "Lessons learned").fill(LESSON)
    alice.get_by_role("main").get_by_role("button", name="Save").click()
    alice.wait_for_url(re.compile(f"/incidents/{number}/$"))
    steps.go(alice, number, "post-mortem/")
    alice.get_by_role("button", name="Approve").click()
    alice.wait_for_url(re.compile(f"/incidents/{number}/$"))


def set_done(page: Page, title: str, *, disposition: str = "") -> None:
    steps.row(page, title).focus()
    page.keyboard.press("s")
    form = steps.dialog(page)
    steps.field(form, "Status").select_option("done")
    if disposition:
        form.locator(f"input[name=disposition][value={disposition}]").check()
    form.get_by_role("button", name="Set status").click()
    expect(steps.row(page, title).locator(".k-state")).to_contain_text("Done")


def walk_the_life_cycle(alice: Page, number: str) -> None:
    steps.go(alice, number)
    for stage in ("Analyzing", "Contained", "Eradicated", "Recovered", "Post-Incident Review", "Closed"):
        alice.get_by_role("button", name=f"Set to {stage}").click()
        expect(alice.locator("ol.stepper [aria-current=step]")).to_contain_text(stage)
    expect(alice.get_by_text("This incident is closed")).to_be_visible()


def make_the_report(alice: Page, number: str, folder: Path) -> str:
    steps.go(alice, number, "report/")
    alice.get_by_role("button", name="Make PDF").click()
    expect(alice.locator("#report-job")).to_contain_text("Version 1")
    ready = alice.get_by_role("link", name="Download PDF")
    expect(ready).to_be_visible(timeout=120_000)
    with alice.expect_download() as download:
        ready.click()
    path = folder / "report.pdf"
    download.value.save_as(path)
    return " ".join(" ".join(page.extract_text() for page in PdfReader(path).pages).split())


def the_journal_has_it_all(alice: Page, treeline: Treeline, number: str, report: str) -> None:
    said = re.search(r"had ([0-9]+) entries.*?sealed with ((?:[0-9a-f] ?){64})", report)
    assert said, "the report says how long the journal was, and its last hash"
    length, head = said[1], said[2].replace(" ", "")
    steps.go(alice, number, "audit/")
    pages = alice.get_by_role("main").inner_text()
    while alice.get_by_role("link", name="Next").count():
        alice.get_by_role("link", name="Next").click()
        pages += alice.get_by_role("main").inner_text()
    assert f"#{length} {head[:10]}" in pages, "the audit page shows the entry that the report ends with"
    for words in ("Alice Lindqvist", "Bob Wrona", "import eve_mixed_with_faults.ndjson"):
        assert words in pages
    assert len(set(re.findall(r"#([0-9]+) [0-9a-f]{10}", pages))) >= int(length)
    for command in ("verify_journal", "check_trees"):
        done = treeline.manage(command)
        assert done.returncode == 0, done.stdout + done.stderr
