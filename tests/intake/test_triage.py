"""What people do with alerts."""

import json
import re
from collections.abc import Callable

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from core.models import JournalEntry
from incidents.models import Incident
from intake.actions.imports import request_import
from intake.actions.triage import dismiss_alert, promote_alert, reopen_alert
from intake.models import Alert
from intake.tasks import run_import
from people.models import User
from tests.intake.test_imports import EVE
from tests.uploads import kept

Browser = Callable[[User], Client]


@pytest.fixture
def alert(alice: User) -> Alert:
    """One of Suricata's, waiting to be triaged."""
    job = request_import(actor=alice, file=kept("eve.json", EVE.read_bytes()), name="eve.json")
    run_import(job.pk)
    return Alert.objects.filter(state="new").order_by("pk")[0]


def test_promoting_opens_an_incident_that_the_promoter_commands(bob: User, alert: Alert, client_of: Browser) -> None:
    answer = client_of(bob).post(f"/alerts/{alert.pk}/promote/", {"alike": "on"})
    incident = Incident.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == incident.get_absolute_url()
    assert incident.commander == bob
    assert incident.severity_assessed_at is None
    alert.refresh_from_db()
    assert (alert.state, alert.incident) == ("incident", incident)


def test_an_incident_shows_the_alerts_that_went_into_it(
    bob: User, mallory: User, alert, secret, client_of: Browser
) -> None:
    incident = promote_alert(actor=bob, alert=alert)
    card = client_of(bob).get(f"/incidents/{incident.number}/alerts/").content.decode()
    assert alert.title in card
    assert "1 in this incident" in card
    assert client_of(mallory).get(f"/incidents/{secret.number}/alerts/").status_code == 404


def test_promoting_twice_makes_one_incident(alice: User, alert: Alert) -> None:
    promote_alert(actor=alice, alert=alert)
    with pytest.raises(ValidationError, match="Somebody was faster"):
        promote_alert(actor=alice, alert=alert)
    assert Incident.objects.count() == 1


def test_joining_needs_a_role_in_the_incident(
    bob: User, mallory: User, incident, alert: Alert, client_of: Browser
) -> None:
    refused = client_of(mallory).post(f"/alerts/{alert.pk}/join/", {"number": incident.number, "alike": "on"})
    assert refused.status_code == 422
    assert "no role in it" in refused.content.decode()
    typed = f" {incident.number.lower()} "
    assert client_of(bob).post(f"/alerts/{alert.pk}/join/", {"number": typed}).status_code == 302
    alert.refresh_from_db()
    assert alert.incident == incident


def test_an_incident_one_may_not_see_does_not_exist_for_joining(
    mallory: User, secret, alert: Alert, client_of: Browser
) -> None:
    hidden = client_of(mallory).post(f"/alerts/{alert.pk}/join/", {"number": secret.number})
    missing = client_of(mallory).post(f"/alerts/{alert.pk}/join/", {"number": "IR-1999-0101-001"})
    assert "There is no such incident." in hidden.content.decode()
    assert hidden.status_code == missing.status_code == 422


def test_an_alert_of_a_restricted_incident_disappears_for_outsiders(
    alice: User, mallory: User, alert, client_of
) -> None:
    incident = promote_alert(actor=alice, alert=alert)
    Incident.objects.filter(pk=incident.pk).update(restricted=True)
    assert client_of(mallory).get(alert.get_absolute_url()).status_code == 404
    assert client_of(alice).get(alert.get_absolute_url()).status_code == 200
    assert alert.title not in client_of(mallory).get("/alerts/?state=all").content.decode()


def test_dismissing_needs_a_reason_and_can_be_taken_back(alice: User, alert: Alert, client_of: Browser) -> None:
    assert client_of(alice).post(f"/alerts/{alert.pk}/dismiss/", {"reason": "  "}).status_code == 422
    dismiss_alert(actor=alice, alert=alert, reason="Our own scanner.")
    alert.refresh_from_db()
    assert (alert.state, alert.reason) == ("dismissed", "Our own scanner.")
    reopen_alert(actor=alice, alert=alert)
    alert.refresh_from_db()
    assert alert.state == "new"


def alike(user: User, number: int) -> list[Alert]:
    """Alerts that say the same."""
    lines = [json.loads(EVE.read_bytes().splitlines()[0]) | {"flow_id": flow} for flow in range(number)]
    content = "\n".join(json.dumps(line) for line in lines).encode()
    run_import(request_import(actor=user, file=kept("e.json", content), name="e.json").pk)
    return list(Alert.objects.order_by("pk"))


def undo_in(page: str) -> str:
    """Where the toast's button posts to."""
    found = re.search(r'action="(/alerts/[^"]+/put-back/[^"]*)"', page)
    assert found
    return found[1]


def test_undo_takes_back_the_whole_dismissal_and_nothing_else(alice: User, client_of: Browser) -> None:
    one, two, three = alike(alice, 3)
    browser = client_of(alice)
    dismiss_alert(actor=alice, alert=three, reason="Our own scanner.", alike=False)
    page = browser.post(f"/alerts/{one.pk}/dismiss/", {"reason": "Our own scanner.", "alike": "on"}, follow=True)
    assert "2 dismissed." in page.content.decode()
    reopen_alert(actor=alice, alert=two)
    dismiss_alert(actor=alice, alert=two, reason="Looked at by itself.")
    browser.post(undo_in(page.content.decode()))
    assert list(Alert.objects.order_by("pk").values_list("state", flat=True)) == ["new", "dismissed", "dismissed"]


def test_undo_puts_back_all_that_were_dismissed_together(alice: User, client_of: Browser) -> None:
    one, *_ = alike(alice, 3)
    browser = client_of(alice)
    page = browser.post(f"/alerts/{one.pk}/dismiss/", {"reason": "Our own scanner.", "alike": "on"}, follow=True)
    undo = undo_in(page.content.decode())
    browser.post(undo)
    assert Alert.objects.filter(state="new", reason="").count() == 3
    entry = JournalEntry.objects.get(verb="alert.put_back")
    assert entry.data["alerts"] == sorted(Alert.objects.values_list("pk", flat=True))
    browser.post(undo)
    assert JournalEntry.objects.filter(verb="alert.put_back").count() == 1


@pytest.mark.parametrize("entry", ["0", "x", "-1", "99999999999999999999", "1"])
def test_an_undo_that_names_another_entry_takes_nothing_back(alice: User, client_of: Browser, entry: str) -> None:
    one, *_ = alike(alice, 2)
    dismiss_alert(actor=alice, alert=one, reason="Our own scanner.")
    assert client_of(alice).post(f"/alerts/{one.pk}/put-back/?entry={entry}").status_code == 302
    assert Alert.objects.filter(state="dismissed").count() == 2


def test_equal_alerts_are_one_line_with_their_number_and_go_together(alice, client_of: Browser) -> None:
    lines = [json.loads(EVE.read_bytes().splitlines()[0]) for _ in range(3)]
    for flow, line in enumerate(lines):
        line["flow_id"] = flow
    content = "\n".join(json.dumps(line) for line in lines).encode()
    run_import(request_import(actor=alice, file=kept("e.json", content), name="e.json").pk)
    page = client_of(alice).get("/alerts/").content.decode()
    assert page.count("Possible Nmap") == 1
    assert '<span class="count">3</span>' in page
    newest = Alert.objects.latest("pk")
    client_of(alice).post(f"/alerts/{newest.pk}/promote/", {"alike": "on"})
    assert Alert.objects.filter(state="incident").count() == 3


@pytest.mark.parametrize("number", [1, 3])
def test_the_list_needs_the_same_few_queries_for_any_number(
    alice, alert, client_of, django_assert_max_num_queries, number
):
    keep = Alert.objects.order_by("pk")[:number].values_list("pk", flat=True)
    Alert.objects.exclude(pk__in=list(keep)).delete()
    browser = client_of(alice)
    browser.get("/alerts/")
    with django_assert_max_num_queries(8):
        assert browser.get("/alerts/").status_code == 200
