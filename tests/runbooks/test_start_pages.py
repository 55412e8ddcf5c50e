"""The palette and the form: what fits, what will become of it, which steps are left out, what is refused."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.models import Incident
from runbooks.actions.runs import rate_run
from runbooks.actions.starts import run_runbook
from runbooks.models import Run
from runbooks.queries.starts import palette
from tests.runbooks.conftest import put_in_force
from tests.runbooks.test_runs import HTMX, browser  # noqa: F401
from tests.runbooks.test_starts import VALUES, order
from tickets.models import Ticket

SENT = {"value-link": "evil.example", "value-owner": "ada"}


@pytest.fixture
def url(incident: Incident) -> str:
    return f"/incidents/{incident.number}/runbooks/"


@pytest.mark.parametrize("name", ["", " ", "\x00", "../x", "a b", "x" * 5000, "\u202e"])
def test_a_name_that_no_runbook_can_have_chooses_nothing(browser, url, phishing, name) -> None:  # noqa: F811
    assert browser.get(url, {"choose": name}, follow=True).status_code in (200, 404)
    assert browser.get(f"{url}phishing/run/", {"also": name, "add": name}).status_code in (200, 404)


# -- The palette ------------------------------------------------------------------------------------------------------
def test_the_palette_shows_what_fits_first_with_tickets_and_version(browser, url, phishing, incident) -> None:  # noqa: F811
    Incident.objects.filter(pk=incident.pk).update(type="phishing")
    phishing.incident_types = ["phishing"]
    phishing.save()
    html = browser.get(url, headers=HTMX).content.decode()
    assert html.index("Fits Phishing") < html.index("<b>Phishing</b>") < html.index("<b>Reset an account</b>")
    assert 'data-count="9"' in html
    assert "v1, 1 automated, shared with customer" in html


def texts_asked_for(found: CaptureQueriesContext) -> list[str]:
    """The queries that load the texts of runbooks."""
    return [one["sql"] for one in found if '"body"' in one["sql"]]


def test_the_palette_counts_sub_playbooks_and_loads_no_text_of_those_it_does_not_show(
    *, url, bob, incident, phishing, make_runbook
) -> None:
    for number in range(20):
        make_runbook(f"other-{number}", "- [ ] x\n", f"Other {number}")
    with CaptureQueriesContext(connection) as found:
        [offer] = palette(incident, bob, text="phish").others
    assert (offer.tickets, offer.automated, offer.shared) == (9, 1, 1)
    [loads] = texts_asked_for(found)
    assert "other-1" not in loads
    assert "reset-account" in loads
    assert all(name not in one["sql"] for name in ('"body_html"', '"folded"') for one in found)


@pytest.mark.parametrize("many", [3, 40])
def test_the_palette_costs_the_same_queries_however_many_runbooks_there_are(
    *, bob, incident, make_runbook, reset, many, django_assert_num_queries
) -> None:
    for number in range(many):
        make_runbook(f"b{number}", "- [ ] x\n![[runbook:reset-account]]\n", f"B {number}")
    assert Incident.objects.visible_to(bob).exists()  # what he may see is known of him by now
    with django_assert_num_queries(4):
        found = palette(incident, bob)
    assert [offer.tickets for offer in found.others] == [5] * many + [3]


def test_one_that_cannot_be_read_keeps_no_other_from_the_palette(bob, incident, make_runbook, reset) -> None:
    make_runbook("broken", "- [ ] x !2x\n")
    make_runbook("whole", "![[runbook:broken]]\n")
    found = {offer.document.slug: offer for offer in palette(incident, bob).others}
    assert found["broken"].problem == "Its text cannot be read."
    assert "“broken”, which is not there" in found["whole"].problem
    assert found["reset-account"].tickets == 3


def test_the_form_loads_no_text_of_runbooks_that_could_be_added(browser, url, phishing, make_runbook) -> None:  # noqa: F811
    make_runbook("other", "- [ ] Unmistakable\n", "Other")
    with CaptureQueriesContext(connection) as found:
        html = browser.get(f"{url}phishing/run/").content.decode()
    assert '<option value="other">Other</option>' in html
    assert len(texts_asked_for(found)) == 2  # its own, and that of its sub-playbook
    assert all("slug" in one and "IN" in one for one in texts_asked_for(found))


def test_what_cannot_run_says_so_and_is_not_dragged(browser, url, make_runbook) -> None:  # noqa: F811
    make_runbook("round", "![[runbook:round]]\n", "Round")
    html = browser.get(url).content.decode()
    assert "cannot run: A runbook cannot contain itself" in html
    assert 'draggable="true"' not in html


def test_a_median_tells_nothing_of_an_incident_one_may_not_see(
    *, client_of, alice, mallory, url, reset, secret, incident
) -> None:
    run = run_runbook(actor=alice, incident=secret, document=reset, under=None, values=VALUES)
    rate_run(actor=alice, run=run, version=1, rating=5, worked=True)
    assert "median" in client_of(alice).get(url).content.decode()
    assert client_of(mallory).get(url).status_code == 403
    visible = Run.objects.visible_to(mallory)
    assert not visible.exists()


def test_several_are_chosen_at_once(browser, url, phishing, reset, make_ticket) -> None:  # noqa: F811
    make_ticket("Here")
    answer = browser.get(f"{url}?choose=phishing&choose=reset-account&under=101", follow=True)
    html = answer.content.decode()
    assert "Insert 2 runbooks" in html
    assert "#101 Here" in html
    assert html.count('name="value-owner"') == 1


# -- The form ---------------------------------------------------------------------------------------------------------
def test_the_form_shows_the_branch_and_what_is_likely(browser, url, make_runbook, incident) -> None:  # noqa: F811
    make_runbook("r", "- [ ] Call {{ commander }} about {{ incident_number }} @legal_lead\n", "R")
    html = browser.get(f"{url}r/run/").content.decode()
    assert 'value="Alice Example"' in html
    assert f'value="{incident.number}"' in html
    assert f"Call Alice Example about {incident.number}" in html
    assert "Legal Lead: nobody yet" in html
    assert "2 tickets will be inserted" in html


def test_bob_inserts_it_below_a_ticket_with_undo(browser, url, phishing, incident, make_ticket) -> None:  # noqa: F811
    make_ticket("Here")
    html = browser.post(f"{url}phishing/run/", {**SENT, "under": "#101 Here"}, headers=HTMX).content.decode()
    assert "9 tickets of “Phishing” inserted." in html
    assert "/undo/" in html
    assert Ticket.objects.get(runs__isnull=False).parent.number == 101


def test_unchecked_steps_are_left_out(browser, url, phishing, incident) -> None:  # noqa: F811
    kept = [f"phishing:{place}" for place in ("1", "1.1", "2", "1.2.1", "1.2.2")]
    sent = {**SENT, "boxes": "1", "book": "phishing", "keep": kept}
    preview = browser.post(f"{url}phishing/run/?preview=1", sent, headers=HTMX).content.decode()
    assert "4 tickets will be inserted" in preview
    assert order(incident) == []
    browser.post(f"{url}phishing/run/", sent)
    assert [title for _, title in order(incident)] == [
        "Phishing", "Containment", "Block evil.example at the proxy", "After",
    ]  # fmt: skip


LONG = 1050  # steps, more than have a box


def long_runbook(make_runbook, slug: str = "long") -> None:
    make_runbook(slug, "".join(f"- [ ] Step {number}\n" for number in range(1, LONG + 1)) + "  - [ ] Below the last\n")


def test_steps_without_a_box_are_left_out_by_name(browser, url, incident, make_runbook) -> None:  # noqa: F811
    long_runbook(make_runbook)
    html = browser.get(f"{url}long/run/").content.decode()
    boxes = re.findall(r'name="keep" id="[^"]*" value="([^"]*)"', html)
    assert len(boxes) == 999  # and the top
    assert "Leave out as well" in html
    assert f"and {LONG + 2 - 1000} more steps, which are too many to be shown" in html
    sent = {"boxes": "1", "book": "long", "keep": boxes[1:], "out": f"1001, {LONG}"}
    shown = browser.post(f"{url}long/run/?preview=1", sent, headers=HTMX).content.decode()
    assert f"{LONG - 2} tickets will be inserted." in shown
    assert browser.post(f"{url}long/run/", sent).status_code == 302
    titles = set(Ticket.objects.filter(incident=incident).values_list("title", flat=True))
    assert {"Step 1000", "Step 1002"} <= titles
    assert not {"Step 1", "Step 1001", f"Step {LONG}", "Below the last"} & titles


@pytest.mark.parametrize("out", ["9999", "1.1.1", "other:3", "<b>", "::", ":"])
def test_a_name_of_no_step_is_refused_and_nothing_inserted(browser, url, reset, out) -> None:  # noqa: F811
    answer = browser.post(f"{url}reset-account/run/", {**SENT, "out": out})
    assert answer.status_code == 422
    assert not Run.objects.exists()


def test_a_step_of_the_second_runbook_is_named_with_it(browser, url, incident, reset, make_runbook) -> None:  # noqa: F811
    long_runbook(make_runbook)
    sent = {**SENT, "also": "long", "out": "long:1050 1"}
    assert "long:12.3" in browser.get(f"{url}reset-account/run/", {"also": "long"}).content.decode()
    assert browser.post(f"{url}reset-account/run/", sent).status_code == 302
    titles = set(Ticket.objects.filter(incident=incident).values_list("title", flat=True))
    assert {"Look for rules in the mailbox", "Step 1049"} <= titles
    assert not {"Reset the password of ada", "Step 1050", "Below the last"} & titles


def test_without_script_another_runbook_is_added_and_nothing_is_made_yet(browser, url, phishing, reset) -> None:  # noqa: F811
    html = browser.post(f"{url}phishing/run/", {**SENT, "add": "reset-account", "preview": "1"}).content.decode()
    assert "Insert 2 runbooks" in html
    assert not Ticket.objects.exists()
    sent = {**SENT, "also": "reset-account"}
    assert browser.post(f"{url}phishing/run/", sent).status_code == 302
    assert Run.objects.count() == 2


def test_a_version_that_came_into_force_meanwhile_is_not_inserted_unseen(browser, url, reset) -> None:  # noqa: F811
    seen = reset.active_id
    put_in_force(reset, "- [ ] Wipe everything\n")
    answer = browser.post(f"{url}reset-account/run/", {**SENT, "version": seen})
    assert answer.status_code == 422
    assert "A newer version is in force by now" in answer.content.decode()
    assert not Ticket.objects.exists()


def test_a_sub_playbook_that_changed_meanwhile_is_not_inserted_unseen(browser, url, phishing, reset) -> None:  # noqa: F811
    """Its places are others by now: what Bob left out would be something else."""
    page = browser.get(f"{url}phishing/run/").content.decode()
    seen = re.findall(r'name="version" value="(\d+)"', page)
    assert sorted(seen) == sorted(str(one.active_id) for one in (phishing, reset))
    sent = {"value-link": "x", "value-owner": "ada", "version": seen}
    put_in_force(reset, "- [ ] Wipe everything\n")
    answer = browser.post(f"{url}phishing/run/", sent)
    assert answer.status_code == 422
    assert "A newer version is in force by now" in answer.content.decode()
    assert not Ticket.objects.exists()
    now = re.findall(r'name="version" value="(\d+)"', answer.content.decode())
    assert browser.post(f"{url}phishing/run/", {**sent, "version": now}).status_code == 302


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"value-owner": ""}, "Give a value."),
        ({"value-owner": "x\x00y"}, "Null characters are not allowed"),
        ({"value-owner": "x" * 10_000}, "Use at most 200 characters"),
        ({"value-owner": "a\nb"}, "single line"),
        ({"value-owner": "x" * 199}, "the title of step 1 is too long"),
        ({"value-owner": "ada", "under": "#999"}, "#999 is no longer in this incident"),
        ({"value-owner": "ada", "under": "nowhere"}, "Choose a ticket of the list"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(browser, url, reset, sent, words) -> None:  # noqa: F811
    answer = browser.post(f"{url}reset-account/run/", sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Ticket.objects.exists()


@pytest.mark.parametrize("text", ["{{ secrets.x }}", "<img src=x onerror=alert(1)>", "{{ link }}"])
def test_hostile_values_stay_text(browser, url, reset, text) -> None:  # noqa: F811
    html = browser.post(f"{url}reset-account/run/?preview=1", {"value-owner": text}, headers=HTMX).content.decode()
    assert "<img" not in html
    browser.post(f"{url}reset-account/run/", {"value-owner": text})
    assert Ticket.objects.get(number=102).title == f"Reset the password of {text}"


@pytest.mark.parametrize("slug", ["nowhere", "phishing-draft"])
def test_what_is_no_runbook_in_force_is_not_there(browser, url, make_runbook, slug) -> None:  # noqa: F811
    make_runbook("phishing-draft", "- [ ] x\n", kind="policy")
    assert browser.get(f"{url}{slug}/run/").status_code == 404


def test_who_may_only_look_gets_no_palette(client_of, carol, url, incident) -> None:
    assert client_of(carol).get(url).status_code == 403
    assert "data-open-palette" not in client_of(carol).get(f"/incidents/{incident.number}/tree/").content.decode()
